// Package class tells what a document is: its type, the country and the region that
// issued it. There are no templates. The machine-readable zone says most, the header of
// a licence's barcode says all, and else the words on the page decide: names of
// documents in some thirty languages, names of countries in as many.
//
// Everything here is a pure function of what was read.
package class

// Types of documents, as `doc.class.type` spells them.
const (
	Passport  = "passport"
	Identity  = "identity_card"
	Licence   = "driving_licence"
	Residence = "residence_permit"
	Visa      = "visa"
	Other     = "other"
)

// Result is what is known of a document's class; empty strings are not known.
type Result struct {
	Type    string
	Country string // three letters of ICAO Doc 9303, D for Germany
	Region  string // state or province, two letters
	From    string // what it rests on: "mrz", "barcode" or "print"
}
