package text_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/service/text"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// bench runs the service on pictures, each taken for a page as it is.
type bench struct {
	det     *ocr.Detector
	service *text.Service
	page    *page
}

// page is handed out whatever is asked for.
type page struct{ pixels *pix.RGB }

func (p *page) Picture(context.Context, *envelopev1.Envelope, string) (*pix.RGB, error) {
	return p.pixels, nil
}

func newBench(t *testing.T) *bench {
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	det, err := ocr.NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{det: det, page: &page{}}
	start := now
	clock := func() time.Time { return start }
	if b.service, err = text.New(text.Config{Models: set, Pictures: b.page, Now: clock}); err != nil {
		t.Fatal(err)
	}
	return b
}

// said is what the service said about one medium.
type said struct {
	outs  []stream.Output
	times []time.Duration
	took  time.Duration
}

func (s said) find(id string) (stream.Output, bool) {
	for _, o := range s.outs {
		if o.Check == id {
			return o, true
		}
	}
	return stream.Output{}, false
}

// value is what a check that passed has read, "" for every other.
func (s said) value(id string) string {
	o, ok := s.find(id)
	if !ok || o.Outcome != stream.Pass {
		return ""
	}
	v := o.Payload.(*factv1.Fact).GetFinding().GetValue()
	return v.GetText() + v.GetDate() + v.GetClass()
}

func (b *bench) run(t *testing.T, m *pix.RGB, medium envelopev1.Medium, portrait bool) said {
	t.Helper()
	quads, err := b.det.Lines(m)
	if err != nil {
		t.Fatal(err)
	}
	p := &derivedv1.Page{SourceSha256: "source", Blob: &derivedv1.Blob{Sha256: "page"}, ToSource: []float64{1, 0, 0, 0, 1, 0, 0, 0, 1}}
	for _, q := range quads {
		p.Lines = append(p.Lines, protoQuad(q))
	}
	if portrait {
		p.Portrait = &derivedv1.Quad{}
	}
	b.page.pixels = m
	return b.handle(t, medium, &derivedv1.Derived{What: &derivedv1.Derived_Page{Page: p}})
}

func (b *bench) handle(t *testing.T, medium envelopev1.Medium, d *derivedv1.Derived) said {
	t.Helper()
	var s said
	var mu sync.Mutex
	start := time.Now()
	in := stream.Input{Message: &stream.Message{Envelope: &envelopev1.Envelope{Medium: medium, Kind: envelopev1.Kind_KIND_DERIVED}, Payload: d}}
	err := b.service.Worker().Handle(context.Background(), in, func(_ context.Context, o stream.Output) error {
		mu.Lock()
		defer mu.Unlock()
		s.outs = append(s.outs, o)
		s.times = append(s.times, time.Since(start))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.took = time.Since(start)
	answered(t, b.service.Worker().Owes(in), s.outs)
	return s
}

// answered: each answer that was owed came exactly once, and no other; all but pass and
// fail carry a reason.
func answered(t *testing.T, owed []check.Key, outs []stream.Output) {
	t.Helper()
	open := map[check.Key]bool{}
	for _, k := range owed {
		open[k] = true
	}
	for _, o := range outs {
		k := check.Key{Check: o.Check, Medium: o.Medium}
		if !open[k] {
			t.Errorf("%s answered twice, or not owed", k)
		}
		delete(open, k)
		if o.Outcome != stream.Pass && o.Outcome != stream.Fail && o.Reason == "" {
			t.Errorf("%s: no reason", k)
		}
	}
	for k := range open {
		t.Errorf("%s not answered", k)
	}
}

func protoQuad(q pix.Quad) *derivedv1.Quad {
	out := &derivedv1.Quad{}
	for _, p := range q {
		out.Points = append(out.Points, &derivedv1.Point{X: float32(p.X), Y: float32(p.Y)})
	}
	return out
}

type item struct {
	ID, File, Set string
	Label         struct {
		Type    string `json:"document_type"`
		Country string `json:"issuing_country"`
		Side    string
		MRZ     []string
		Fields  map[string]string `json:"mrz_fields"`
		Visual  map[string]string `json:"visual_fields"`
	}
}

func documents(t *testing.T) []item {
	return slices.DeleteFunc(material.Lines[item](t, "A/manifest.jsonl"), func(it item) bool { return it.Set != "A1-documents" })
}
