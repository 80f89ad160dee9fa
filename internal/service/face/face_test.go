package face

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// shelf is a blob store in memory.
type shelf map[string][]byte

func (s shelf) Picture(_ context.Context, _ *envelopev1.Envelope, sha string) (*pix.RGB, error) {
	b, ok := s[sha]
	if !ok {
		return nil, stream.Poison("blob_gone", os.ErrNotExist)
	}
	p, err := picture.Decode(b, picture.Options{Limits: picture.Limits{MinSide: 8}})
	if err != nil {
		return nil, stream.Poison("picture_unreadable", err)
	}
	return p.RGB, nil
}

type bench struct {
	*Service
	shelf shelf
}

func newBench(t testing.TB) bench {
	t.Helper()
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	s, err := New(Config{Models: set, Pictures: shelf{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return bench{s, s.Pictures.(shelf)}
}

func (b bench) put(t testing.TB, name string, m *pix.RGB) *derivedv1.Blob {
	t.Helper()
	data, err := picture.EncodeJPEG(m, 95)
	if err != nil {
		t.Fatal(err)
	}
	b.shelf[name] = data
	return &derivedv1.Blob{Sha256: name, Width: uint32(m.W), Height: uint32(m.H)}
}

// selfie is what the video service would derive of these frames.
func (b bench) selfie(t testing.TB, frames ...*pix.RGB) *stream.Message {
	t.Helper()
	f := &derivedv1.Frames{SourceSha256: "selfie", Still: len(frames) == 1}
	for i, m := range frames {
		x := &derivedv1.Frame{Index: uint32(i), Seconds: float64(i), Width: uint32(m.W), Height: uint32(m.H)}
		found, err := b.faces.Detector.FindAll(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			x.Faces = append(x.Faces, &derivedv1.Face{
				Box: []float32{float32(f.Box.X0), float32(f.Box.Y0), float32(f.Box.X1), float32(f.Box.Y1)}, Score: float32(f.Score),
			})
		}
		if len(found) > 0 {
			mesh, err := b.faces.Mesher.Fit(m, found[0])
			if err != nil {
				t.Fatal(err)
			}
			x.Faces[0].Mesh, x.Blob = mesh.Floats(), b.put(t, "frame"+string(rune('a'+i)), m)
		}
		f.Frames = append(f.Frames, x)
	}
	return message(check.Selfie, &derivedv1.Derived{What: &derivedv1.Derived_Frames{Frames: f}})
}

// portrait is what the document service would derive.
func (b bench) portrait(t testing.TB, m *pix.RGB) *stream.Message {
	t.Helper()
	p := &derivedv1.Portrait{SourceSha256: "document"}
	if m != nil {
		p.Found, p.Blob = true, b.put(t, "portrait", m)
	}
	return message(check.Document, &derivedv1.Derived{What: &derivedv1.Derived_Portrait{Portrait: p}})
}

func unusable(m envelopev1.Medium, reason string) *stream.Message {
	return message(m, &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: &derivedv1.Unusable{Reason: reason}}})
}

func message(m envelopev1.Medium, d *derivedv1.Derived) *stream.Message {
	return &stream.Message{Envelope: &envelopev1.Envelope{Kind: envelopev1.Kind_KIND_DERIVED, Medium: m}, Payload: d}
}

// run hands the messages in one after the other, as the runtime does, and returns what was said. Each handler must
// have given what it owes, once.
func (b bench) run(t testing.TB, messages ...*stream.Message) map[string]stream.Output {
	t.Helper()
	said := map[string]stream.Output{}
	for i, m := range messages {
		in := stream.Input{Message: m, Kept: messages[:i]}
		now := map[check.Key]bool{}
		if err := b.handle(context.Background(), in, func(_ context.Context, o stream.Output) error {
			k := check.Key{Check: o.Check, Medium: o.Medium}
			if now[k] || said[o.Check].Check != "" {
				t.Errorf("%s is answered twice", k)
			}
			now[k], said[o.Check] = true, o
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, k := range owes(in) {
			if !now[k] {
				t.Errorf("message %d: %s is owed and not answered", i, k)
			}
			delete(now, k)
		}
		if len(now) > 0 {
			t.Errorf("message %d: answered what is not owed: %v", i, now)
		}
	}
	return said
}

func want(t testing.TB, said map[string]stream.Output, id string, o envelopev1.Outcome, reason string) {
	t.Helper()
	if got := said[id]; got.Outcome != o || got.Reason != reason {
		t.Errorf("%s: %v %q, want %v %q", id, got.Outcome, got.Reason, o, reason)
	}
}

// demo is the portrait that set-up brings.
func demo(t testing.TB) *pix.RGB {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(models.Find(), "demo", "portrait.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := picture.Decode(b, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p.RGB
}

func TestSamePersonInEitherOrder(t *testing.T) {
	b := newBench(t)
	m := demo(t)
	small := pix.Resize(m, m.W*2/3, m.H*2/3)
	selfie, portrait := b.selfie(t, m, m.Mirror(), small), b.portrait(t, small)
	page := message(check.Document, &derivedv1.Derived{What: &derivedv1.Derived_Page{Page: &derivedv1.Page{}}})
	for _, order := range [][]*stream.Message{{page, portrait, selfie}, {selfie, page, portrait}} {
		said := b.run(t, order...)
		for _, id := range []string{
			match.Check, across, "face.image.detected", "face.image.single", "face.image.size", "face.image.pose",
			"face.image.focus", "face.image.exposure", "doc.portrait.quality",
		} {
			want(t, said, id, stream.Pass, "")
		}
		want(t, said, "face.image.covered", stream.NotPerformed, "not_built")
		want(t, said, "doc.portrait.ghost_match", stream.NotPerformed, "not_built")
		o := said[match.Check]
		f := o.Payload.(*factv1.Fact).GetFinding()
		if len(o.Also) != 1 || f.GetScore().GetRaw() > face.SameBelow || f.GetScore().Probability != nil || len(f.GetEvidence().GetPolygon().GetXy()) != 8 {
			t.Errorf("match: also %d, finding %v", len(o.Also), f)
		}
	}
}

func TestNoFaceOnEitherSide(t *testing.T) {
	b := newBench(t)
	blank := pix.NewRGB(320, 240)
	said := b.run(t, b.selfie(t, blank), b.portrait(t, demo(t)))
	want(t, said, "face.image.detected", stream.Fail, "no_face")
	want(t, said, "face.image.size", stream.NotPerformed, "no_face")
	want(t, said, match.Check, stream.Inconclusive, "no_face_in_selfie")
	said = b.run(t, b.selfie(t, demo(t)), b.portrait(t, nil))
	want(t, said, "doc.portrait.quality", stream.NotPerformed, "no_face")
	want(t, said, match.Check, stream.Inconclusive, "no_face_on_document")
	want(t, said, across, stream.Inconclusive, "single_frame")
}

func TestUnusableSides(t *testing.T) {
	b := newBench(t)
	said := b.run(t, unusable(check.Selfie, "too_long"), b.portrait(t, demo(t)))
	want(t, said, "face.image.detected", stream.NotPerformed, "too_long")
	want(t, said, match.Check, stream.NotPerformed, "too_long")
	want(t, said, "doc.portrait.quality", stream.Pass, "")
	said = b.run(t, b.selfie(t, demo(t)), unusable(check.Document, "no_document"))
	want(t, said, "doc.portrait.quality", stream.NotPerformed, "no_document")
	want(t, said, match.Check, stream.NotPerformed, "no_document")
}

func TestFiveFaces(t *testing.T) {
	b := newBench(t)
	one := pix.Resize(demo(t), 210, 270)
	row := pix.NewRGB(5*one.W, one.H)
	for i := range 5 {
		for y := range one.H {
			copy(row.Row(y)[3*i*one.W:], one.Row(y))
		}
	}
	said := b.run(t, b.selfie(t, row))
	want(t, said, "face.image.single", stream.Fail, "several_faces")
	if n := said["face.image.single"].Payload.(*factv1.Fact).GetFinding().GetValue().GetNumber(); n != 5 {
		t.Errorf("%v faces", n)
	}
}

// The first side is kept until the second comes. A page is not kept at all, and after the join neither side.
func TestKeep(t *testing.T) {
	page := message(check.Document, &derivedv1.Derived{What: &derivedv1.Derived_Page{Page: &derivedv1.Page{}}})
	portrait := message(check.Document, &derivedv1.Derived{What: &derivedv1.Derived_Portrait{Portrait: &derivedv1.Portrait{}}})
	frames, nothing := unusable(check.Selfie, "too_long"), message(check.Selfie, nil)
	nothing.Payload = nil
	for name, lane := range map[string][]*stream.Message{
		"document first": {page, portrait, frames}, "selfie first": {frames, page, portrait}, "page last": {portrait, page, frames, page},
	} {
		var kept []*stream.Message
		most := 0
		for _, m := range lane {
			kept = keep(stream.Input{Message: m, Kept: kept})
			most = max(most, len(kept))
		}
		if len(kept) != 0 || most != 1 {
			t.Errorf("%s: %d are kept at the end, %d at most", name, len(kept), most)
		}
	}
	if kept := keep(stream.Input{Message: nothing, Kept: []*stream.Message{portrait}}); len(kept) != 1 {
		t.Errorf("what cannot be read leaves %d kept", len(kept))
	}
}

func TestErasedMessageSaysNothing(t *testing.T) {
	b := newBench(t)
	gone := message(check.Selfie, nil)
	gone.Payload = nil
	if said := b.run(t, gone); len(said) != 0 {
		t.Errorf("said %v", said)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		distance float64
		good     bool
		outcome  envelopev1.Outcome
		reason   string
	}{
		{0.3, true, stream.Pass, ""},
		{0.3, false, stream.Pass, ""},
		{0.57, true, stream.Inconclusive, "between_thresholds"},
		{0.8, true, stream.Fail, "different_person"},
		{0.8, false, stream.Inconclusive, "poor_picture"},
	} {
		if o, r := Match(c.distance, c.good); o != c.outcome || r != c.reason {
			t.Errorf("%+v: %v %s", c, o, r)
		}
	}
}

// TestDifferentPersons swaps persons where there is material with more than one.
func TestDifferentPersons(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/data/B/B1-deepface/*.jpg")
	if len(files) == 0 {
		t.Skip("no data")
	}
	b := newBench(t)
	other := 0
	for _, file := range files[:8] {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := picture.Decode(data, picture.Options{MinLongSide: 700})
		if err != nil {
			t.Fatal(err)
		}
		outcome, reason, f, err := CompareImages(b.faces, p.RGB, demo(t))
		if err != nil || outcome == stream.Pass || f.GetScore().GetProbability() > 0.5 {
			t.Errorf("%s: %v %s %v %v", filepath.Base(file), outcome, reason, f.GetScore(), err)
		}
		if outcome == stream.Fail {
			other++
		}
	}
	if other < 7 {
		t.Errorf("only %d of 8 told apart for sure", other)
	}
}
