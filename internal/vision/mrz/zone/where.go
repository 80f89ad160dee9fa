package zone

import (
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Quad returns the part of the page that the spans cover: exact for spans of one line,
// the whole lines' box for spans of several.
func (z *Zone) Quad(spans []mrz.Span) pix.Quad {
	if len(spans) == 0 {
		return pix.Quad{}
	}
	row, from, to := spans[0].Row, spans[0].From, spans[0].To
	for _, s := range spans[1:] {
		if s.Row != row {
			return z.rows(spans)
		}
		from, to = min(from, s.From), max(to, s.To)
	}
	return z.cells(row, from, to)
}

func (z *Zone) rows(spans []mrz.Span) pix.Quad {
	first, last := spans[0].Row, spans[0].Row
	for _, s := range spans {
		first, last = min(first, s.Row), max(last, s.Row)
	}
	a, b := z.Quads[first], z.Quads[last]
	return pix.Quad{a[0], a[1], b[2], b[3]}
}

// cells returns the box around the characters from to to of a row.
func (z *Zone) cells(row, from, to int) pix.Quad {
	q, slots := z.Quads[row], z.slots[row]
	if to <= from {
		return q
	}
	half := 0.5 / float64(len(slots))
	a, b := max(0, float64(slots[from].at)-half), min(1, float64(slots[to-1].at)+half)
	on := func(p, r pix.Pt, s float64) pix.Pt { return p.Mul(1 - s).Add(r.Mul(s)) }
	return pix.Quad{on(q[0], q[1], a), on(q[0], q[1], b), on(q[3], q[2], b), on(q[3], q[2], a)}
}
