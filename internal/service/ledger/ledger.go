// Package ledger turns the facts of a verification into the frames of its client's feed: numbered densely from 1, and each chained to the one before
// it by hash, so that a client can prove that it missed nothing and that nothing was changed (package frame has the recipe).
//
// It is a chain of the runtime: frame, state and position become durable in one step. The order of frames is the order of the lane. Of a fact that
// stands in the lane more than once the first counts.
//
// A fact whose verification was erased cannot be read any more. It keeps its place: its frame has a number and no body, which deliver shows as a
// gap, and the chain goes on behind it. So erasure neither stops the lane nor renumbers anything.
//
// What was never opened has no feed: an incident of an upload that was refused, whose key is thrown away, has no frame.
//
// A day after the end the state of a verification is forgotten. What comes later still, such as an erasure, finds its place again in the feed; only
// an incident does not.
package ledger

import (
	"context"
	"errors"
	"fmt"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// Keys gives the data key of a verification; *seal.Keyring does. seal.ErrErased says that it was destroyed, seal.ErrNoKey that there is none.
type Keys interface {
	Key(ctx context.Context, client, verification string) (*seal.Key, error)
}

// Config of the service.
type Config struct {
	Keys Keys // for the salts of frames
	Feed Feed // where the place of a forgotten verification is found again; a log.Log
}

// New gives the chain from fact.v1 to every client's feed.
func New(c Config) (stream.Chain[State], error) {
	if c.Keys == nil || c.Feed == nil {
		return stream.Chain[State]{}, errors.New("ledger: keys and feed are needed")
	}
	s := service{c}
	return stream.Chain[State]{Name: "ledger", Version: 1, Input: topic.Fact, Next: s.next, Leave: Leave}, nil
}

type service struct{ Config }

// next gives the frame of one fact, or nothing where clients do not see it or have it already.
func (s service) next(ctx context.Context, st *State, m *stream.Message) ([]stream.Output, error) {
	before, framed, err := s.before(ctx, *st, m)
	if err != nil {
		return nil, err
	}
	after, place := before.take(m.Envelope, m.At)
	if !place.framed || framed {
		*st = after
		return nil, nil
	}
	f, err := s.frame(ctx, after.Seq+1, place.late, m)
	if errors.Is(err, seal.ErrErased) {
		f, err = nil, nil // it keeps its place
	}
	if err != nil {
		return nil, err
	}
	after, chain := after.link(f.GetSalt(), f.GetBody())
	*st = after
	return []stream.Output{output(m, chain, f)}, nil
}

// before gives the state before a fact, and whether the fact has a frame already that the state has forgotten.
func (s service) before(ctx context.Context, st State, m *stream.Message) (State, bool, error) {
	begins := st.Seq == 0 && (m.GetKind() == envelopev1.Kind_KIND_OPENED || !st.frames(m.GetKind()))
	if begins || st.Seq > 0 && !st.Recalled {
		return st, false, nil
	}
	return recall(ctx, s.Feed, st, m)
}

// frame makes the frame of a fact; seal.ErrErased where that cannot be read any more.
func (s service) frame(ctx context.Context, seq uint64, late bool, m *stream.Message) (*feedv1.Frame, error) {
	payload, err := m.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening fact %s: %w", m.GetId(), err)
	}
	key, err := s.Keys.Key(ctx, m.GetClientId(), m.GetVerificationId())
	if errors.Is(err, seal.ErrNoKey) {
		err = errors.Join(seal.ErrErased, err)
	}
	if err != nil {
		return nil, fmt.Errorf("key for the salt of %s: %w", m.GetId(), err)
	}
	fact, _ := payload.(*factv1.Fact)
	event := frame.New(m.Envelope, fact, m.At)
	event.Seq, event.Late = seq, late
	body, err := event.Body()
	if err != nil {
		return nil, stream.Poison("unframeable", err)
	}
	return &feedv1.Frame{Body: body, Salt: key.Salt(m.GetId())}, nil
}

// output is the record of the feed: its id derives from the fact, as the one input it has. The reason stands in clear on the frame that ends a
// verification, so that deliver and recall know the end without a key.
func output(m *stream.Message, c *envelopev1.Chain, f *feedv1.Frame) stream.Output {
	o := stream.Output{Topic: topic.Feed(m.GetClientId()), Name: "frame", Kind: envelopev1.Kind_KIND_FRAME, Chain: c}
	switch m.GetKind() {
	case envelopev1.Kind_KIND_ENDED:
		o.Reason = m.GetReason()
	case envelopev1.Kind_KIND_ERASED:
		o.Reason = "erased"
	}
	if f != nil {
		o.Payload = f
	}
	return o
}
