package tamper_test

import (
	"context"
	"errors"
	"testing"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/service/tamper"
	"github.com/bonafide-id/bonafide/internal/specimen"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// blobs holds one page, whatever it is asked for.
type blobs struct{ data []byte }

func (b blobs) Get(context.Context, *envelopev1.Envelope, string) ([]byte, error) {
	if b.data == nil {
		return nil, stream.Poison("blob_gone", errors.New("no such blob"))
	}
	return b.data, nil
}

func handle(t *testing.T, data []byte, medium envelopev1.Medium, d *derivedv1.Derived) map[string]stream.Output {
	t.Helper()
	s, err := tamper.New(tamper.Config{Blobs: blobs{data}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	in := stream.Input{Message: &stream.Message{Envelope: &envelopev1.Envelope{Kind: envelopev1.Kind_KIND_DERIVED, Medium: medium}, Payload: d}}
	out := map[string]stream.Output{}
	err = s.Worker().Handle(t.Context(), in, func(_ context.Context, o stream.Output) error {
		if _, twice := out[o.Check]; twice {
			t.Errorf("%s was answered twice", o.Check)
		}
		out[o.Check] = o
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	owed := s.Worker().Owes(in)
	for _, k := range owed {
		if o, ok := out[k.Check]; !ok || o.Medium != medium || o.Outcome != stream.Pass && o.Reason == "" {
			t.Errorf("%s: %+v", k, o)
		}
	}
	if len(out) != len(owed) {
		t.Errorf("%d answers, %d owed", len(out), len(owed))
	}
	return out
}

func page(portrait *pix.Quad) *derivedv1.Derived {
	p := &derivedv1.Page{SourceSha256: "source", Blob: &derivedv1.Blob{Sha256: "page"}, ToSource: []float64{2, 0, 0, 0, 2, 0, 0, 0, 1}}
	if portrait != nil {
		p.Portrait = &derivedv1.Quad{}
		for _, c := range portrait {
			p.Portrait.Points = append(p.Portrait.Points, &derivedv1.Point{X: float32(c.X), Y: float32(c.Y)})
		}
	}
	return &derivedv1.Derived{What: &derivedv1.Derived_Page{Page: p}}
}

func TestSpecimens(t *testing.T) {
	material, err := specimen.LoadMaterial(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	set, err := models.Open(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	faces, err := face.NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []specimen.Kind{specimen.Passport, specimen.UKCard} {
		for tampered, want := range map[specimen.Tamper]envelopev1.Outcome{specimen.Untouched: stream.Pass, specimen.Portrait: stream.Fail} {
			s, err := specimen.Draw(specimen.Options{Kind: kind, Tamper: tampered, Seed: 11, Material: material, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			w, h := pix.Fit(s.Image.W, s.Image.H, 1400)
			m := pix.Resize(s.Image, w, h)
			data, err := picture.EncodeJPEG(m, 95)
			if err != nil {
				t.Fatal(err)
			}
			found, err := faces.Find(m)
			if err != nil || len(found) == 0 {
				t.Fatalf("%d faces, %v", len(found), err)
			}
			box := found[0].Box.Quad()
			o := handle(t, data, check.Document, page(&box))["doc.tamper.portrait_replaced"]
			f := o.Payload.(*factv1.Fact).GetFinding()
			if o.Outcome != want {
				t.Errorf("%s %q: %v %s, score %v", kind, tampered, o.Outcome, o.Reason, f.GetScore())
			}
			if xy := f.GetEvidence().GetPolygon().GetXy(); len(xy) != 8 || xy[0] != 2*float32(box[0].X) {
				t.Errorf("%s: evidence at %v, want twice %v", kind, xy, box)
			}
		}
	}
}

func TestWithoutPortrait(t *testing.T) {
	out := handle(t, nil, check.Back, page(nil))
	if o := out["doc.tamper.portrait_replaced"]; o.Outcome != stream.NotApplicable || o.Reason != "no_portrait" {
		t.Errorf("%v %s", o.Outcome, o.Reason)
	}
	if o := out["doc.tamper.copy_move"]; o.Outcome != stream.NotPerformed || o.Reason != "not_built" {
		t.Errorf("%v %s", o.Outcome, o.Reason)
	}
}

func TestUnusableClosesEverything(t *testing.T) {
	d := &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: &derivedv1.Unusable{Reason: "damaged_media"}}}
	for c, o := range handle(t, nil, check.Document, d) {
		if o.Outcome != stream.NotPerformed || o.Reason != "damaged_media" {
			t.Errorf("%s: %v %s", c, o.Outcome, o.Reason)
		}
	}
}

func TestPortraitAsksForNothing(t *testing.T) {
	d := &derivedv1.Derived{What: &derivedv1.Derived_Portrait{Portrait: &derivedv1.Portrait{}}}
	if out := handle(t, nil, check.Document, d); len(out) != 0 {
		t.Errorf("said %d things about a portrait", len(out))
	}
}

func TestSmallPortrait(t *testing.T) {
	data, err := picture.EncodeJPEG(pix.NewRGB(300, 200), 90)
	if err != nil {
		t.Fatal(err)
	}
	box := pix.Rect(20, 50, 60, 100)
	o := handle(t, data, check.Document, page(&box))["doc.tamper.portrait_replaced"]
	if o.Outcome != stream.Inconclusive || o.Reason != "portrait_too_small" {
		t.Errorf("%v %s", o.Outcome, o.Reason)
	}
}

func TestUnreadablePagesArePoison(t *testing.T) {
	s, err := tamper.New(tamper.Config{Blobs: blobs{[]byte("no picture")}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	box := pix.Rect(0, 0, 9, 9)
	in := stream.Input{Message: &stream.Message{Envelope: &envelopev1.Envelope{Medium: check.Document}, Payload: page(&box)}}
	var poison *stream.PoisonError
	if err := s.Worker().Handle(t.Context(), in, nil); !errors.As(err, &poison) {
		t.Errorf("%v", err)
	}
}

func TestAccepts(t *testing.T) {
	s, err := tamper.New(tamper.Config{Blobs: blobs{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for medium, want := range map[envelopev1.Medium]bool{check.Document: true, check.Back: true, check.Selfie: false} {
		if got := s.Worker().Accepts(&envelopev1.Envelope{Medium: medium, Kind: envelopev1.Kind_KIND_DERIVED}); got != want {
			t.Errorf("%v: %v", medium, got)
		}
	}
	if _, err := tamper.New(tamper.Config{}); err == nil {
		t.Error("made a service of nothing")
	}
}
