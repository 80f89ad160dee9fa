// Package fields finds the printed fields of a document among its lines of text: whose
// surname, which date, what number.
//
// Three ways lead to a field, in this order. Driving licences number theirs (1, 2, 3,
// 4a, 4b, 5 …). Where the document has a machine-readable zone, a line that says nearly
// the same as one of the zone's fields is that field: the zone tells where to look, but
// the value reported is always what was read in print. And labels in some thirty
// languages stand above their values or before them.
//
// Everything here is a pure function of text and boxes.
package fields

import (
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Names of fields, as they end `doc.text.field.<name>`.
const (
	Surname     = "surname"
	Given       = "given_names"
	Birth       = "birth_date"
	Expiry      = "expiry_date"
	Issue       = "issue_date"
	Number      = "document_number"
	Sex         = "sex"
	Nationality = "nationality"
	Issuer      = "issuer"
	BirthPlace  = "birth_place"
	Address     = "address"
	Personal    = "personal_number"
	Categories  = "licence_categories"
)

// Line is one line of text on the page.
type Line struct {
	Quad pix.Quad
	Text string
	Conf []float32 // of each rune
	At   []float32 // middle of each rune as a share of the width
}

// Field is one value as printed.
type Field struct {
	Name string
	Text string    // as printed
	Date string    // ISO 8601, for dates
	Conf []float32 // of each rune of Text
	Quad pix.Quad  // the part of the line it was read from
	Line int       // index of the line
}

// part cuts the runes from to to out of a line.
func (l Line) part(name string, index, from, to int) Field {
	runes := []rune(l.Text)
	for from < to && blank(runes[from]) {
		from++
	}
	for to > from && blank(runes[to-1]) {
		to--
	}
	f := Field{Name: name, Text: string(runes[from:to]), Quad: l.Quad, Line: index}
	if len(l.Conf) == len(runes) && len(l.At) == len(runes) && to > from {
		f.Conf = l.Conf[from:to]
		f.Quad = l.slice(from, to)
	}
	return f
}

func blank(r rune) bool { return r == ' ' || r == ':' || r == '.' || r == ',' || r == ';' }

// slice returns the part of the line's quadrilateral that holds the runes from to to.
func (l Line) slice(from, to int) pix.Quad {
	pitch := float32(1) / float32(max(len(l.At), 1))
	a, b := float64(max(0, l.At[from]-pitch/2)), float64(min(1, l.At[to-1]+pitch/2))
	q := l.Quad
	along := func(p, r pix.Pt, s float64) pix.Pt { return p.Mul(1 - s).Add(r.Mul(s)) }
	return pix.Quad{along(q[0], q[1], a), along(q[0], q[1], b), along(q[3], q[2], b), along(q[3], q[2], a)}
}
