package mrz

import (
	"fmt"
	"strings"
)

// Faults lists what Doc 9303 does not allow in the lines, check digits included: nil
// for a zone that may be accepted.
func (d *Document) Faults() []string {
	var out []string
	for _, c := range d.Checks {
		if !c.OK {
			out = append(out, fmt.Sprintf("check digit %s is %c, not %c", c.Name, c.Printed, c.Want))
		}
	}
	for _, n := range []string{FieldBirth, FieldExpiry} {
		if f, ok := d.Field(n); ok && !Plausible(f.Raw) {
			out = append(out, fmt.Sprintf("%s %s is no date", n, f.Raw))
		}
	}
	lay, _ := LayoutOf(d.Format)
	for _, f := range lay.Fields {
		if f.Class.alphabetic() && !letters(d.raw(f.Span)) {
			out = append(out, "a digit in "+f.Name)
		}
		if f.Name == fieldName && strings.Contains(strings.TrimRight(afterFirst(d.raw(f.Span)), "<"), "<<") {
			out = append(out, "more than two parts in the name")
		}
	}
	return out
}

func afterFirst(name string) string {
	_, given, _ := strings.Cut(name, "<<")
	return strings.TrimLeft(given, "<")
}
