package mrz

import "strings"

// Letters and digits that look alike in OCR-B and in what readers make of it.
const (
	alikeLetters = "OQDISBZGAT"
	alikeDigits  = "0001582647"
	backDigits   = "0158264"
	backLetters  = "OISBZGA"
)

// Change is one character that Repair replaced.
type Change struct {
	Row, Col int
	From, To byte
}

// Repair puts right letters where only digits may stand and digits where only letters
// may, in lines of the right length. A change under a check digit is kept only when
// the digit then holds; names and states, which no digit guards, can hold no digits at
// all and are always changed. It never touches a position whose class allows both.
func Repair(lines []Line) ([]Line, []Change) {
	lines = cut(lines)
	out := make([]Line, len(lines))
	copy(out, lines)
	f, err := Detect(out)
	if err != nil {
		return lines, nil
	}
	lay, _ := LayoutOf(f)
	r := repair{lay: lay, lines: out}
	r.letters()
	if len(lay.Checks) == 0 {
		r.tryDigits(lay.allDigits())
	}
	for _, c := range lay.Checks {
		r.digits(c)
	}
	return r.lines, r.changes
}

// allDigits returns the runs of a layout that hold digits only.
func (l Layout) allDigits() []Span {
	var out []Span
	for _, f := range l.Fields {
		if f.Class == Digit {
			out = append(out, f.Span)
		}
	}
	return out
}

type repair struct {
	lay     Layout
	lines   []Line
	changes []Change
}

func (r *repair) letters() {
	for _, f := range r.lay.Fields {
		if f.Class.alphabetic() {
			r.apply(r.propose(f.Span, backDigits, backLetters))
		}
	}
}

// digits tries the changes under one check digit together.
func (r *repair) digits(c CheckSpec) {
	var ch []Change
	for _, s := range append(c.Over[:len(c.Over):len(c.Over)], c.Digit) {
		ch = append(ch, r.proposeDigits(s)...)
	}
	if len(ch) == 0 {
		return
	}
	before := r.snapshot()
	r.apply(ch)
	d := &Document{Format: r.lay.Format, Lines: r.lines}
	d.verify(r.lay)
	if res, _ := d.CheckOf(c.Name); !res.OK {
		r.restore(before, len(ch))
	}
}

func (r *repair) tryDigits(spans []Span) {
	for _, s := range spans {
		r.apply(r.propose(s, alikeLetters, alikeDigits))
	}
}

// proposeDigits offers changes at positions of the classes Digit and Check in a run.
func (r *repair) proposeDigits(s Span) []Change {
	classes := r.lay.Classes(s.Row)
	var out []Change
	for _, ch := range r.propose(s, alikeLetters, alikeDigits) {
		if c := classes[ch.Col]; c == Digit || c == Check {
			out = append(out, ch)
		}
	}
	return out
}

func (r *repair) propose(s Span, from, to string) []Change {
	var out []Change
	for i := s.From; i < s.To; i++ {
		c := r.lines[s.Row].Text[i]
		if k := strings.IndexByte(from, c); k >= 0 {
			out = append(out, Change{Row: s.Row, Col: i, From: c, To: to[k]})
		}
	}
	return out
}

func (r *repair) apply(ch []Change) {
	for _, c := range ch {
		b := []byte(r.lines[c.Row].Text)
		b[c.Col] = c.To
		r.lines[c.Row].Text = string(b)
	}
	r.changes = append(r.changes, ch...)
}

func (r *repair) snapshot() []string {
	var out []string
	for _, l := range r.lines {
		out = append(out, l.Text)
	}
	return out
}

func (r *repair) restore(texts []string, changes int) {
	for i := range r.lines {
		r.lines[i].Text = texts[i]
	}
	r.changes = r.changes[:len(r.changes)-changes]
}
