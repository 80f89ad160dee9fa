package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
)

// labelled is one line of a manifest of the test material.
type labelled struct {
	ID, File, Set string
	Label         struct {
		Type         string `json:"document_type"`
		Country      string `json:"issuing_country"`
		MRZ          []string
		Fields       map[string]string `json:"mrz_fields"`
		Visual       map[string]string `json:"visual_fields"`
		Text         string
		Bytes        string `json:"bytes_base64"`
		Role         string
		Presentation string
		Media        string
		Tamper       string
	}
}

// evaluate runs `bonafide eval` and gives what it wrote, by id.
func evaluate(t *testing.T, items []item) map[string]evaluated {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "items.jsonl"), filepath.Join(dir, "findings.jsonl")
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		for _, p := range []*string{&it.Document, &it.DocumentBack, &it.Selfie, &it.FaceA, &it.FaceB, &it.MRZLine} {
			if *p != "" {
				*p = material.Path(t, *p)
			}
		}
		if err := json.NewEncoder(f).Encode(it); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	logs, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	if code := execute(context.Background(), []string{"eval", "--items", in, "--out", out}, streams{logs, logs}); code != done {
		said, _ := os.ReadFile(logs.Name())
		t.Fatalf("exit %d\n%s", code, tail(string(said), 2000))
	}
	results := map[string]evaluated{}
	for i, r := range readResults(t, out) {
		if r.ID != items[i].ID {
			t.Fatalf("line %d is %s, not %s", i, r.ID, items[i].ID)
		}
		if r.Error != "" {
			t.Logf("%s: %s", r.ID, r.Error)
		}
		results[r.ID] = r
	}
	if len(results) != len(items) {
		t.Fatalf("%d results of %d items", len(results), len(items))
	}
	return results
}

func readResults(t *testing.T, path string) (out []evaluated) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := json.NewDecoder(f); s.More(); {
		var r evaluated
		if err := s.Decode(&r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// of gives the outcome of a check, as "fail(reason)", and its value as text.
func (r evaluated) of(check string) (outcome, value string) {
	for _, f := range r.Findings {
		if f.Check != check {
			continue
		}
		var v struct{ Text, Date, Class string }
		_ = json.Unmarshal(f.Value, &v)
		outcome = f.Outcome
		if f.Reason != "" {
			outcome += "(" + f.Reason + ")"
		}
		return outcome, v.Text + v.Date + v.Class
	}
	return "", ""
}

// read is the value of the first of the checks that passed.
func (r evaluated) read(checks ...string) string {
	for _, c := range checks {
		if outcome, v := r.of(c); outcome == "pass" && v != "" {
			return v
		}
	}
	return ""
}

// scores count what was right, by figure, in the order in which figures first came.
type scores struct {
	names []string
	right map[string]int
	n     map[string]int
}

func newScores() *scores { return &scores{right: map[string]int{}, n: map[string]int{}} }

func (s *scores) add(figure string, ok bool) {
	if s.n[figure] == 0 {
		s.names = append(s.names, figure)
	}
	s.n[figure]++
	if ok {
		s.right[figure]++
	}
}

// least demands a floor for each figure, a little under what was measured when it was set, so that accuracy cannot sink unseen.
func (s *scores) least(t *testing.T, floors map[string]int) {
	t.Helper()
	for _, name := range s.names {
		t.Logf("%-60s %d of %d", name, s.right[name], s.n[name])
		if floor, ok := floors[name]; !ok || s.right[name] < floor {
			t.Errorf("%s: %d of %d, the floor is %d", name, s.right[name], s.n[name], floor)
		}
	}
	for name := range floors {
		if s.n[name] == 0 {
			t.Errorf("%s was not measured", name)
		}
	}
}

var typeOf = map[string]string{"passport": "passport", "id_card": "identity_card", "driving_licence": "driving_licence", "resident_card": "residence_permit",
	"visa": "visa", "not_an_id": "other", "border_crossing_card": "other"}

func TestAccuracyOnDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	var items []item
	labels := map[string]labelled{}
	for _, l := range material.Lines[labelled](t, "A/manifest.jsonl") {
		if l.Set == "A1-documents" {
			items, labels[l.ID] = append(items, item{ID: l.ID, Document: "A/" + l.File}), l
		}
	}
	s := newScores()
	for id, r := range evaluate(t, items) {
		l := labels[id].Label
		s.add("type", r.read("doc.class.type") == typeOf[l.Type])
		if country, region, _ := strings.Cut(l.Country, "-"); country != "" {
			s.add("country", r.read("doc.class.country") == country && (region == "" || r.read("doc.class.region") == region))
		}
		if len(l.MRZ) > 0 {
			got := strings.Split(r.read("doc.mrz.detected"), "\n")
			s.add("every MRZ line exact", strings.Join(got, " ") == strings.Join(l.MRZ, " "))
		}
		want := l.Fields
		if want == nil {
			want = l.Visual
		}
		if want != nil {
			all := true
			for _, f := range []string{"surname", "document_number", "birth_date"} {
				ok := agrees(r.read("doc.mrz.field."+f, "doc.text.field."+f), want[f])
				s.add(f, ok)
				all = all && ok
			}
			s.add("surname, number and birth date", all)
		}
		tampered, _ := r.of("doc.tamper.portrait_replaced")
		s.add("not called tampered", !strings.HasPrefix(tampered, "fail"))
	}
	s.least(t, map[string]int{"type": 32, "country": 32, "every MRZ line exact": 30, "surname": 31, "document_number": 31, "birth_date": 32,
		"surname, number and birth date": 30, "not called tampered": 33})
}

// agrees compares what was read with a label, whose dates may be as in the zone.
func agrees(got, want string) bool {
	if len(got) == 10 && got[4] == '-' {
		want = strings.ReplaceAll(want, "-", "")
		return strings.HasSuffix(strings.ReplaceAll(got, "-", ""), want[max(0, len(want)-6):])
	}
	return got != "" && fields.Same(got, want) == 0
}

func TestAccuracyOnLinesAndBarcodes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	var items []item
	labels := map[string]labelled{}
	for _, l := range material.Lines[labelled](t, "A/manifest.jsonl") {
		labels[l.ID] = l
		switch l.Set {
		case "A2-mrz-lines":
			items = append(items, item{ID: l.ID, MRZLine: "A/" + l.File})
		case "A3-pdf417":
			items = append(items, item{ID: l.ID, DocumentBack: "A/" + l.File})
		}
	}
	s := newScores()
	for id, r := range evaluate(t, items) {
		l := labels[id]
		if l.Set == "A2-mrz-lines" {
			s.add("line of an MRZ exact", r.read("doc.mrz.line") == l.Label.Text)
			continue
		}
		got := r.read("doc.barcode.decoded")
		s.add("PDF417 decoded", got != "" && (got == l.Label.Text || got == l.Label.Bytes))
	}
	s.least(t, map[string]int{"line of an MRZ exact": 169, "PDF417 decoded": 19})
}

func TestAccuracyOnFaces(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	type pair struct {
		A, B string
		Same bool
		Near bool `json:"near_duplicate"`
	}
	var items []item
	same := map[string]bool{}
	for i, p := range material.Lines[pair](t, "B/pairs.jsonl") {
		if p.Near || i%6 != 0 {
			continue // every sixth pair; the face package measures them all
		}
		id := fmt.Sprint(i)
		items, same[id] = append(items, item{ID: id, FaceA: "B/" + p.A, FaceB: "B/" + p.B}), p.Same
	}
	s := newScores()
	for id, r := range evaluate(t, items) {
		outcome, _ := r.of("face.match.across_images")
		if same[id] {
			s.add("one person: not called two", !strings.HasPrefix(outcome, "fail"))
			s.add("one person: called one", outcome == "pass")
		} else {
			s.add("two persons: not called one", outcome != "pass")
		}
	}
	s.least(t, map[string]int{"one person: not called two": 63, "one person: called one": 63, "two persons: not called one": 195})
}

func TestAccuracyOnAttacks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	var items []item
	labels := map[string]labelled{}
	for _, l := range material.Lines[labelled](t, "C/manifest.jsonl") {
		items, labels[l.ID] = append(items, item{ID: l.ID, Selfie: "C/" + l.File}), l
	}
	for _, l := range material.Lines[labelled](t, "D/manifest.jsonl") {
		items, labels[l.ID] = append(items, item{ID: l.ID, Document: "D/" + l.File}), l
	}
	s := newScores()
	for id, r := range evaluate(t, items) {
		l := labels[id]
		alive, _ := r.of("face.pad.passive")
		tampered, _ := r.of("doc.tamper.portrait_replaced")
		t.Logf("%s %s %s %s: alive %s, replaced %s", id, l.Label.Presentation, l.Label.Role, l.Label.Tamper, alive, tampered)
		switch {
		case l.Label.Presentation != "":
			s.add("nothing passes as alive", alive != "pass")
			if l.Label.Media == "video" {
				s.add("a live video is not failed", !strings.HasPrefix(alive, "fail"))
			}
		case l.Label.Role == "genuine":
			s.add("genuine not called tampered", !strings.HasPrefix(tampered, "fail"))
		case strings.Contains(l.Label.Tamper, "portrait"):
			s.add("replaced portrait found", strings.HasPrefix(tampered, "fail"))
		}
	}
	s.least(t, map[string]int{"nothing passes as alive": 10, "a live video is not failed": 2, "genuine not called tampered": 7, "replaced portrait found": 1})
}
