package document_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/service/document"
	"github.com/bonafide-id/bonafide/internal/specimen"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

func draw(t testing.TB, kind specimen.Kind) *pix.RGB {
	t.Helper()
	material, err := specimen.LoadMaterial(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	s, err := specimen.Draw(specimen.Options{Kind: kind, Seed: 5, Material: material, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return s.Image
}

// table lays m turned by k quarters and askew on a table of w × h pixels, and returns where its corners are: the
// first one is the document's own top-left.
func table(m *pix.RGB, w, h, k int) (*pix.RGB, pix.Quad) {
	out := pix.NewRGB(w, h)
	for y := range h {
		for x := range w {
			v := 70 + 8*math.Sin(float64(x)/37+3*math.Sin(float64(y)/90))
			copy(out.Pix[3*(y*w+x):], []uint8{uint8(v), uint8(v * 0.8), uint8(v * 0.6)})
		}
	}
	long := 0.72 * float64(min(w, h))
	dw, dh := long/2, long/2*float64(m.H)/float64(m.W)
	s, c := math.Sincos(float64(k)*math.Pi/2 + 0.06)
	var q pix.Quad
	for i, p := range pix.Rect(-dw, -dh, dw, dh) {
		q[i] = pix.Pt{X: float64(w)/2 + p.X*c - p.Y*s + float64(3*i), Y: float64(h)/2 + p.X*s + p.Y*c}
	}
	in := pix.Homography(q, pix.Full(m.W, m.H))
	for y := range h {
		for x := range w {
			p := pix.Project(in, pix.Pt{X: float64(x), Y: float64(y)})
			if p.X >= 0 && p.Y >= 0 && p.X <= float64(m.W-1) && p.Y <= float64(m.H-1) {
				r, g, b := m.At(int(p.X+0.5), int(p.Y+0.5))
				copy(out.Pix[3*(y*w+x):], []uint8{r, g, b})
			}
		}
	}
	return out, q
}

func jpeg(t testing.TB, m *pix.RGB) []byte {
	t.Helper()
	data, err := picture.EncodeJPEG(m, 92)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSpecimenOnATableAnyWayUp(t *testing.T) {
	b := newBench(t)
	for _, kind := range []specimen.Kind{specimen.Passport, specimen.UKCard} {
		doc := draw(t, kind)
		for k := range 4 {
			photo, truth := table(doc, 2400, 1800, k)
			s := b.run(t, jpeg(t, photo), check.Document)
			d, m := b.page(t, s)
			if !d.GetLocated() || d.GetQuarterTurns() != uint32((4-k)%4) {
				t.Errorf("%s turned by %d: located %v, turned back by %d", kind, k, d.GetLocated(), d.GetQuarterTurns())
				continue
			}
			// The page's corners lie where the document's do, in pixels of the upload.
			h := [9]float64(d.GetToSource())
			for i, p := range pix.ProjectQuad(h, pix.Full(m.W, m.H)) {
				if p.Dist(truth[i]) > 30 {
					t.Errorf("%s turned by %d: corner %d lies at %.0f, want %.0f", kind, k, i, p, truth[i])
				}
			}
			if len(d.GetLines()) < 8 || d.GetPortrait() == nil || !s.derived("portrait").GetPortrait().GetFound() {
				t.Errorf("%s turned by %d: %d lines, portrait %v", kind, k, len(d.GetLines()), d.GetPortrait())
			}
			for _, c := range []string{"doc.class.located", "doc.class.orientation", "doc.image.focus", "doc.image.dark", "doc.image.bright",
				"doc.image.glare", "doc.image.resolution", "doc.image.perspective", "doc.image.cut_off", "doc.image.no_document",
				"doc.image.several_documents", "doc.portrait.detected", "doc.portrait.single"} {
				if o, reason := s.outcome(c); o != stream.Pass {
					t.Errorf("%s turned by %d: %s %v %s", kind, k, c, o, reason)
				}
			}
		}
	}
}

func TestScanIsThePage(t *testing.T) {
	b := newBench(t)
	doc := draw(t, specimen.Passport)
	for k := range 4 {
		s := b.run(t, jpeg(t, doc.Rotate90(k)), check.Document)
		d, m := b.page(t, s)
		if m.W < m.H || d.GetQuarterTurns() != uint32((4-k)%4) {
			t.Errorf("turned by %d: %d × %d, turned back by %d", k, m.W, m.H, d.GetQuarterTurns())
		}
		if o, _ := s.outcome("doc.class.located"); o != stream.Pass {
			t.Errorf("turned by %d: located %v", k, o)
		}
	}
}

func TestPageLeavesBeforeTheFindings(t *testing.T) {
	b := newBench(t)
	s := b.run(t, jpeg(t, draw(t, specimen.UKCard)), check.Document)
	for i, name := range []string{"page", "portrait"} {
		if s.outs[i].Name != name {
			t.Errorf("output %d is %q", i, s.outs[i].Name)
		}
	}
}

func TestBackHasNoPortrait(t *testing.T) {
	b := newBench(t)
	s := b.run(t, jpeg(t, draw(t, specimen.UKCard)), check.Back)
	if s.derived("portrait") != nil {
		t.Error("a portrait was handed on from the back")
	}
	if o, _ := s.outcome("doc.portrait.detected"); o != 0 {
		t.Error("a portrait was asked for on the back")
	}
}

func TestBadPictures(t *testing.T) {
	b := newBench(t)
	whole := jpeg(t, draw(t, specimen.UKCard))
	for name, c := range map[string]struct {
		data   []byte
		reason string
	}{
		"cut short": {whole[:len(whole)/2], "damaged_media"}, "no picture": {[]byte("<svg/>"), "unsupported_media"},
		"a video": {[]byte("\x00\x00\x00\x20ftypisom\x00\x00\x02\x00"), "unsupported_media"},
	} {
		s := b.run(t, c.data, check.Document)
		if got := s.derived("unusable").GetUnusable().GetReason(); got != c.reason {
			t.Errorf("%s: %q, want %q", name, got, c.reason)
		}
		for _, o := range s.outs {
			if o.Kind == envelopev1.Kind_KIND_FINDING && (o.Outcome != stream.NotPerformed || o.Reason != c.reason) {
				t.Errorf("%s: %s %v %s", name, o.Check, o.Outcome, o.Reason)
			}
		}
	}
}

// Where a network fails, what hangs on the picture is closed at once with the reason that was decided, here and downstream.
func TestFailingModel(t *testing.T) {
	s := newBenchOn(t, resiliencetest.Gone(t, "models", "model_failed")).run(t, jpeg(t, draw(t, specimen.UKCard)), check.Document)
	if got := s.derived("unusable").GetUnusable().GetReason(); got != "model_failed" {
		t.Errorf("unusable for %q", got)
	}
	for _, o := range s.outs {
		if o.Kind == envelopev1.Kind_KIND_FINDING && (o.Outcome != stream.NotPerformed || o.Reason != "model_failed") {
			t.Errorf("%s %v %s", o.Check, o.Outcome, o.Reason)
		}
	}
}

func TestNoDocument(t *testing.T) {
	b := newBench(t)
	empty, _ := table(pix.NewRGB(2, 2), 1200, 900, 0)
	for y := 400; y < 500; y++ { // where the two pixels were blown up to
		copy(empty.Row(y), empty.Row(10))
	}
	for y := range 900 {
		copy(empty.Row(y), empty.Row(3))
	}
	s := b.run(t, jpeg(t, empty), check.Document)
	if got := s.derived("unusable").GetUnusable().GetReason(); got != "no_document" {
		t.Errorf("unusable %q", got)
	}
	if o, _ := s.outcome("doc.image.no_document"); o != stream.Fail {
		t.Errorf("no_document %v", o)
	}
	if o, reason := s.outcome("doc.image.focus"); o != stream.NotPerformed || reason != "no_document" {
		t.Errorf("focus %v %s", o, reason)
	}
}

func TestTwoDocuments(t *testing.T) {
	b := newBench(t)
	doc := draw(t, specimen.UKCard)
	one, _ := table(doc, 1200, 1000, 0)
	both := pix.NewRGB(2400, 1000)
	for y := range 1000 {
		copy(both.Row(y), one.Row(y))
		copy(both.Row(y)[3*1200:], one.Row(y))
	}
	s := b.run(t, jpeg(t, both), check.Document)
	if o, _ := s.outcome("doc.image.several_documents"); o != stream.Fail {
		t.Errorf("several_documents %v", o)
	}
	if d, _ := b.page(t, s); d.GetLocated() {
		t.Error("one of the two was cut out")
	}
}

// TestRealDocuments holds floors on A1: ordinary pictures are not refused, and none loses its text.
func TestRealDocuments(t *testing.T) {
	names, err := filepath.Glob("../../../../shared/data/A/A1-documents/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skip("no data")
	}
	b := newBench(t)
	failed := map[string]int{}
	portraits, textless := 0, 0
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		s := b.run(t, data, check.Document)
		for _, o := range s.outs {
			if o.Outcome == stream.Fail {
				failed[o.Check]++
				t.Logf("%s: %s %s", filepath.Base(n), o.Check, o.Reason)
			}
		}
		d, m := b.page(t, s)
		if len(d.GetLines()) < 5 {
			textless++
		}
		if s.derived("portrait").GetPortrait().GetFound() {
			portraits++
		}
		if dump := os.Getenv("DUMP"); dump != "" {
			if err := os.WriteFile(filepath.Join(dump, filepath.Base(n)+".jpg"), jpeg(t, m), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d pictures: failed %v, %d with a portrait, %d with fewer than 5 lines", len(names), failed, portraits, textless)
	for c, most := range map[string]int{"doc.image.focus": 1, "doc.image.glare": 1, "doc.image.dark": 0, "doc.image.bright": 0,
		"doc.image.resolution": 12, "doc.image.perspective": 1, "doc.image.cut_off": 2, "doc.image.no_document": 0, "doc.image.several_documents": 2} {
		if failed[c] > most {
			t.Errorf("%s failed on %d", c, failed[c])
		}
	}
	if portraits < 27 || portraits > 29 || textless > 1 {
		t.Errorf("%d portraits, %d without text", portraits, textless)
	}
}

func TestErasedIsSilent(t *testing.T) {
	b := newBench(t)
	env := &envelopev1.Envelope{Kind: envelopev1.Kind_KIND_MEDIUM, Medium: check.Document}
	if err := b.service.Worker().Handle(t.Context(), stream.Input{Message: &stream.Message{Envelope: env}}, nil); err != nil {
		t.Error(err)
	}
}

func TestAccepts(t *testing.T) {
	accepts := newBench(t).service.Worker().Accepts
	for medium, want := range map[envelopev1.Medium]bool{check.Document: true, check.Back: true, check.Selfie: false} {
		if got := accepts(&envelopev1.Envelope{Medium: medium, Kind: envelopev1.Kind_KIND_MEDIUM}); got != want {
			t.Errorf("%v: %v", medium, got)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := document.New(document.Config{}); err == nil {
		t.Error("made a service of nothing")
	}
}

// BenchmarkPage measures the time from a photograph of 12 megapixels to its page.
func BenchmarkPage(b *testing.B) {
	bench := newBench(b)
	photo, _ := table(draw(b, specimen.Passport), 4000, 3000, 0)
	data := jpeg(b, photo)
	var firsts []time.Duration
	for b.Loop() {
		firsts = append(firsts, bench.run(b, data, check.Document).at[0])
	}
	slices.Sort(firsts)
	b.ReportMetric(float64(firsts[len(firsts)/2].Milliseconds()), "ms-to-page")
}
