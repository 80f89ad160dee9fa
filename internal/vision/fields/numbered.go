package fields

import (
	"regexp"
	"strings"
)

// numberMark is the number of a field on a driving licence, as the European model and
// the American standard share them; 4d is America's licence number, and 5 its
// discriminator where 4d is there.
var numberMark = regexp.MustCompile(`^(1|2|3|4a|4b|4c|4d|5|8|9)[.,:]?(?:\s+|(?:[A-Z#]))|^(1|2|3|4a|4b|4c|4d|5|8|9)[.,]`)

// gluedAddress is an American address whose 8 the reader glued to the house number.
var gluedAddress = regexp.MustCompile(`^8\d+ [A-Z]`)

// otherNumber starts a numbered field of any kind, such as 18 EYES.
var otherNumber = regexp.MustCompile(`^\d{1,2}[a-d]?[.,]? ?[A-Z]`)

// innerMark starts another field in the middle of a line.
var innerMark = regexp.MustCompile(`\s(?:4[abcd][.,]?\s?(?:[A-Z]|\d)|9\.\s?[A-Z]|9\s?CLASS)`)

// captions are what American licences print between number and value.
var captions = regexp.MustCompile(`^(?:LIC|DL|DLN|ID|ISS|EXP|DOB|CLASS|DD|LN|FN|NO)[#.: ]*`)

// titles precede given names on British licences.
var titles = regexp.MustCompile(`^(?:MR|MRS|MISS|MS|DR|MX|SIR|LADY|REV)\.? `)

var byMark = map[string]string{"1": Surname, "2": Given, "3": Birth, "4a": Issue, "4b": Expiry, "4c": Issuer, "4d": Number, "5": Number, "8": Address, "9": Categories}

// numbered reads the numbered fields of a driving licence.
func (p *page) numbered() {
	american := p.calendar.Order == MonthFirst
	for i, l := range p.Lines {
		for _, seg := range segments(l.Text) {
			mark, from := markOf(l.Text, seg)
			if mark == "" || american && mark == "5" {
				continue
			}
			p.number(byMark[mark], i, from, seg.to)
		}
	}
	p.secondLine()
}

// segments cuts a line where another numbered field starts in it.
func segments(text string) []runes {
	low := lowerMarks(text)
	cuts := []int{0}
	for _, m := range innerMark.FindAllStringIndex(low, -1) {
		cuts = append(cuts, len([]rune(text[:m[0]+1])))
	}
	cuts = append(cuts, len([]rune(text)))
	var out []runes
	for i := 1; i < len(cuts); i++ {
		out = append(out, runes{cuts[i-1], cuts[i]})
	}
	return out
}

// lowerMarks writes the letters of marks small where readers take them for capitals.
func lowerMarks(s string) string {
	b := []byte(s)
	for i := 1; i < len(b); i++ {
		if b[i-1] == '4' && b[i] >= 'A' && b[i] <= 'D' && (i == 1 || b[i-2] == ' ') {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// markOf returns the mark at the start of a segment, and the rune where its value
// starts.
func markOf(text string, seg runes) (string, int) {
	all := []rune(text)
	s := string(all[seg.from:seg.to])
	m := numberMark.FindStringSubmatch(lowerMarks(s))
	if m == nil && gluedAddress.MatchString(s) {
		return "8", seg.from + 1
	}
	if m == nil {
		return "", 0
	}
	mark := m[1] + m[2]
	rest := strings.TrimLeft(s[len(mark):], " .,:")
	upper := strings.ToUpper(rest)
	rest = rest[len(captions.FindString(upper)):]
	rest = rest[len(titles.FindString(strings.ToUpper(rest))):]
	return mark, seg.to - len([]rune(rest))
}

// number keeps a numbered value that can be what its number says.
func (p *page) number(name string, i, from, to int) {
	f := p.Lines[i].part(name, i, from, to)
	if name == Number {
		f = p.licenceNumber(i, f)
	}
	if f, ok := p.accept(name, f); ok && f.Text != "" && p.put(name, f) {
		p.used[i] = true
	}
}

// licenceNumber drops the issue number behind a British driver number, and captions of
// the next field behind an American one.
func (p *page) licenceNumber(i int, f Field) Field {
	for _, r := range p.runs(Number, i) {
		if UKWellFormed(strings.ReplaceAll(r.Text, " ", "")) {
			return r
		}
	}
	first, _, more := strings.Cut(f.Text, " ")
	if more && isNumber(first) && len(first) >= 6 {
		f.Text = first
		f.Conf = f.Conf[:min(len(f.Conf), len([]rune(first)))]
	}
	return f
}

// secondLine adds the line below an address that has no number of its own.
func (p *page) secondLine() {
	a, ok := p.found[Address]
	if !ok {
		return
	}
	_, high := a.Quad.Size()
	for j, l := range p.Lines {
		dy, dx := l.Quad.Centre().Y-a.Quad.Centre().Y, l.Quad[0].X-a.Quad[0].X
		if mark, _ := markOf(l.Text, runes{0, len([]rune(l.Text))}); mark != "" || p.used[j] || len(p.hits[j]) > 0 {
			continue
		}
		if dy > 0.5*high && dy < 1.6*high && dx > -2*high && dx < 2*high && len(Tight(l.Text)) > 3 {
			a.Text += ", " + l.Text
			a.Conf = append(append(a.Conf[:len(a.Conf):len(a.Conf)], 1, 1), l.Conf...)
			p.found[Address] = a
			return
		}
	}
}
