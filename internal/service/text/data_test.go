package text_test

import (
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
)

// Types of the labels in our words.
var labelTypes = map[string]string{"passport": class.Passport, "id_card": class.Identity, "driving_licence": class.Licence, "resident_card": class.Residence,
	"visa": class.Visa, "not_an_id": class.Other, "border_crossing_card": class.Other}

// Floors are a little under what was measured on the day they were set: type 33 of 34,
// country 33 of 33; surname, number and birth date from any source 32, 32 and 33 of 33,
// all three 31; from print alone 26, 23 and 24 of 29 fronts.
func TestDocuments(t *testing.T) {
	its := documents(t)
	b := newBench(t)
	if testing.Short() {
		t.Skip("reads 34 documents")
	}
	var typ, country, all tally
	found := map[string]*tally{}
	print := map[string]*tally{}
	for _, n := range []string{fields.Surname, fields.Number, fields.Birth} {
		found[n], print[n] = &tally{}, &tally{}
	}
	for _, it := range its {
		s := b.run(t, material.Picture(t, "A/"+it.File), check.Document, it.Label.Side != "back")
		c, region, _ := strings.Cut(it.Label.Country, "-")
		if !typ.add(s.value("doc.class.type") == labelTypes[it.Label.Type]) {
			t.Logf("%s: type %q, want %q", it.ID, s.value("doc.class.type"), labelTypes[it.Label.Type])
		}
		if c != "" && !country.add(s.value("doc.class.country") == c && (region == "" || s.value("doc.class.region") == region)) {
			t.Logf("%s: country %q, want %q", it.ID, s.value("doc.class.country"), c)
		}
		want := it.Label.Fields
		if want == nil {
			want = it.Label.Visual
		}
		if want == nil {
			continue
		}
		three := true
		for n, tal := range found {
			ok := false
			for _, from := range []string{"doc.mrz.field.", "doc.text.field.", "doc.barcode.field."} {
				ok = ok || agrees(s.value(from+n), want[n])
			}
			three = tal.add(ok) && three
			if v := s.value("doc.text.field." + n); it.Label.Side != "back" && !print[n].add(agrees(v, want[n])) {
				t.Logf("%s: printed %s %q, want %q", it.ID, n, v, want[n])
			}
		}
		all.add(three)
		t.Logf("%s took %v, type at %v", it.ID, s.took, s.times[0])
	}
	for name, c := range map[string]struct {
		got   tally
		floor int
	}{"type": {typ, 31}, "country": {country, 31}, "all three": {all, 29}, "surname": {*found[fields.Surname], 30}, "number": {*found[fields.Number], 30}, "birth": {*found[fields.Birth], 31},
		"printed surname": {*print[fields.Surname], 24}, "printed number": {*print[fields.Number], 21}, "printed birth": {*print[fields.Birth], 22}} {
		if c.got.right < c.floor {
			t.Errorf("%s right on %d of %d documents, floor %d", name, c.got.right, c.got.n, c.floor)
		}
	}
	t.Logf("type %v country %v all three %v", typ, country, all)
	for n := range found {
		t.Logf("%s: found %v, printed %v", n, *found[n], *print[n])
	}
}

// tally counts what was right.
type tally struct{ right, n int }

func (t *tally) add(ok bool) bool {
	t.n++
	if ok {
		t.right++
	}
	return ok
}

// agrees compares what was read with the label, whose dates are as in the zone.
func agrees(got, want string) bool {
	if len(got) == 10 && got[4] == '-' {
		want = strings.ReplaceAll(want, "-", "")
		return strings.HasSuffix(strings.ReplaceAll(got, "-", ""), want[max(0, len(want)-6):])
	}
	return got != "" && fields.Same(got, want) == 0
}
