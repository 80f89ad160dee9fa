package fields

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Known is what a machine-readable zone says, by the names of fields; dates are ISO
// 8601. Empty where there is none.
type Known map[string]string

// Page is what Extract works on.
type Page struct {
	Lines    []Line
	Known    Known
	Calendar Calendar
	Numbered bool // a driving licence that numbers its fields
	Firm     bool // leave out what a line not read yet could change
}

// Extract returns the printed fields, at most one of each name.
func Extract(in Page) []Field {
	p := &page{Page: in, calendar: in.Calendar, found: map[string]Field{}, used: map[int]bool{}}
	p.prepare()
	if in.Numbered && !in.Firm {
		p.numbered()
	}
	if len(in.Known) > 0 {
		p.anchored()
	}
	if !in.Firm {
		p.labelled()
		p.numberAlone()
	}
	var out []Field
	for _, row := range labelTable {
		if f, ok := p.found[row[0]]; ok {
			out = append(out, f)
		}
	}
	if f, ok := p.found[Categories]; ok {
		out = append(out, f)
	}
	return out
}

// page is a page being worked on.
type page struct {
	Page
	calendar Calendar
	hits     [][]hit // labels of each line
	found    map[string]Field
	used     map[int]bool // lines whose whole text is a value already
}

func (p *page) prepare() {
	table := labels()
	for _, l := range p.Lines {
		p.hits = append(p.hits, findLabels(l.Text, table))
	}
}

// put keeps a field unless one of that name was found before.
func (p *page) put(name string, f Field) bool {
	if _, ok := p.found[name]; ok {
		return false
	}
	f.Name = name
	p.found[name] = f
	return true
}

func (p *page) has(name string) bool {
	_, ok := p.found[name]
	return ok
}

// labelled looks for values near labels: behind the label on its line, below it, then
// to its right.
func (p *page) labelled() {
	for i, hits := range p.hits {
		for k, h := range hits {
			if p.has(h.field) {
				continue
			}
			end := len([]rune(p.Lines[i].Text))
			if k+1 < len(hits) && hits[k+1].from > h.to {
				end = hits[k+1].from
			}
			if f, ok := p.behind(i, h, end); ok {
				p.put(h.field, f)
			} else if j, ok := p.near(i, k); ok {
				p.take(h.field, j)
			}
		}
	}
}

// behind takes what stands behind a label on the same line, unless that is more of the
// label in another language.
func (p *page) behind(i int, h hit, end int) (Field, bool) {
	f := p.Lines[i].part(h.field, i, min(h.to, end), end)
	switch h.field {
	case Birth, Expiry, Issue, Sex, Number, Personal:
		return p.accept(h.field, f)
	}
	return f, false // words behind a label of a name are its translation
}

// take makes a field of a whole line.
func (p *page) take(name string, j int) {
	l := p.Lines[j]
	f, ok := p.accept(name, l.part(name, j, 0, len([]rune(l.Text))))
	if ok && p.put(name, f) {
		p.used[j] = true
	}
}

// near returns the line that is the value of the k-th label of line i: the nearest below
// that starts under the label or under its translations before it, or the nearest on
// the same height to the right.
func (p *page) near(i, k int) (int, bool) {
	h := p.hits[i][k]
	box, start := p.Lines[i].Quad, p.Lines[i].Quad[0].X
	if len(p.Lines[i].At) > 0 {
		box = p.Lines[i].slice(h.from, h.to)
		if k > 0 {
			before := p.hits[i][k-1]
			start = p.Lines[i].slice(before.from, before.to)[1].X
		}
	}
	best, least := -1, math.Inf(1)
	for j := range p.Lines {
		if cost := p.cost(h.field, j, box, start); j != i && cost < least {
			best, least = j, cost
		}
	}
	return best, best >= 0
}

// cost says how far line j lies from where the value of a label should stand; infinite
// where it cannot be the value.
func (p *page) cost(field string, j int, box pix.Quad, start float64) float64 {
	l := p.Lines[j]
	if p.used[j] || len(p.hits[j]) > 0 || p.Numbered && otherNumber.MatchString(l.Text) {
		return math.Inf(1)
	}
	if _, ok := p.accept(field, l.part(field, j, 0, len([]rune(l.Text)))); !ok {
		return math.Inf(1)
	}
	_, high := box.Size()
	dy, x := l.Quad.Centre().Y-box.Centre().Y, l.Quad[0].X
	dx := math.Max(0, math.Max(start-x, x-box[0].X))
	switch {
	case dy > 0.4*high && dy < 3.6*high && x > start-2*high && x < box[0].X+5*high:
		return dy + 0.5*dx
	case math.Abs(dy) < 0.6*high && x > box[1].X-high && x-box[1].X < 8*high:
		return 1.5*high + x - box[1].X
	}
	return math.Inf(1)
}
