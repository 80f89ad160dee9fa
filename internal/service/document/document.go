// Package document is the service that makes a page out of a picture of a document: it decodes it, finds the
// document on it, lays it flat and upright, and finds its lines of text and its portrait.
//
// What others go on working with leaves first: the page, rectified once for everybody, and the portrait, go to
// derived.v1 before this service says its own findings about the picture's quality. A picture from which nothing
// can be made gives word of that instead, so that those downstream close their checks.
package document

import (
	"context"
	"errors"
	"fmt"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/page"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "document"
	Version = 1
)

// Blobs keeps the pictures of the verification of a message. What is damaged or gone is a stream.Poison error.
type Blobs interface {
	Get(ctx context.Context, of *envelopev1.Envelope, sha256 string) ([]byte, error)
	// Keep keeps a picture that can be made again, without waiting for the disk, and its pixels for those who ask soon: nobody writes to them from now on.
	Keep(ctx context.Context, of *envelopev1.Envelope, data []byte, pixels *pix.RGB) (sha256 string, err error)
}

// Config is what the service needs.
type Config struct {
	Models *models.Set
	Blobs  Blobs
	Now    func() time.Time
	Limits picture.Limits // zero: the defaults
}

// Service makes pages. It is safe for concurrent use.
type Service struct {
	Config
	gate    *picture.Gate
	corners *page.Corners
	lines   *ocr.Detector
	reader  *ocr.Reader
	faces   *face.Detector
	meshes  *face.Mesher
}

// New opens the models "corners", "text-det", "text-cls", "blazeface" and "facemesh".
func New(c Config) (*Service, error) {
	if c.Models == nil || c.Blobs == nil || c.Now == nil {
		return nil, errors.New("document service: models, blobs and clock are all needed")
	}
	s := &Service{Config: c, gate: picture.NewGate()}
	m, err := c.Models.Get("corners")
	if err == nil {
		s.corners = page.NewCorners(m)
		s.lines, err = ocr.NewDetector(c.Models)
	}
	if err == nil {
		s.reader, err = ocr.NewReader(c.Models)
	}
	if err == nil {
		s.faces, err = face.NewDetector(c.Models)
	}
	if err == nil {
		s.meshes, err = face.NewMesher(c.Models)
	}
	if err != nil {
		return nil, fmt.Errorf("document service: %w", err)
	}
	return s, nil
}

// Worker makes the service runnable.
func (s *Service) Worker() stream.Worker {
	return stream.Worker{Name: Name, Version: Version, Input: topic.Media, Accepts: accepts, Owes: owes, Handle: s.handle}
}

func accepts(e *envelopev1.Envelope) bool {
	return e.GetKind() == envelopev1.Kind_KIND_MEDIUM && (e.GetMedium() == check.Document || e.GetMedium() == check.Back)
}

func owes(in stream.Input) []check.Key { return check.OwedFor(Name, in.GetMedium()) }

// decodedSide is the long side, in pixels, that a picture keeps at least when it is decoded: enough for a page of
// pageSide where the document fills most of the picture.
const (
	decodedSide = 2000
	pageSide    = 1400
)

func (s *Service) handle(ctx context.Context, in stream.Input, emit stream.Emit) error {
	m, ok := in.Payload.(*mediav1.Media)
	if !ok {
		return nil // erased
	}
	a := &answers{medium: in.GetMedium(), source: m.GetSha256(), digest: s.Models.Digest, start: s.Now(), now: s.Now, emit: emit}
	data, err := s.Blobs.Get(ctx, in.Envelope, m.GetSha256())
	if err != nil {
		return fmt.Errorf("fetching the picture: %w", err)
	}
	p, err := s.gate.Decode(ctx, data, picture.Options{MinLongSide: decodedSide, Limits: s.Limits})
	if code := picture.CodeOf(err); code != "" {
		return a.unusable(ctx, string(code))
	}
	if err != nil {
		return fmt.Errorf("decoding the picture: %w", err)
	}
	seen, err := s.look(p)
	if reason, ok := resilience.Skipped(err); ok {
		return a.unusable(ctx, reason)
	}
	if err != nil {
		return fmt.Errorf("looking at the picture: %w", err)
	}
	if seen.empty() {
		return a.nothing(ctx)
	}
	if err := s.hand(ctx, in, a, seen); err != nil {
		return err
	}
	return a.say(ctx, seen, measure(seen))
}

// hand writes the page and the portrait, and says where they are.
func (s *Service) hand(ctx context.Context, in stream.Input, a *answers, seen *sight) error {
	blob, err := s.keep(ctx, in.Envelope, seen.page.RGB)
	if err != nil {
		return fmt.Errorf("keeping the page: %w", err)
	}
	if err := a.derive(ctx, "page", &derivedv1.Derived{What: &derivedv1.Derived_Page{Page: seen.derived(a.source, blob)}}); err != nil {
		return err
	}
	if a.medium != check.Document {
		return nil
	}
	portrait := &derivedv1.Portrait{SourceSha256: a.source}
	if box, ok := seen.portrait(); ok {
		x0, y0, x1, y1 := box.Bounds()
		crop := seen.page.Crop(int(x0), int(y0), int(x1-x0), int(y1-y0))
		if portrait.Blob, err = s.keep(ctx, in.Envelope, crop); err != nil {
			return fmt.Errorf("keeping the portrait: %w", err)
		}
		portrait.Found, portrait.Where = true, quad(pix.ProjectQuad(seen.toSource(), box))
	}
	return a.derive(ctx, "portrait", &derivedv1.Derived{What: &derivedv1.Derived_Portrait{Portrait: portrait}})
}

// pageQuality is that of the JPEG that pages are kept as: at this one no reader and no measure differs from the pixels.
const pageQuality = 95

func (s *Service) keep(ctx context.Context, of *envelopev1.Envelope, m *pix.RGB) (*derivedv1.Blob, error) {
	data, err := picture.EncodeJPEG(m, pageQuality)
	if err != nil {
		return nil, err
	}
	sha, err := s.Blobs.Keep(ctx, of, data, m)
	if err != nil {
		return nil, err
	}
	return &derivedv1.Blob{Sha256: sha, Bytes: uint64(len(data)), MediaType: string(picture.JPEG), Width: uint32(m.W), Height: uint32(m.H)}, nil
}
