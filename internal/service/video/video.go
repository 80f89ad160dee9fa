// Package video is the service that watches the selfie: a recording, an animated GIF or a still.
//
// It decodes once for everybody. While frames come out of the sandboxed decoder it finds the faces of each, lays a
// mesh over the largest and follows corners from frame to frame; the few best frames are kept as pictures. All of
// that goes to derived.v1, where face and liveness take it up. A medium of which nothing can be made gives word of
// that instead, so that those downstream close their checks. This service itself answers no check.
package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/video"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "video"
	Version = 1
)

// Blobs keeps the media of the verification of a message. What is damaged or gone is a stream.Poison error.
type Blobs interface {
	Get(ctx context.Context, of *envelopev1.Envelope, sha256 string) ([]byte, error)
	// Keep keeps a picture that can be made again, without waiting for the disk, and its pixels for those who ask soon: nobody writes to them from now on.
	Keep(ctx context.Context, of *envelopev1.Envelope, data []byte, pixels *pix.RGB) (sha256 string, err error)
}

// Config is what the service needs.
type Config struct {
	Models  *models.Set
	Blobs   Blobs
	Decoder *video.Decoder
}

// Service watches selfies. It is safe for concurrent use.
type Service struct {
	Config
	find *face.Detector
	mesh *face.Mesher
}

// New opens the models "blazeface" and "facemesh".
func New(c Config) (*Service, error) {
	if c.Models == nil || c.Blobs == nil || c.Decoder == nil {
		return nil, errors.New("video service: models, blobs and decoder are all needed")
	}
	find, err := face.NewDetector(c.Models)
	if err != nil {
		return nil, fmt.Errorf("video service: %w", err)
	}
	mesh, err := face.NewMesher(c.Models)
	if err != nil {
		return nil, fmt.Errorf("video service: %w", err)
	}
	return &Service{Config: c, find: find, mesh: mesh}, nil
}

// Worker makes the service runnable.
func (s *Service) Worker() stream.Worker {
	return stream.Worker{Name: Name, Version: Version, Input: topic.Media, Accepts: accepts, Owes: owes, Handle: s.handle}
}

func accepts(e *envelopev1.Envelope) bool {
	return e.GetKind() == envelopev1.Kind_KIND_MEDIUM && e.GetMedium() == check.Selfie
}

func owes(in stream.Input) []check.Key { return check.OwedFor(Name, in.GetMedium()) }

func (s *Service) handle(ctx context.Context, in stream.Input, emit stream.Emit) error {
	m, ok := in.Payload.(*mediav1.Media)
	if !ok {
		return nil // erased
	}
	data, err := s.Blobs.Get(ctx, in.Envelope, m.GetSha256())
	if poison := (*stream.PoisonError)(nil); errors.As(err, &poison) {
		return errors.Join(unusable(ctx, m, poison.Reason, emit), err)
	}
	if err != nil {
		return fmt.Errorf("fetching selfie: %w", err)
	}
	w := s.newWatch(strings.HasPrefix(m.GetMediaType(), "image/") && m.GetMediaType() != string(picture.GIF))
	info, err := s.Decoder.Frames(ctx, bytes.NewReader(data), w.options(), w.see)
	if bad := (*video.Error)(nil); errors.As(err, &bad) {
		return unusable(ctx, m, string(bad.Code), emit)
	}
	if reason, ok := resilience.Skipped(err); ok {
		return unusable(ctx, m, reason, emit)
	}
	if err != nil {
		return fmt.Errorf("watching selfie: %w", err)
	}
	frames, err := s.derived(ctx, in.Envelope, w, info)
	if err != nil {
		return fmt.Errorf("keeping frames: %w", err)
	}
	frames.SourceSha256 = m.GetSha256()
	return derive(ctx, "frames", &derivedv1.Derived{What: &derivedv1.Derived_Frames{Frames: frames}}, emit)
}

func unusable(ctx context.Context, m *mediav1.Media, reason string, emit stream.Emit) error {
	u := &derivedv1.Unusable{SourceSha256: m.GetSha256(), Reason: reason}
	return derive(ctx, "unusable", &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: u}}, emit)
}

func derive(ctx context.Context, name string, d *derivedv1.Derived, emit stream.Emit) error {
	return emit(ctx, stream.Output{Topic: topic.Derived, Name: name, Kind: envelopev1.Kind_KIND_DERIVED, Medium: check.Selfie, Payload: d})
}
