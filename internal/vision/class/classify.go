package class

import (
	"strings"

	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

// Input is what was read of a side of a document; what is missing is nil or empty.
type Input struct {
	Zone  *mrz.Document
	Card  *aamva.Card
	Lines []string // printed lines, from top to bottom
}

// Classify tells the class. The zone and the barcode outrank print.
func (c *Countries) Classify(in Input) Result {
	switch {
	case in.Zone != nil:
		return byZone(in.Zone, in.Lines)
	case in.Card != nil:
		return Result{Type: cardType(in.Card, in.Lines), Country: in.Card.Country(), Region: in.Card.Region(), From: "barcode"}
	}
	return c.byPrint(in.Lines)
}

// Settled says whether a zone decides the type without the words on the page.
func Settled(z *mrz.Document) bool {
	return z.Format != mrz.TD1 && z.Format != mrz.TD2 || z.Value(mrz.FieldNationality) != "" || strings.HasSuffix(z.Value(mrz.FieldCode), "R")
}

// byZone decides by the document code and the issuing state.
func byZone(z *mrz.Document, lines []string) Result {
	r := Result{Country: ICAO(z.Value(mrz.FieldIssuer)), From: "mrz"}
	switch z.Format {
	case mrz.TD3:
		r.Type = Passport
	case mrz.MRVA, mrz.MRVB:
		r.Type = Visa
	case mrz.EUDL, mrz.CHDL:
		r.Type = Licence
	case mrz.FRID:
		r.Type = Identity
	default:
		r.Type = card(z, lines)
	}
	return r
}

// card tells an identity card from a residence permit: the second letter of the code,
// a holder who is no national, or the words on the card say so.
func card(z *mrz.Document, lines []string) string {
	code := z.Value(mrz.FieldCode)
	issuer, holder := ICAO(z.Value(mrz.FieldIssuer)), ICAO(z.Value(mrz.FieldNationality))
	switch {
	case strings.HasSuffix(code, "R") && len(code) == 2:
		return Residence
	case code == "AC":
		return Other // crew certificates
	case holder != "" && holder == issuer:
		return Identity
	case holder != "" && mrz.Known(z.Value(mrz.FieldIssuer)):
		return Residence
	}
	if t := typeByWords(lines); t == Residence {
		return Residence
	}
	return Identity
}

// cardType tells a driving licence from an identity card by the subfile, which the standard names after it; where an
// issuer left both out, by words.
func cardType(c *aamva.Card, lines []string) string {
	switch t := typeByWords(lines); {
	case c.Holds("DL"):
		return Licence
	case c.Holds("ID"):
		return Identity
	case t != "":
		return t
	}
	return Other
}

// byPrint decides by words. A type needs words of its own; a country alone makes no
// document.
func (c *Countries) byPrint(lines []string) Result {
	r := Result{Type: typeByWords(lines), From: "print"}
	if r.Type == "" {
		return Result{Type: Other, From: "print"}
	}
	if r.Type == Licence || r.Type == Identity {
		if r.Region, r.Country = region(lines); r.Region != "" {
			return r
		}
	}
	r.Country = c.find(lines)
	if r.Type == Visa && r.Country == "" {
		return Result{Type: Other, From: "print"} // bank cards bear the word too
	}
	return r
}
