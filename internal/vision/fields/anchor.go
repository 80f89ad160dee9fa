package fields

import "strings"

// alike is how unlike, in edits over length, a printed line may be to what the zone
// says and still be that field: misread or changed in a place or two.
const alike = 0.25

// anchored finds the lines that say what the machine-readable zone says.
func (p *page) anchored() {
	for _, name := range []string{Surname, Given, Number, Personal} {
		if want := p.Known[name]; want != "" && !p.has(name) {
			p.anchorText(name, want)
		}
	}
	p.anchorDates()
}

// anchorText takes the line, or the run of words in a line, most like the zone's text.
func (p *page) anchorText(name, want string) {
	limit := alike
	if len(Tight(want)) < 5 || p.Firm {
		limit = 0 // short names are like too much
	}
	best, least := Field{}, limit+1e-9
	for i, l := range p.Lines {
		if p.used[i] || zoneLike(l.Text) {
			continue
		}
		for _, f := range p.runs(name, i) {
			if d := Same(f.Text, want); d < least {
				best, least = f, d
			}
		}
	}
	if best.Text != "" && p.put(name, best) {
		p.used[best.Line] = len(best.Text) > len(p.Lines[best.Line].Text)*2/3
	}
}

// zoneLike says whether a line is of the machine-readable zone itself.
func zoneLike(s string) bool { return strings.Contains(s, "<<") || strings.Count(s, "<") > 2 }

// runs lists a line's runs of up to five words.
func (p *page) runs(name string, i int) []Field {
	l := p.Lines[i]
	_, at := wordsOf(l.Text)
	var out []Field
	for a := range at {
		for b := a; b < min(len(at), a+5); b++ {
			out = append(out, l.part(name, i, at[a].from, at[b].to))
		}
	}
	return out
}

// anchorDates finds printed dates by the zone's; the date of issue is one that lies
// between the other two.
func (p *page) anchorDates() {
	type printed struct {
		iso  string
		line int
	}
	var all []printed
	for i, l := range p.Lines {
		if zoneLike(l.Text) {
			continue
		}
		for _, d := range p.calendar.Dates(l.Text) {
			all = append(all, printed{d, i})
		}
	}
	for _, name := range []string{Birth, Expiry} {
		for _, d := range all {
			if want := p.Known[name]; want != "" && d.iso[2:] == want[max(0, len(want)-8):] && !p.has(name) {
				p.putDate(name, d.line, want)
			}
		}
	}
}

// putDate keeps a line's date; full is the date with the century that the zone implies.
func (p *page) putDate(name string, line int, full string) {
	l := p.Lines[line]
	f := l.part(name, line, 0, len([]rune(l.Text)))
	f.Date = full
	p.put(name, f)
}

// numberAlone takes the document number of a document without zone or label for it: a
// driver number of Great Britain has a form of its own.
func (p *page) numberAlone() {
	for i := range p.Lines {
		for _, f := range p.runs(Number, i) {
			if !p.has(Number) && UKWellFormed(strings.ReplaceAll(f.Text, " ", "")) {
				p.put(Number, f)
			}
		}
	}
}
