package zone

import (
	"fmt"
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Line reads a picture of one line, which may be any line of any format, under those
// check digits that stand in the line itself; "" where it is none.
func (r *Reader) Line(m *pix.RGB) (mrz.Line, error) {
	g := m.Gray()
	q := ocr.Tighten(g, pix.Full(m.W, m.H))
	own, err := r.own.Probs(g, q)
	if err != nil {
		return mrz.Line{}, fmt.Errorf("reading MRZ line: %w", err)
	}
	second, err := r.second.Probs(m, q)
	if err != nil {
		return mrz.Line{}, fmt.Errorf("reading MRZ line again: %w", err)
	}
	return bestLine(sight{newLook(own), newLook(second.MRZ())}), nil
}

// far is by how many characters a free reading may miss a line's length.
const far = 10

func bestLine(s sight) mrz.Line {
	var out mrz.Line
	free := len(ocr.Greedy(s[0].raw).Text)
	best := math.Inf(-1)
	for _, lay := range mrz.Layouts() {
		for row, n := range lay.Lengths {
			if abs(free-n) > far {
				continue
			}
			if l, score := fitRow(only(lay, row), s); score > best {
				out, best = l, score
			}
		}
	}
	return out
}

// fitRow lays a layout of one row over a line.
func fitRow(lay mrz.Layout, s sight) (mrz.Line, float64) {
	classes := lay.Classes(0)
	slots, path, ok := merge(s, allowedBy(classes))
	if !ok {
		return mrz.Line{}, math.Inf(-1)
	}
	text, cost := choose(lay, [][]slot{slots})
	return withConfidence(text, [][]slot{slots})[0], path - s[0].freely() + worth(classes) - cost
}

// only returns the layout of one row by itself, with the check digits that guard
// nothing outside it.
func only(lay mrz.Layout, row int) mrz.Layout {
	out := mrz.Layout{Format: lay.Format, First: lay.First, Lengths: []int{lay.Lengths[row]}}
	for _, f := range lay.Fields {
		if f.Row == row {
			f.Row = 0
			out.Fields = append(out.Fields, f)
		}
	}
	for _, c := range lay.Checks {
		if inRow(c, row) {
			c.Digit.Row = 0
			over := make([]mrz.Span, len(c.Over))
			for i, s := range c.Over {
				over[i] = mrz.Span{Row: 0, From: s.From, To: s.To}
			}
			c.Over = over
			out.Checks = append(out.Checks, c)
		}
	}
	return out
}

func inRow(c mrz.CheckSpec, row int) bool {
	for _, s := range c.Over {
		if s.Row != row {
			return false
		}
	}
	return c.Digit.Row == row
}
