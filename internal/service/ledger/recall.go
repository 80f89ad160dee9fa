package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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

// recall completes the state of a verification from its frames in the client's feed, as far back as that is kept, and says whether the fact at hand
// has a frame there. It reads a whole lane, and is needed only for what comes later than a day after the end. A verification
// without frames is one that only begins.
func recall(ctx context.Context, f Feed, s State, m *stream.Message) (_ State, framed bool, err error) {
	name := topic.Feed(m.GetClientId())
	lanes, err := f.Lanes(ctx, name)
	if errors.Is(err, log.ErrNoTopic) {
		return s, false, nil
	}
	if err != nil {
		return s, false, stream.Away(fmt.Errorf("lanes of the feed: %w", err))
	}
	lane := log.Lane{Topic: name, N: log.LaneOf([]byte(m.GetVerificationId()), lanes)}
	bounds, err := f.Bounds(ctx, lane)
	if err != nil {
		return s, false, stream.Away(fmt.Errorf("extent of the feed: %w", err))
	}
	for r, err := range f.Read(ctx, lane, log.Pos{}, bounds[0].End) {
		if err != nil {
			return s, false, stream.Away(fmt.Errorf("reading the feed: %w", err))
		}
		if string(r.Key) != m.GetVerificationId() {
			continue
		}
		var e envelopev1.Envelope
		if err := proto.Unmarshal(r.Val, &e); err != nil {
			return s, false, fmt.Errorf("reading a frame of the feed: %w", err)
		}
		s = s.relink(&e, m.At)
		framed = framed || slices.Contains(e.GetInputIds(), m.GetId())
	}
	return s, framed, nil
}

// relink takes over the place of a frame that is in the feed; a verification that ended counts as ended now, and is forgotten a day later.
func (s State) relink(e *envelopev1.Envelope, now time.Time) State {
	s.Recalled = true
	if e.GetChain().GetSeq() > s.Seq {
		s.Seq, s.Hash = e.GetChain().GetSeq(), e.GetChain().GetHash()
	}
	if e.GetReason() != "" && s.Ended.IsZero() {
		s.Ended = now
	}
	return s
}
