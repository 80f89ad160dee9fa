package text_test

import (
	"testing"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/service/text"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

func TestUnusablePageClosesEverything(t *testing.T) {
	b := newBench(t)
	s := b.handle(t, check.Back, &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: &derivedv1.Unusable{Reason: "damaged_media"}}})
	for _, o := range s.outs {
		if o.Outcome != stream.NotPerformed || o.Reason != "damaged_media" || o.Medium != check.Back {
			t.Errorf("%s: %v %s", o.Check, o.Outcome, o.Reason)
		}
	}
}

func TestPortraitAsksForNothing(t *testing.T) {
	b := newBench(t)
	if s := b.handle(t, check.Document, &derivedv1.Derived{What: &derivedv1.Derived_Portrait{Portrait: &derivedv1.Portrait{}}}); len(s.outs) != 0 {
		t.Errorf("said %d things about a portrait", len(s.outs))
	}
}

// An empty sheet: a front is an unsupported document, a back is simply the other side.
func TestEmptyPage(t *testing.T) {
	b := newBench(t)
	m := pix.NewRGB(600, 400)
	for i := range m.Pix {
		m.Pix[i] = 240
	}
	for medium, want := range map[envelopev1.Medium]envelopev1.Outcome{check.Document: stream.Fail, check.Back: stream.NotApplicable} {
		s := b.run(t, m, medium, false)
		if o, _ := s.find("doc.class.supported"); o.Outcome != want {
			t.Errorf("%v: supported %v", medium, o.Outcome)
		}
		if o, _ := s.find("doc.mrz.detected"); o.Outcome != stream.NotApplicable || o.Reason != "no_mrz" {
			t.Errorf("%v: zone %v %s", medium, o.Outcome, o.Reason)
		}
	}
}

func TestAcceptsDocumentsOnly(t *testing.T) {
	accepts := newBench(t).service.Worker().Accepts
	for medium, want := range map[envelopev1.Medium]bool{check.Document: true, check.Back: true, check.Selfie: false} {
		if got := accepts(&envelopev1.Envelope{Medium: medium, Kind: envelopev1.Kind_KIND_DERIVED}); got != want {
			t.Errorf("%v: %v", medium, got)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := text.New(text.Config{}); err == nil {
		t.Error("made a service of nothing")
	}
}
