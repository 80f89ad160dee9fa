package mrz

import "strings"

// split cuts the fields out by position; the name field becomes two.
func (d *Document) split(lay Layout) {
	for _, f := range lay.Fields {
		switch f.Name {
		case fieldName:
			d.splitName(f)
		case FieldNumber:
			d.add(f, d.number(lay, f))
		case FieldGiven, FieldSurname:
			d.add(f, spaces(d.raw(f.Span)))
		default:
			d.add(f, inner(d.raw(f.Span)))
		}
	}
}

func (d *Document) add(f FieldSpec, value string) {
	d.Fields = append(d.Fields, Field{Name: f.Name, Value: value, Raw: d.raw(f.Span), Spans: []Span{f.Span}, Conf: d.conf(f.Span)})
}

// splitName cuts at the first double filler; what follows a second one stays in the
// given names and is reported by [Document.Faults].
func (d *Document) splitName(f FieldSpec) {
	raw := d.raw(f.Span)
	surname, given, cutAt := raw, "", len(raw)
	if i := strings.Index(raw, "<<"); i >= 0 {
		surname, given, cutAt = raw[:i], raw[i+2:], i
	}
	s, g := f.Span, f.Span
	s.To, g.From = f.From+cutAt, min(f.To, f.From+cutAt+2)
	d.Fields = append(d.Fields,
		Field{Name: FieldSurname, Value: spaces(surname), Raw: surname, Spans: []Span{s}, Conf: d.conf(s)},
		Field{Name: FieldGiven, Value: spaces(given), Raw: given, Spans: []Span{g}, Conf: d.conf(g)})
}

// spaces makes single spaces of fillers.
func spaces(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '<' }), " ")
}

// inner drops the fillers at the end; fillers before and between stay, because they
// belong to some states' optional data.
func inner(s string) string { return strings.TrimRight(s, "<") }

// number returns the document number, with its continuation in the optional field
// where the number is too long for its own (Doc 9303 part 5, note j).
func (d *Document) number(lay Layout, f FieldSpec) string {
	head := inner(d.raw(f.Span))
	if ext, ok := d.extension(lay); ok {
		return head + ext[:len(ext)-1]
	}
	return head
}

// extension returns the continuation of a long document number with its check digit
// last: a filler where the check digit belongs, and the rest at the start of the
// optional field.
func (d *Document) extension(lay Layout) (string, bool) {
	if lay.Format != TD1 && lay.Format != TD2 {
		return "", false
	}
	digit, optional := Span{0, 14, 15}, Span{0, 15, 30}
	if lay.Format == TD2 {
		digit, optional = Span{1, 9, 10}, Span{1, 28, 35}
	}
	rest := d.raw(optional)
	if i := strings.IndexByte(rest, '<'); i >= 0 {
		rest = rest[:i]
	}
	return rest, d.raw(digit) == "<" && rest != "" && digitAt(rest, len(rest)-1)
}

func digitAt(s string, i int) bool { return s[i] >= '0' && s[i] <= '9' }

// longNumberCheck compares the check digit of a long number. Issuers differ on
// whether the filler in the digit's place counts; both are accepted.
func (d *Document) longNumberCheck(lay Layout) (CheckResult, bool) {
	ext, ok := d.extension(lay)
	if !ok {
		return CheckResult{}, false
	}
	spans := []Span{{0, 5, 14}, {0, 15, 15 + len(ext)}}
	if lay.Format == TD2 {
		spans = []Span{{1, 0, 9}, {1, 28, 28 + len(ext)}}
	}
	head, body := d.raw(spans[0]), ext[:len(ext)-1]
	r := d.result(CheckNumber, ext[len(ext)-1], head+"<"+body, spans)
	if other := d.result(CheckNumber, ext[len(ext)-1], head+body, spans); !r.OK && other.OK {
		r = other
	}
	return r, true
}

// KeyInformation returns the string from which a chip's access keys derive: document
// number, birth date and expiry date, each with its check digit (Doc 9303 part 11,
// section 4.3); false where the format lacks one of them. A long number is taken
// whole, with its own digit.
func (d *Document) KeyInformation() (string, bool) {
	lay, _ := LayoutOf(d.Format)
	number, okN := d.CheckOf(CheckNumber)
	birth, okB := d.CheckOf(CheckBirth)
	expiry, okE := d.CheckOf(CheckExpiry)
	if !okN || !okB || !okE {
		return "", false
	}
	var s strings.Builder
	if ext, long := d.extension(lay); long {
		s.WriteString(d.raw(number.Spans[0]) + ext)
	} else {
		s.WriteString(d.raw(number.Spans[0]) + string(number.Printed))
	}
	for _, c := range []CheckResult{birth, expiry} {
		s.WriteString(d.raw(c.Spans[0]) + string(c.Printed))
	}
	return s.String(), true
}
