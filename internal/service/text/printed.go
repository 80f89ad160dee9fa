package text

import (
	"slices"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

func inCatalogue(id string) bool {
	c, ok := check.ByID(id)
	return ok && c.Service == Name
}

// known writes what a zone says under the names of printed fields.
func known(d *mrz.Document, now time.Time) fields.Known {
	k := fields.Known{fields.Surname: d.Value(mrz.FieldSurname), fields.Given: d.Value(mrz.FieldGiven), fields.Number: d.Value(mrz.FieldNumber)}
	k[fields.Birth], _ = mrz.BirthDate(d.Value(mrz.FieldBirth), now)
	k[fields.Expiry], _ = mrz.ExpiryDate(d.Value(mrz.FieldExpiry), now)
	if f, ok := d.Field(mrz.FieldOptional); ok && personal(d.Format) {
		k[fields.Personal] = trimFillers(f.Value)
	}
	return k
}

// fieldAnswers says printed fields.
func fieldAnswers(list []fields.Field) []answer {
	var out []answer
	for _, f := range list {
		id := "doc.text.field." + f.Name
		if !inCatalogue(id) {
			continue
		}
		v := textValue(f.Text, f.Conf)
		if f.Date != "" {
			v = dateValue(f.Date, f.Conf)
		}
		a := pass(id, v)
		if len(f.Conf) > 0 && slices.Min(f.Conf) < doubtfulPrint {
			a.outcome, a.reason = stream.Inconclusive, "reading_doubtful"
		}
		out = append(out, a.at(f.Quad).of(f.Name))
	}
	return byDetector(out, "print")
}

// doubtfulPrint is the confidence of the least sure character below which a printed
// field is no ground for saying that a document contradicts itself. Of the few fields of
// real documents that lay below it half were misread.
const doubtfulPrint = 0.5

// essential are the fields that every document of identity prints on its front.
var essential = map[string]bool{"doc.text.field." + fields.Surname: true, "doc.text.field." + fields.Given: true, "doc.text.field." + fields.Birth: true,
	"doc.text.field." + fields.Expiry: true, "doc.text.field." + fields.Number: true}

// missingField says of a printed field that was not found why it is not there.
func missingField(id string, r class.Result, side string) answer {
	switch {
	case side == back:
		return none(id, "other_side")
	case essential[id] && r.Type != class.Other && r.Type != "":
		return unsure(id, "field_not_found")
	}
	return none(id, "field_not_present")
}

// The sides of a document.
const (
	front = "front"
	back  = "back"
)

// sideOf tells which side it is: a portrait is on the front; a zone of three lines, or a
// barcode alone, on the back. Without any of them it is taken for what the applicant
// said, which is not seen.
func sideOf(portrait bool, zone *mrz.Document, coded bool, sent envelopev1.Medium) (side string, seen bool) {
	switch {
	case portrait:
		return front, true
	case zone != nil && zone.Format == mrz.TD1, coded:
		return back, true
	case zone != nil:
		return front, true
	case sent == check.Back:
		return back, false
	}
	return front, false
}

func sideAnswer(side string, seen bool) answer {
	if !seen {
		return unsure("doc.class.side", "side_unknown")
	}
	return pass("doc.class.side", classValue(side))
}

// classAnswers says the class of a side; which side it is comes as an answer.
func classAnswers(r class.Result, side answer, sent envelopev1.Medium) []answer {
	if r.Type == class.Other && sent == check.Back {
		// A back that says nothing of its own is the back of what the front is.
		return byDetector([]answer{none("doc.class.type", "other_side"), none("doc.class.country", "other_side"), none("doc.class.region", "other_side"),
			none("doc.class.supported", "other_side"), side}, "class")
	}
	out := []answer{pass("doc.class.type", classValue(r.Type)), side}
	if r.Country != "" {
		out = append(out, pass("doc.class.country", classValue(r.Country)))
	} else {
		out = append(out, unsure("doc.class.country", "country_unknown"))
	}
	if r.Region != "" {
		out = append(out, pass("doc.class.region", classValue(r.Region)))
	} else {
		out = append(out, none("doc.class.region", "no_region"))
	}
	if r.Type == class.Other {
		out = append(out, fail("doc.class.supported", "unsupported_document"))
	} else {
		out = append(out, pass("doc.class.supported", nil))
	}
	return byDetector(out, "class")
}

// noZone says what it means that no zone was found: nothing on a side that has none, a
// bad picture on a passport or a visa, which always have one.
func noZone(open []string, r class.Result, side string) []answer {
	due := side == front && (r.Type == class.Passport || r.Type == class.Visa)
	var out []answer
	for _, id := range open {
		switch {
		case due && id == "doc.mrz.detected":
			out = append(out, fail(id, "mrz_not_found"))
		case due:
			out = append(out, unsure(id, "mrz_not_found"))
		default:
			out = append(out, none(id, "no_mrz"))
		}
	}
	return byDetector(out, "mrz")
}
