// Package face is the service that compares faces: the portrait of the document with the selfie, and the selfie's
// frames with each other. It also says whether the pictures are good enough to be compared.
//
// Portrait and selfie come as two events of derived.v1, in either order. The first to come is kept by the runtime
// across restarts and handed to the handler of the second, which makes the comparison; neither waits in this
// process, and nothing is kept once they have met.
package face

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/parallel"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "face"
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
	Now      func() time.Time
}

// Service compares faces. It is safe for concurrent use.
type Service struct {
	Config
	faces *face.Reader
}

// New opens the models "blazeface", "facemesh" and "face-embedding".
func New(c Config) (*Service, error) {
	if c.Models == nil || c.Pictures == nil || c.Now == nil {
		return nil, errors.New("face service: models, pictures and clock are all needed")
	}
	faces, err := face.NewReader(c.Models)
	if err != nil {
		return nil, fmt.Errorf("face service: %w", err)
	}
	return &Service{Config: c, faces: faces}, nil
}

// Worker makes the service runnable.
func (s *Service) Worker() stream.Worker {
	return stream.Worker{Name: Name, Version: Version, Input: topic.Derived, Accepts: accepts, Keep: keep, Owes: owes, Handle: s.handle}
}

func accepts(e *envelopev1.Envelope) bool {
	return e.GetKind() == envelopev1.Kind_KIND_DERIVED && (e.GetMedium() == check.Document || e.GetMedium() == check.Selfie)
}

// side is one of the two events of a comparison.
type side struct {
	medium envelopev1.Medium
	*derivedv1.Derived
	message *stream.Message
}

// sideOf says whether a message is a side: a portrait, frames, or word that there is nothing. A page is not.
func sideOf(m *stream.Message) (side, bool) {
	d, ok := m.Payload.(*derivedv1.Derived)
	if !ok || d.GetPage() != nil {
		return side{}, false
	}
	return side{m.GetMedium(), d, m}, true
}

// other finds the kept side of the other medium.
func other(in stream.Input) (side, bool) {
	for _, m := range in.Kept {
		if s, ok := sideOf(m); ok && s.medium != in.GetMedium() {
			return s, true
		}
	}
	return side{}, false
}

// owes: a side obliges to what is said of it alone; the second one also to the comparison.
func owes(in stream.Input) []check.Key {
	this, ok := sideOf(in.Message)
	if !ok {
		return nil
	}
	owed := check.OwedFor(Name, this.medium)
	if _, ok := other(in); ok {
		owed = append(owed, match)
	}
	return owed
}

// keep holds the first side until the other comes: nothing is joined with a page, and nothing is left to join after both.
func keep(in stream.Input) []*stream.Message {
	if _, ok := sideOf(in.Message); !ok {
		return in.Kept
	}
	if _, ok := other(in); ok {
		return nil
	}
	return append(slices.Clone(in.Kept), in.Message)
}

// match is the answer that needs both sides.
var match = check.Key{Check: "face.match.doc_vs_selfie", Medium: check.Selfie}

func (s *Service) handle(ctx context.Context, in stream.Input, emit stream.Emit) error {
	this, ok := sideOf(in.Message)
	if !ok {
		return nil // erased, or a page
	}
	w := work{Service: s, start: s.Now(), emit: emit}
	that, both := other(in)
	var mine, theirs seen
	if err := parallel.Do(
		func() (err error) {
			if mine, err = w.read(ctx, this); err != nil {
				return err
			}
			return w.alone(ctx, mine)
		},
		func() (err error) {
			if both { // side by side: the last answer of a verification waits for it
				theirs, err = w.read(ctx, that)
			}
			return err
		},
	); err != nil || !both {
		return err
	}
	return w.compare(ctx, mine, theirs)
}
