package consistency

import (
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// Where a field can be read.
const (
	inPrint   = "doc.text.field."
	inZone    = "doc.mrz.field."
	inBarcode = "doc.barcode.field."
)

// fieldNames are the fields that rules look at.
var fieldNames = []string{"surname", "given_names", "birth_date", "expiry_date", "issue_date", "document_number", "sex"}

// checkOf names the check digit that protects a field of the zone. Names and sex have none.
var checkOf = map[string]string{"document_number": "doc.mrz.check.number", "birth_date": "doc.mrz.check.birth", "expiry_date": "doc.mrz.check.expiry"}

// status says how far a reading has come.
type status int

const (
	open        status = iota // no answer yet
	present                   // it has a value
	unread                    // it is there and could not be read
	unperformed               // nobody looked
	absent                    // it is not there
)

// reading is one field as one source has it.
type reading struct {
	status status
	reason string // why there is no value
	text   string // dates as ISO 8601, classes by name
}

func without(o envelopev1.Outcome, reason string) reading {
	switch o {
	case stream.NotApplicable:
		return reading{status: absent, reason: reason}
	case stream.NotPerformed:
		return reading{status: unperformed, reason: reason}
	}
	return reading{status: unread, reason: reason}
}

// read gives a value as a reading. A pass without a value, such as of a check digit, is present.
func read(v *factv1.Value) reading {
	r := reading{status: present, text: v.GetText()}
	switch w := v.GetWhat().(type) {
	case *factv1.Value_Date:
		r.text = w.Date
	case *factv1.Value_Class:
		r.text = w.Class
	}
	return r
}

// document is what is known of a verification's document, as the rules see it.
type document struct {
	today   time.Time      // the day of opening, UTC
	sides   []check.Medium // that were announced, front first
	look    func(check.Key) reading
	request func() *factv1.Opened
}

// on looks for a field in one source, front before back. A side that does not print a field, or not on this side, is no more than that.
func (d document) on(source, field string) reading {
	return d.first(func(side check.Medium) reading { return d.at(source, field, side) })
}

func (d document) at(source, field string, side check.Medium) reading {
	r := d.look(check.Key{Check: source + field, Medium: side})
	if r.status == absent && source == inPrint {
		r.reason = notOnDocument
	}
	return r
}

// first asks one side after the other.
func (d document) first(on func(check.Medium) reading) reading {
	var sides []func() reading
	for _, side := range d.sides {
		sides = append(sides, func() reading { return on(side) })
	}
	return firstOf(sides...)
}

// firstOf is the first reading that has a value. It waits for those before it; where none has one it says the most telling reason.
func firstOf(candidates ...func() reading) reading {
	none := reading{status: absent, reason: notOnDocument}
	for i, c := range candidates {
		r := c()
		switch {
		case r.status == open || r.status == present:
			return r
		case i == 0 || r.status < none.status:
			none = r
		}
	}
	return none
}

// verified is a field of the zone whose check digit holds; absent where there is no such thing.
func (d document) verified(field string) reading {
	digit := checkOf[field]
	if digit == "" {
		return reading{status: absent, reason: notOnDocument}
	}
	return d.first(func(side check.Medium) reading {
		r := d.at(inZone, field, side)
		if r.status != present {
			return r
		}
		switch c := d.look(check.Key{Check: digit, Medium: side}); c.status {
		case open:
			return c
		case present:
			return r
		}
		return reading{status: unread, reason: digitsFail}
	})
}

// best is what the document says a field is: a zone whose check digit holds, then a barcode, then print, then any zone.
func (d document) best(field string) reading {
	return inAny(
		func() reading { return d.verified(field) },
		func() reading { return d.on(inBarcode, field) },
		func() reading { return d.on(inPrint, field) },
		func() reading { return d.on(inZone, field) },
	)
}

// inAny is firstOf several sources; what none of them has is not on the document.
func inAny(sources ...func() reading) reading {
	r := firstOf(sources...)
	if r.status == absent {
		r.reason = notOnDocument
	}
	return r
}
