package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// Feed is what ledger needs of the log beside its chain; a log.Log has it.
type Feed interface {
	Lanes(ctx context.Context, topic string) (int32, error)
	Bounds(ctx context.Context, lanes ...log.Lane) ([]log.Bound, error)
	Read(ctx context.Context, l log.Lane, from, to log.Pos) iter.Seq2[log.Rec, error]
}

// fresh says that nothing is known of a verification: its first fact, or one that comes after it was forgotten.
func fresh(s State) bool {
	return s.Seq == 0 && !s.Deadline && s.Ended.IsZero()
}

// recall makes the state of a verification from its frames in the client's feed, as far back as that is kept. It reads a whole lane, and is needed
// only for what comes later than a day after the end, or before `opened`. A verification without frames is one that only begins.
func recall(ctx context.Context, f Feed, m *stream.Message) (State, error) {
	name := topic.Feed(m.GetClientId())
	lanes, err := f.Lanes(ctx, name)
	if errors.Is(err, log.ErrNoTopic) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("lanes of the feed: %w", err)
	}
	lane := log.Lane{Topic: name, N: log.LaneOf([]byte(m.GetVerificationId()), lanes)}
	bounds, err := f.Bounds(ctx, lane)
	if err != nil {
		return State{}, fmt.Errorf("extent of the feed: %w", err)
	}
	var s State
	for r, err := range f.Read(ctx, lane, log.Pos{}, bounds[0].End) {
		if err != nil {
			return State{}, fmt.Errorf("reading the feed: %w", err)
		}
		if string(r.Key) == m.GetVerificationId() {
			if s, err = s.relink(r.Val, m.At); err != nil {
				return State{}, err
			}
		}
	}
	return s, nil
}

// relink takes over the place of a frame that is in the feed already; a verification that ended counts as ended now, and is forgotten a day later.
func (s State) relink(record []byte, now time.Time) (State, error) {
	var e envelopev1.Envelope
	if err := proto.Unmarshal(record, &e); err != nil {
		return s, fmt.Errorf("reading a frame of the feed: %w", err)
	}
	if e.GetChain().GetSeq() <= s.Seq {
		return s, nil
	}
	s.Seq, s.Hash = e.GetChain().GetSeq(), e.GetChain().GetHash()
	for _, id := range e.GetInputIds() {
		s.Seen = s.Seen.with(id)
	}
	if e.GetReason() != "" {
		s.Ended = now
	}
	return s, nil
}
