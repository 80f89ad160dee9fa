package mrz

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of Parse that callers tell apart.
var (
	ErrLength  = errors.New("the lines fit no format of machine-readable zone")
	ErrCharset = errors.New("a character outside A-Z, 0-9 and <")
)

// Line is one line as read: its characters and, if known, how sure the reader was of
// each, 0 to 1 (Conf is nil, or as long as Text).
type Line struct {
	Text string
	Conf []float32
}

// Field is one value with the characters that it was read from.
type Field struct {
	Name  string
	Value string // fillers taken out; dates stay YYMMDD
	Raw   string // as printed
	Spans []Span
	Conf  float32 // of the least sure character; 1 where no confidence is known
}

// CheckResult is one check digit compared with what it guards.
type CheckResult struct {
	Name    string
	OK      bool
	Printed byte
	Want    byte
	Spans   []Span  // what it guards, and the digit itself last
	Conf    float32 // of the least sure character among them
}

// Document is a machine-readable zone split by position.
type Document struct {
	Format Format
	Lines  []Line
	Fields []Field
	Checks []CheckResult
}

// Parse splits lines into fields and compares the check digits. One string that holds
// all lines (30, 60, 72, 88 or 90 characters) is cut. It fails with ErrLength or
// ErrCharset only: check digits that do not hold are results, not errors.
func Parse(lines ...string) (*Document, error) {
	ls := make([]Line, len(lines))
	for i, s := range lines {
		ls[i] = Line{Text: s}
	}
	return ParseLines(ls)
}

// ParseLines is Parse with the readers' confidence kept.
func ParseLines(lines []Line) (*Document, error) {
	lines = cut(lines)
	for i, l := range lines {
		for j := range len(l.Text) {
			if Value(l.Text[j]) < 0 {
				return nil, fmt.Errorf("line %d column %d: %w", i+1, j+1, ErrCharset)
			}
		}
	}
	f, err := Detect(lines)
	if err != nil {
		return nil, err
	}
	lay, _ := LayoutOf(f)
	d := &Document{Format: f, Lines: lines}
	d.split(lay)
	d.verify(lay)
	return d, nil
}

// cut makes lines of a single string that holds them all; 72 characters that begin
// with V are read as a visa of two lines of 36 like any TD2.
func cut(lines []Line) []Line {
	if len(lines) != 1 {
		return lines
	}
	n := map[int]int{90: 30, 72: 36, 88: 44}[len(lines[0].Text)]
	if n == 0 {
		return lines
	}
	var out []Line
	for i, s := 0, lines[0].Text; i < len(s); i += n {
		out = append(out, Line{Text: s[i : i+n], Conf: cutConf(lines[0].Conf, i, n)})
	}
	return out
}

func cutConf(c []float32, from, n int) []float32 {
	if c == nil {
		return nil
	}
	return c[from : from+n]
}

// Detect tells the format by the number and length of the lines and by the document
// code. It fails with ErrLength.
func Detect(lines []Line) (Format, error) {
	var n []int
	for _, l := range lines {
		n = append(n, len(l.Text))
	}
	switch fmt.Sprint(n) {
	case "[30 30 30]":
		return TD1, nil
	case "[9 30 30]":
		return CHDL, nil
	case "[30]":
		if lines[0].Text[0] == 'D' {
			return EUDL, nil
		}
	case "[36 36]":
		return format36(lines), nil
	case "[44 44]":
		if lines[0].Text[0] == 'V' {
			return MRVA, nil
		}
		return TD3, nil
	}
	return "", fmt.Errorf("lines of %v characters: %w", n, ErrLength)
}

// format36 tells apart the three formats of two lines of 36: the French card has
// given names where a TD2 has the dates.
func format36(lines []Line) Format {
	a, b := lines[0].Text, lines[1].Text
	switch {
	case a[0] == 'V':
		return MRVB
	case strings.HasPrefix(a, "IDFRA") && letters(b[13:19]):
		return FRID
	}
	return TD2
}

func letters(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ<") == "" }

func (d *Document) raw(s Span) string { return d.Lines[s.Row].Text[s.From:s.To] }

func (d *Document) conf(spans ...Span) float32 {
	least := float32(1)
	for _, s := range spans {
		c := d.Lines[s.Row].Conf
		for i := s.From; c != nil && i < s.To; i++ {
			least = min(least, c[i])
		}
	}
	return least
}

func (d *Document) verify(lay Layout) {
	for _, c := range lay.Checks {
		if c.Name == CheckNumber {
			if r, ok := d.longNumberCheck(lay); ok {
				d.Checks = append(d.Checks, r)
				continue
			}
		}
		var s strings.Builder
		for _, o := range c.Over {
			s.WriteString(d.raw(o))
		}
		d.Checks = append(d.Checks, d.result(c.Name, d.raw(c.Digit)[0], s.String(), append(c.Over[:len(c.Over):len(c.Over)], c.Digit)))
	}
}

// result compares one digit. A filler stands for 0 where all that is guarded is
// fillers: an empty optional field needs no digit.
func (d *Document) result(name string, printed byte, data string, spans []Span) CheckResult {
	want := CheckDigit(data)
	ok := printed == want || printed == '<' && strings.Trim(data, "<") == "" && name == CheckOptional
	return CheckResult{Name: name, OK: ok, Printed: printed, Want: want, Spans: spans, Conf: d.conf(spans...)}
}

// Field returns the field of that name; false where the format has none.
func (d *Document) Field(name string) (Field, bool) {
	for _, f := range d.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Value returns a field's value, or "".
func (d *Document) Value(name string) string {
	f, _ := d.Field(name)
	return f.Value
}

// CheckOf returns the check digit of that name; false where the format has none.
func (d *Document) CheckOf(name string) (CheckResult, bool) {
	for _, c := range d.Checks {
		if c.Name == name {
			return c, true
		}
	}
	return CheckResult{}, false
}

// Holds says whether every check digit of the format holds.
func (d *Document) Holds() bool {
	for _, c := range d.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

// Text returns the lines joined by line feeds.
func (d *Document) Text() string {
	var t []string
	for _, l := range d.Lines {
		t = append(t, l.Text)
	}
	return strings.Join(t, "\n")
}
