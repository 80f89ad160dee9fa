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
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/service/tamper"
	"github.com/bonafide-id/bonafide/internal/specimen"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	visionpage "github.com/bonafide-id/bonafide/internal/vision/page"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// blobs holds one page, whatever it is asked for.
type blobs struct{ data []byte }

func (b blobs) Picture(context.Context, *envelopev1.Envelope, string) (*pix.RGB, error) {
	p, err := picture.Decode(b.data, picture.Options{})
	if err != nil {
		return nil, stream.Poison("picture_unreadable", err)
	}
	return p.RGB, nil
}

func handle(t *testing.T, data []byte, medium envelopev1.Medium, d *derivedv1.Derived) map[string]stream.Output {
	t.Helper()
	s, err := tamper.New(tamper.Config{Pictures: blobs{data}, Now: time.Now})
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
	p := &derivedv1.Page{SourceSha256: "source", Located: true, Blob: &derivedv1.Blob{Sha256: "page"}, ToSource: []float64{2, 0, 0, 0, 2, 0, 0, 0, 1}}
	if portrait != nil {
		p.Portrait = &derivedv1.Quad{}
		for _, c := range portrait {
			p.Portrait.Points = append(p.Portrait.Points, &derivedv1.Point{X: float32(c.X), Y: float32(c.Y)})
		}
	}
	return &derivedv1.Derived{What: &derivedv1.Derived_Page{Page: p}}
}

// pages makes pages as the document service does.
type pages struct {
	corners *visionpage.Corners
	faces   *face.Detector
}

func newPages(t *testing.T) pages {
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	net, err := set.Get("corners")
	if err != nil {
		t.Fatal(err)
	}
	faces, err := face.NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	return pages{visionpage.NewCorners(net), faces}
}

func (p pages) of(t *testing.T, m *pix.RGB) ([]byte, pix.Quad) {
	l, err := p.corners.Locate(m)
	if err != nil {
		t.Fatal(err)
	}
	if x0, y0, x1, y1 := l.Quad.Bounds(); (x1-x0)*(y1-y0) < 0.3*float64(m.W*m.H) {
		l.Quad = pix.Full(m.W, m.H) // the portrait itself has an outline too; the document service asks for text in it
	}
	flat := visionpage.Rectify(m, l.Quad, 1400)
	data, err := picture.EncodeJPEG(flat.RGB, 95)
	if err != nil {
		t.Fatal(err)
	}
	found, err := p.faces.Find(flat.RGB)
	if err != nil || len(found) == 0 {
		t.Fatalf("%d faces, %v", len(found), err)
	}
	return data, found[0].Box.Quad()
}

// TestSpecimens holds that no untouched specimen is suspected, scanned or photographed, and that most with another
// portrait are; the rest are the price of suspecting no genuine one.
func TestSpecimens(t *testing.T) {
	material, err := specimen.LoadMaterial(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	p := newPages(t)
	suspected, forged := 0, 0
	for _, kind := range []specimen.Kind{specimen.Passport, specimen.UKCard} {
		for _, scene := range []*specimen.Scene{nil, {W: 2600, H: 1950, Turn: 4, Tilt: 0.1}} {
			for seed := range uint64(2) {
				for _, tampered := range []specimen.Tamper{specimen.Untouched, specimen.Portrait} {
					s, err := specimen.Draw(specimen.Options{Kind: kind, Tamper: tampered, Seed: seed, Material: material, Scene: scene,
						Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
					if err != nil {
						t.Fatal(err)
					}
					data, box := p.of(t, s.Image)
					o := handle(t, data, check.Document, page(&box))["doc.tamper.portrait_replaced"]
					f := o.Payload.(*factv1.Fact).GetFinding()
					if xy := f.GetEvidence().GetPolygon().GetXy(); len(xy) != 8 || xy[0] != 2*float32(box[0].X) {
						t.Errorf("%s: evidence at %v, want twice %v", kind, xy, box)
					}
					if tampered == specimen.Untouched && o.Outcome != stream.Pass {
						t.Errorf("untouched %s, scene %v, seed %d: %v %s", kind, scene != nil, seed, o.Outcome, o.Reason)
					}
					if tampered == specimen.Portrait {
						forged++
						if o.Outcome == stream.Fail {
							suspected++
						} else {
							t.Logf("forged %s, scene %v, seed %d: %v %s %v", kind, scene != nil, seed, o.Outcome, o.Reason, f.GetScore())
						}
					}
				}
			}
		}
	}
	if t.Logf("%d of %d forged portraits suspected", suspected, forged); suspected < forged*6/8 {
		t.Error("a figure sank")
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

// A face on a wall is no portrait on a document, whatever surrounds it.
func TestFaceWithoutDocument(t *testing.T) {
	box := pix.Rect(20, 50, 60, 100)
	d := page(&box)
	d.GetPage().Located = false
	if o := handle(t, nil, check.Document, d)["doc.tamper.portrait_replaced"]; o.Outcome != stream.Inconclusive || o.Reason != "no_outline" {
		t.Errorf("%v %s", o.Outcome, o.Reason)
	}
}

func TestUnreadablePagesArePoison(t *testing.T) {
	s, err := tamper.New(tamper.Config{Pictures: blobs{[]byte("no picture")}, Now: time.Now})
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
	s, err := tamper.New(tamper.Config{Pictures: blobs{}, Now: time.Now})
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
