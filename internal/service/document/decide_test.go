package document

import (
	"testing"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/quality"
)

// Nothing passes without what it was measured on.
func TestPassesRestOnSomething(t *testing.T) {
	good := quality.Measure{Raw: 1, Threshold: 1, OK: true}
	all := measured{focus: good, glare: good, dark: good, bright: good, sharpness: good, askew: good, cut: good}
	with := func(change func(*measured)) measured {
		m := all
		change(&m)
		return m
	}
	located := with(func(m *measured) { m.located, m.lines, m.faces = true, 20, []float64{1} })
	scan := with(func(m *measured) { m.lines, m.faces = 20, []float64{1} }) // nothing but the document
	face := with(func(m *measured) { m.faces = []float64{1} })
	two := with(func(m *measured) { m.several, m.lines, m.faces = 2, 40, []float64{1, 1} })
	blank := with(func(m *measured) { m.located = true })
	code := with(func(m *measured) { m.bare = true })
	for _, c := range []struct {
		name, check, reason string
		m                   measured
	}{
		{"located", "doc.image.perspective", "", located}, {"located", "doc.image.resolution", "", located}, {"located", "doc.image.cut_off", "", located},
		{"located", "doc.image.no_document", "", located}, {"located", "doc.image.several_documents", "", located},
		{"scan", "doc.class.located", "", scan}, {"scan", "doc.image.resolution", "", scan}, {"scan", "doc.image.cut_off", "", scan},
		{"scan", "doc.image.perspective", "no_outline", scan}, {"scan", "doc.image.no_document", "", scan},
		{"face", "doc.class.located", "no_outline", face}, {"face", "doc.image.resolution", "no_outline", face}, {"face", "doc.image.cut_off", "no_text", face},
		{"face", "doc.image.no_document", "no_outline", face}, {"face", "doc.image.several_documents", "no_outline", face}, {"face", "doc.portrait.detected", "", face},
		{"two", "doc.image.resolution", "several_documents", two}, {"two", "doc.image.perspective", "several_documents", two}, {"two", "doc.image.no_document", "", two},
		{"two", "doc.class.located", "several_documents", two},
		{"blank", "doc.image.perspective", "", blank}, {"blank", "doc.image.cut_off", "no_text", blank}, {"blank", "doc.class.orientation", "no_text", blank},
		{"code", "doc.image.no_document", "only_a_barcode", code}, {"code", "doc.image.several_documents", "no_outline", code},
	} {
		found := false
		for _, a := range decide(c.m, check.Document) {
			if a.check != c.check {
				continue
			}
			found = true
			want := stream.Pass
			if c.reason != "" {
				want = stream.Inconclusive
			}
			if a.outcome != want || a.reason != c.reason {
				t.Errorf("%s: %s %v %q, want %q", c.name, c.check, a.outcome, a.reason, c.reason)
			}
		}
		if !found {
			t.Errorf("%s: no %s", c.name, c.check)
		}
	}
}

// What is too small in any case fails, outline or not.
func TestFaultsNeedNoOutline(t *testing.T) {
	for _, a := range decide(measured{sharpness: quality.Measure{Raw: 200, Threshold: 400}}, check.Back) {
		if a.check == "doc.image.resolution" && (a.outcome != stream.Fail || a.reason != "too_small") {
			t.Errorf("%v %s", a.outcome, a.reason)
		}
	}
}
