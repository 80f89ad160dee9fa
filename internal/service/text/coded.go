package text

import (
	"encoding/base64"
	"unicode/utf8"

	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/barcode"
	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
)

// symbolAnswers says what a PDF417 symbol holds; card is nil where it is no AAMVA data.
func symbolAnswers(s *barcode.Symbol, card *aamva.Card) []answer {
	out := []answer{pass("doc.barcode.detected", classValue("pdf417")).at(s.Quad), pass("doc.barcode.decoded", payload(s.Payload)).at(s.Quad)}
	if card == nil {
		return byDetector(out, "pdf417")
	}
	out = append(out,
		holds("doc.barcode.aamva.header", "header_wrong", len(card.Header()) == 0).at(s.Quad),
		holds("doc.barcode.aamva.mandatory", "element_missing", len(card.Missing()) == 0).at(s.Quad),
		datesAgree(card).at(s.Quad))
	for _, f := range card.Fields() {
		id := "doc.barcode.field." + f.Name
		if !inCatalogue(id) {
			continue
		}
		v := textValue(f.Value, nil)
		switch f.Name {
		case aamva.Birth, aamva.Expiry, aamva.Issue:
			v = dateValue(f.Value, nil)
		}
		out = append(out, pass(id, v).at(s.Quad).of(f.Name))
	}
	return byDetector(out, "pdf417")
}

// restOfSymbol says why a barcode's other checks have no answer.
func restOfSymbol(open []string, s *barcode.Symbol, seen bool) []answer {
	var out []answer
	for _, id := range open {
		switch {
		case s != nil:
			out = append(out, none(id, "not_in_barcode"))
		case seen && id == "doc.barcode.detected":
			out = append(out, pass(id, nil))
		case seen:
			out = append(out, unsure(id, "barcode_unreadable"))
		default:
			out = append(out, none(id, "no_barcode"))
		}
	}
	return byDetector(out, "pdf417")
}

func holds(id, reason string, ok bool) answer {
	if ok {
		return pass(id, nil)
	}
	return fail(id, reason)
}

// datesAgree: two dates at least are needed to contradict each other.
func datesAgree(card *aamva.Card) answer {
	const id = "doc.barcode.aamva.dates"
	read := 0
	for _, name := range []string{aamva.Birth, aamva.Issue, aamva.Expiry} {
		if card.Field(name) != "" {
			read++
		}
	}
	a := holds(id, "dates_contradict", len(card.DateFaults()) == 0)
	if a.outcome == stream.Pass && read < 2 {
		return unsure(id, "no_date")
	}
	return a
}

// payload is the text of a symbol, or base64 of what is no text.
func payload(b []byte) *factv1.Value {
	if utf8.Valid(b) {
		return textValue(string(b), nil)
	}
	return textValue(base64.StdEncoding.EncodeToString(b), nil)
}
