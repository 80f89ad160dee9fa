package check

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.ID] {
			t.Errorf("%s stands twice in the catalogue", c.ID)
		}
		seen[c.ID] = true
		if !strings.HasPrefix(c.ID, c.Group+".") {
			t.Errorf("%s is not named after its group %s", c.ID, c.Group)
		}
		if (c.Service == "") != (c.Scope == Elsewhere) {
			t.Errorf("%s: a check that can be asked for needs a service, and only such a one", c.ID)
		}
		if got, ok := ByID(c.ID); !ok || got != c {
			t.Errorf("ByID(%s) = %v, %v", c.ID, got, ok)
		}
	}
}

var update = flag.Bool("update", false, "write the golden file anew")

// The catalogue is a promise to clients: what is in it, who answers, and what a failure means change only on purpose, with Version.
func TestCatalogueIsThePromisedOne(t *testing.T) {
	const golden = "testdata/catalogue.txt"
	var b strings.Builder
	fmt.Fprintf(&b, "version %d\n", Version)
	for _, c := range All() {
		built := map[bool]string{true: "built", false: "not built"}[c.Built]
		fmt.Fprintf(&b, "%s: %s, %s, a failure means %s, %s\n", c.ID, cmp.Or(c.Service, "nobody"), c.Scope, c.Kind.Status(), built)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("if this is meant, run this test with -update, and count Version up unless only what is built has changed (-was +is):\n%s", d)
	}
}

func TestUnknownCheck(t *testing.T) {
	if c, ok := ByID("doc.unheard_of"); ok || c != (Check{}) {
		t.Errorf("%+v, %v", c, ok)
	}
}

// A service owes for one medium what it owes of that alone; what needs two media comes with the second.
func TestOwedFor(t *testing.T) {
	for _, m := range []Medium{Document, Back, Selfie} {
		for _, service := range []string{"document", "text", "face", "consistency"} {
			for _, k := range OwedFor(service, m) {
				if c, ok := ByID(k.Check); !ok || k.Medium != m || c.Service != service || c.Scope == Sides || c.Scope == Faces {
					t.Errorf("%s owes %s for %s", service, k, Name(m))
				}
			}
			if d := gocmp.Diff(Owed(service, []Medium{m}), OwedFor(service, m)); d != "" {
				t.Errorf("%s for %s: %s", service, Name(m), d)
			}
		}
	}
}

func TestExpectedIsWhatTheServicesOwe(t *testing.T) {
	all := []Medium{Document, Back, Selfie}
	for _, wants := range [][]Medium{{Document}, {Selfie}, {Document, Back}, {Document, Selfie}, all} {
		want, seen := Expected(wants), map[Key]bool{}
		var owed []Key
		for _, s := range []string{"document", "text", "tamper", "face", "liveness", "consistency"} {
			owed = append(owed, Owed(s, wants)...)
		}
		for _, k := range owed {
			if seen[k] {
				t.Errorf("%v: two services owe %s", wants, k)
			}
			seen[k] = true
		}
		if len(owed) != len(want) {
			t.Errorf("%v: %d answers are expected and %d owed", wants, len(want), len(owed))
		}
	}
}

func TestScopes(t *testing.T) {
	has := func(wants []Medium, check string) []Medium {
		var out []Medium
		for _, k := range Expected(wants) {
			if k.Check == check {
				out = append(out, k.Medium)
			}
		}
		return out
	}
	for _, c := range []struct {
		check string
		wants []Medium
		want  []Medium
	}{
		{"doc.image.focus", []Medium{Document, Back}, []Medium{Document, Back}},
		{"doc.image.focus", []Medium{Selfie}, nil},
		{"doc.validity.expired", []Medium{Document, Back}, []Medium{Document}},
		{"doc.consistency.front_vs_back.surname", []Medium{Document}, nil},
		{"doc.consistency.front_vs_back.surname", []Medium{Document, Back}, []Medium{Back}},
		{"face.match.doc_vs_selfie", []Medium{Selfie}, nil},
		{"face.match.doc_vs_selfie", []Medium{Document, Selfie}, []Medium{Selfie}},
		{"chip.data_groups", []Medium{Document, Back, Selfie}, nil},
	} {
		if d := gocmp.Diff(c.want, has(c.wants, c.check)); d != "" {
			t.Errorf("%s with %v: %s", c.check, c.wants, d)
		}
	}
}

func TestNames(t *testing.T) {
	for m, name := range map[Medium]string{Document: "document", Back: "document_back", Selfie: "selfie"} {
		if Name(m) != name || Parse(name) != m {
			t.Errorf("%v: %q, %v", m, Name(m), Parse(name))
		}
	}
	if Parse("passport") != 0 {
		t.Error("an unknown name names a medium")
	}
	if !slices.Equal(Groups([]Medium{Selfie}), []string{"face.image", "face.match", "face.pad", "face.challenge"}) {
		t.Errorf("groups of a selfie: %v", Groups([]Medium{Selfie}))
	}
}
