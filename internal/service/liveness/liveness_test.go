package liveness

import (
	"context"
	"testing"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/pad"
	"pgregory.net/rapid"
)

// handle gives the outputs for one derived event.
func handle(t testing.TB, d *derivedv1.Derived) map[string]stream.Output {
	t.Helper()
	s, err := New(Config{Digest: func(m string) string { return "sha256:" + m }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	in := stream.Input{Message: &stream.Message{
		Envelope: &envelopev1.Envelope{Kind: envelopev1.Kind_KIND_DERIVED, Medium: check.Selfie}, Payload: d,
	}}
	outs := map[string]stream.Output{}
	if err := s.handle(context.Background(), in, func(_ context.Context, o stream.Output) error {
		if _, twice := outs[o.Check]; twice {
			t.Errorf("%s is answered twice", o.Check)
		}
		outs[o.Check] = o
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, k := range owes(in) {
		if _, ok := outs[k.Check]; !ok {
			t.Errorf("%s is not answered", k)
		}
	}
	return outs
}

func frames(f *derivedv1.Frames) *derivedv1.Derived {
	return &derivedv1.Derived{What: &derivedv1.Derived_Frames{Frames: f}}
}

func TestUnusableClosesEverything(t *testing.T) {
	outs := handle(t, &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: &derivedv1.Unusable{Reason: "damaged_media"}}})
	for id, o := range outs {
		if o.Outcome != stream.NotPerformed || o.Reason != "damaged_media" || o.Medium != check.Selfie {
			t.Errorf("%s: %v %s", id, o.Outcome, o.Reason)
		}
	}
}

func TestStillPicture(t *testing.T) {
	outs := handle(t, frames(&derivedv1.Frames{Still: true, SourceSha256: "abc", Frames: []*derivedv1.Frame{{Width: 9, Height: 9}}}))
	if o := outs["face.pad.passive"]; o.Outcome != stream.Inconclusive || o.Reason != "still_presentation" {
		t.Errorf("passive: %v %s", o.Outcome, o.Reason)
	}
	if o := outs["face.challenge.frame_repeat"]; o.Outcome != stream.NotApplicable || o.Reason != "still_picture" {
		t.Errorf("frame_repeat: %v %s", o.Outcome, o.Reason)
	}
	if o := outs["face.pad.mask"]; o.Outcome != stream.NotPerformed || o.Reason != "not_built" {
		t.Errorf("mask: %v %s", o.Outcome, o.Reason)
	}
	f := outs["face.pad.passive"].Payload.(*factv1.Fact).GetFinding()
	if f.GetEvidence().GetSha256() != "abc" || f.GetDetector().GetModel() != "sha256:facemesh" || f.GetScore() != nil {
		t.Errorf("finding %v", f)
	}
}

// A face whose frames come again and again is a recording.
func TestFrozenFace(t *testing.T) {
	e := pad.Evidence{Frames: 12, Faces: 12, Repeats: 9}
	if a := repeat(e, false); a.outcome != stream.Fail || a.reason != "frames_repeat" {
		t.Errorf("%v %s", a.outcome, a.reason)
	}
}

func TestFrozenVideo(t *testing.T) {
	f := &derivedv1.Frames{}
	for i := range 12 {
		f.Frames = append(f.Frames, &derivedv1.Frame{Index: uint32(i), Seconds: float64(i) / 6, Digest: uint64(i / 4)})
	}
	outs := handle(t, frames(f))
	if o := outs["face.challenge.frame_repeat"]; o.Outcome != stream.Inconclusive || o.Reason != "no_face" {
		t.Errorf("a wall that stands still: %v %s", o.Outcome, o.Reason)
	}
	if o := outs["face.pad.passive"]; o.Outcome != stream.Inconclusive || o.Reason != "no_face" {
		t.Errorf("passive: %v %s", o.Outcome, o.Reason)
	}
}

// TestNeverAlive: whatever is measured, nothing passes as alive.
func TestNeverAlive(t *testing.T) {
	number := rapid.Float64Range(0, 2)
	rapid.Check(t, func(rt *rapid.T) {
		e := pad.Evidence{
			Frames: rapid.IntRange(0, 90).Draw(rt, "frames"), Faces: rapid.IntRange(0, 90).Draw(rt, "faces"), Span: 4 * time.Second,
			YawSpan: 50 * number.Draw(rt, "yaw"), MeshBend: number.Draw(rt, "mesh"), Change: number.Draw(rt, "change"), Bend: number.Draw(rt, "bend"),
			Compared: 20, Together: 20, Apart: number.Draw(rt, "apart"), Motion: number.Draw(rt, "motion"),
		}
		a := passive(e, rapid.Bool().Draw(rt, "still"))
		if a.outcome == stream.Pass || a.reason == "" {
			rt.Fatalf("%+v gives %+v", e, a)
		}
	})
}

func TestPassive(t *testing.T) {
	base := pad.Evidence{Frames: 25, Faces: 25, Span: 4 * time.Second, Compared: 60, Together: 60, Apart: 1, Motion: 0.3}
	with := func(f func(*pad.Evidence)) pad.Evidence { e := base; f(&e); return e }
	for _, c := range []struct {
		name    string
		e       pad.Evidence
		outcome envelopev1.Outcome
		reason  string
	}{
		{"tilted", with(func(e *pad.Evidence) { e.Change, e.Bend = 0.08, 0.005 }), stream.Fail, "flat_presentation"},
		{"panned", with(func(e *pad.Evidence) { e.Apart = 0.003 }), stream.Fail, "flat_presentation"},
		{"on a stand", with(func(e *pad.Evidence) { e.Motion = 0.001 }), stream.Fail, "still_presentation"},
		{"turned head", with(func(e *pad.Evidence) { e.MeshBend, e.YawSpan = 0.2, 40 }), stream.Inconclusive, "untested"},
		{"turned head before a moving wall", with(func(e *pad.Evidence) { e.MeshBend, e.YawSpan, e.Apart = 0.2, 40, 0.003 }), stream.Inconclusive, "untested"},
		{"hardly moved", base, stream.Inconclusive, "no_head_turn"},
		{"nobody", with(func(e *pad.Evidence) { e.Faces = 2 }), stream.Inconclusive, "no_face"},
	} {
		if a := passive(c.e, false); a.outcome != c.outcome || a.reason != c.reason {
			t.Errorf("%s: %v %s", c.name, a.outcome, a.reason)
		}
	}
}
