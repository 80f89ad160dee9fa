// Package liveness is the service that looks for presentation attacks: something held before the camera in place of
// a living person.
//
// It takes what the video service saw from derived.v1 and decodes nothing itself. What it can tell so far is a
// flat picture from a head that turns (package pad). It may therefore fail a presentation, and never passes one:
// as long as nothing real has tested it, a live-looking face is inconclusive(untested).
package liveness

import (
	"context"
	"errors"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/pad"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "liveness"
	Version = 1
)

// detectorVersion changes when a measure or a threshold does.
const detectorVersion = "1.0.0"

// Config is what the service needs.
type Config struct {
	Digest func(model string) string // of a model, for findings: models.Set's
	Now    func() time.Time
}

// Service looks for presentation attacks. It is safe for concurrent use.
type Service struct{ Config }

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Digest == nil || c.Now == nil {
		return nil, errors.New("liveness service: digests of models and clock are needed")
	}
	return &Service{c}, nil
}

// Worker makes the service runnable.
func (s *Service) Worker() stream.Worker {
	return stream.Worker{Name: Name, Version: Version, Input: topic.Derived, Accepts: accepts, Owes: owes, Handle: s.handle}
}

func accepts(e *envelopev1.Envelope) bool {
	return e.GetKind() == envelopev1.Kind_KIND_DERIVED && e.GetMedium() == check.Selfie
}

// owes: whatever the video service made of the selfie obliges to every answer.
func owes(in stream.Input) []check.Key {
	if in.Payload == nil {
		return nil // erased
	}
	return check.OwedFor(Name, check.Selfie)
}

func (s *Service) handle(ctx context.Context, in stream.Input, emit stream.Emit) error {
	d, ok := in.Payload.(*derivedv1.Derived)
	if !ok {
		return nil // erased
	}
	began := s.Now()
	owed := check.OwedFor(Name, check.Selfie)
	if d.GetFrames() == nil {
		return all(ctx, stream.Close(owed, stream.NotPerformed, d.GetUnusable().GetReason()), emit)
	}
	frames := d.GetFrames()
	e := pad.Measure(read(frames))
	for _, a := range decide(e, frames.GetStill()) {
		f := s.finding(a, frames)
		f.TookMs = uint32(s.Now().Sub(began).Milliseconds())
		if err := emit(ctx, stream.Finding(check.Key{Check: a.check, Medium: check.Selfie}, a.outcome, a.reason, f)); err != nil {
			return err
		}
	}
	return all(ctx, stream.NotBuilt(owed), emit)
}

func (s *Service) finding(a answer, frames *derivedv1.Frames) *factv1.Finding {
	f := &factv1.Finding{
		Evidence: &factv1.Evidence{Sha256: frames.GetSourceSha256()},
		Detector: &factv1.Detector{Name: a.by, Version: detectorVersion},
	}
	if a.by == planarity {
		f.Detector.Model = s.Digest("facemesh")
	}
	if a.measured {
		f.Score = &factv1.Score{Raw: a.raw, Threshold: &a.threshold}
	}
	return f
}

func all(ctx context.Context, outs []stream.Output, emit stream.Emit) error {
	for _, o := range outs {
		if err := emit(ctx, o); err != nil {
			return err
		}
	}
	return nil
}
