// Package tamper is the service that looks for traces of forgery in the pixels of a document's page.
//
// So far it judges the portrait alone; everything else that the catalogue lists under doc.tamper and doc.presence
// is answered not_performed(not_built), so that nobody takes silence for a pass. Contradictions between what is printed, coded
// and declared are found elsewhere, by the consistency service, and weigh more than anything here.
package tamper

import (
	"context"
	"errors"
	"fmt"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/forensics"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "tamper"
	Version = 1
)

// Pictures gives the decoded pixels of a picture that belongs to the verification of a message; they are shared and must not be written to. What is
// damaged, gone or no picture is a stream.Poison error.
type Pictures interface {
	Picture(ctx context.Context, of *envelopev1.Envelope, sha256 string) (*pix.RGB, error)
}

// Config is what the service needs.
type Config struct {
	Pictures Pictures
	Now      func() time.Time
}

// Service judges pages. It is safe for concurrent use.
type Service struct{ Config }

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Pictures == nil || c.Now == nil {
		return nil, errors.New("tamper service: pictures and clock are both needed")
	}
	return &Service{c}, nil
}

// Worker makes the service runnable.
func (s *Service) Worker() stream.Worker {
	return stream.Worker{Name: Name, Version: Version, Input: topic.Derived, Accepts: accepts, Owes: owes, Handle: s.handle}
}

func accepts(e *envelopev1.Envelope) bool {
	return e.GetKind() == envelopev1.Kind_KIND_DERIVED && (e.GetMedium() == check.Document || e.GetMedium() == check.Back)
}

// owes: a page, or word that there is none, obliges to every answer about that side; portraits do not.
func owes(in stream.Input) []check.Key {
	d, ok := in.Payload.(*derivedv1.Derived)
	if !ok || d.GetPage() == nil && d.GetUnusable() == nil {
		return nil
	}
	return check.OwedFor(Name, in.GetMedium())
}

func (s *Service) handle(ctx context.Context, in stream.Input, emit stream.Emit) error {
	keys := owes(in)
	if len(keys) == 0 {
		return nil // a portrait, or erased
	}
	outs, err := s.answers(ctx, in, keys)
	if err != nil {
		return err
	}
	for _, o := range outs {
		if err := emit(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) answers(ctx context.Context, in stream.Input, keys []check.Key) ([]stream.Output, error) {
	d := in.Payload.(*derivedv1.Derived)
	if u := d.GetUnusable(); u != nil {
		return stream.Close(keys, stream.NotPerformed, u.GetReason()), nil
	}
	replaced, err := s.portrait(ctx, in, d.GetPage())
	if err != nil {
		return nil, err
	}
	return append([]stream.Output{replaced}, stream.NotBuilt(keys)...), nil
}

// detectorVersion changes when a measure or a threshold does.
const detectorVersion = "1.1.0"

// fewLines is fewer lines of text than any side of a document with a portrait has.
const fewLines = 3

// portrait answers doc.tamper.portrait_replaced.
func (s *Service) portrait(ctx context.Context, in stream.Input, p *derivedv1.Page) (stream.Output, error) {
	start := s.Now()
	key := check.Key{Check: "doc.tamper.portrait_replaced", Medium: in.GetMedium()}
	if p.GetPortrait() == nil {
		return stream.Finding(key, stream.NotApplicable, "no_portrait", nil), nil
	}
	if !p.GetLocated() && len(p.GetLines()) < fewLines {
		return stream.Finding(key, stream.Inconclusive, "no_outline", nil), nil // a face, and nothing that speaks for a document around it
	}
	m, err := s.Pictures.Picture(ctx, in.Envelope, p.GetBlob().GetSha256())
	if err != nil {
		return stream.Output{}, fmt.Errorf("fetching page: %w", err)
	}
	face, ok := quadOf(p.GetPortrait())
	if !ok {
		return stream.Output{}, stream.Poison("page_malformed", errors.New("a portrait without four corners"))
	}
	seen := forensics.MeasurePortrait(m, face)
	outcome, reason := decide(seen.Verdict())
	threshold := 1.0
	f := &factv1.Finding{
		Score:    &factv1.Score{Raw: seen.Score(), Threshold: &threshold},
		Evidence: &factv1.Evidence{Sha256: p.GetSourceSha256(), Polygon: polygon(p.GetToSource(), face)},
		Detector: &factv1.Detector{Name: "portrait-lines", Version: detectorVersion},
		TookMs:   uint32(s.Now().Sub(start).Milliseconds()),
	}
	if seen.Small {
		f.Score = nil
	}
	return stream.Finding(key, outcome, reason, f), nil
}

func quadOf(q *derivedv1.Quad) (pix.Quad, bool) {
	var out pix.Quad
	if len(q.GetPoints()) != len(out) {
		return out, false
	}
	for i, p := range q.GetPoints() {
		out[i] = pix.Pt{X: float64(p.GetX()), Y: float64(p.GetY())}
	}
	return out, true
}

// polygon is q in pixels of the uploaded picture, nil where the page does not say how it came from there.
func polygon(toSource []float64, q pix.Quad) *factv1.Polygon {
	if len(toSource) != 9 {
		return nil
	}
	out := &factv1.Polygon{}
	for _, p := range pix.ProjectQuad([9]float64(toSource), q) {
		out.Xy = append(out.Xy, float32(p.X), float32(p.Y))
	}
	return out
}
