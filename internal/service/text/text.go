// Package text is the service that reads documents: the class, the machine-readable
// zone, the printed fields and the barcode.
//
// It takes the straightened page with its boxes of text from derived.v1, and says each
// finding the moment it is known: first what the machine-readable zone says, because it
// is the quickest and the surest, then the class, then fields as their lines are read.
// It reports what stands there. Whether zone, print and barcode agree is for the
// consistency service to say.
package text

import (
	"context"
	"errors"
	"fmt"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "text"
	Version = 1
)

// Pictures gives the decoded pixels of a picture that belongs to the verification of a message; they are shared and must not be written to. What is
// damaged, gone or no picture is a stream.Poison error.
type Pictures interface {
	Picture(ctx context.Context, of *envelopev1.Envelope, sha256 string) (*pix.RGB, error)
}

// Config is what the service needs.
type Config struct {
	Models   *models.Set
	Pictures Pictures
	Now      func() time.Time // for the centuries of two-digit years
}

// Service reads documents. It is safe for concurrent use.
type Service struct {
	Config
	zones     *zone.Reader
	lines     *ocr.Reader
	countries *class.Countries
}

// New opens the models "mrz", "text-rec" and "text-cls".
func New(c Config) (*Service, error) {
	if c.Models == nil || c.Pictures == nil || c.Now == nil {
		return nil, errors.New("text service: models, pictures and clock are all needed")
	}
	zones, err := zone.NewReader(c.Models)
	if err != nil {
		return nil, fmt.Errorf("text service: %w", err)
	}
	lines, err := ocr.NewReader(c.Models)
	if err != nil {
		return nil, fmt.Errorf("text service: %w", err)
	}
	return &Service{Config: c, zones: zones, lines: lines, countries: class.NewCountries()}, nil
}

// Worker makes the service runnable.
func (s *Service) Worker() stream.Worker {
	return stream.Worker{Name: Name, Version: Version, Input: topic.Derived, Accepts: accepts, Owes: owes, Handle: s.handle}
}

func accepts(e *envelopev1.Envelope) bool {
	return e.GetKind() == envelopev1.Kind_KIND_DERIVED && (e.GetMedium() == check.Document || e.GetMedium() == check.Back)
}

// owes: a page, or word that there is none, obliges to every answer of the service
// about that side; portraits do not.
func owes(in stream.Input) []check.Key {
	d, ok := in.Payload.(*derivedv1.Derived)
	if !ok || d.GetPage() == nil && d.GetUnusable() == nil {
		return nil
	}
	return check.OwedFor(Name, in.GetMedium())
}

func (s *Service) handle(ctx context.Context, in stream.Input, emit stream.Emit) error {
	d, ok := in.Payload.(*derivedv1.Derived)
	if !ok {
		return nil // erased
	}
	if u := d.GetUnusable(); u != nil {
		for _, o := range stream.Close(check.OwedFor(Name, in.GetMedium()), stream.NotPerformed, u.GetReason()) {
			if err := emit(ctx, o); err != nil {
				return err
			}
		}
		return nil
	}
	if d.GetPage() == nil {
		return nil
	}
	page, err := s.Pictures.Picture(ctx, in.Envelope, d.GetPage().GetBlob().GetSha256())
	if err != nil {
		return fmt.Errorf("fetching page: %w", err)
	}
	r := s.newReading(page, d.GetPage(), in.GetMedium(), emit)
	return r.read(ctx)
}
