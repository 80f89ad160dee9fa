package consistency

import (
	"context"
	"fmt"
	"slices"
	"time"

	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// reader shows a state to the rules. It opens each sealed value at most once, and notes what was looked at.
type reader struct {
	document
	looked []*stream.Message
	err    error // the first thing that could not be opened: no answer of this round may be said
}

func (sv service) reader(ctx context.Context, s *State) *reader {
	r := &reader{}
	unseal := func(raw []byte) *factv1.Fact {
		fact, err := sv.open(ctx, raw)
		if err != nil && r.err == nil {
			r.err = err
		}
		return fact
	}
	values := map[string]*factv1.Value{}
	var request *factv1.Opened
	r.document = document{today: day(s.Opened), request: func() *factv1.Opened {
		if request == nil {
			request = unseal(s.Request).GetOpened()
		}
		return request
	}}
	for _, m := range []check.Medium{check.Document, check.Back} {
		if slices.Contains(s.Wants, m) {
			r.sides = append(r.sides, m)
		}
	}
	r.look = func(k check.Key) reading {
		in, ok := s.Inputs[k.String()]
		if !ok {
			return reading{}
		}
		r.looked = append(r.looked, in.message())
		if in.Outcome != stream.Pass {
			return without(in.Outcome, in.Reason)
		}
		if _, ok := values[in.ID]; !ok {
			values[in.ID] = unseal(in.Event).GetFinding().GetValue()
		}
		return read(values[in.ID])
	}
	return r
}

// open unseals a kept event.
func (sv service) open(ctx context.Context, raw []byte) (*factv1.Fact, error) {
	m, err := sv.Decode(log.Rec{Lane: log.Lane{Topic: topic.Fact}, Val: raw})
	if err != nil {
		return nil, fmt.Errorf("decoding a kept event: %w", err)
	}
	payload, err := m.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a kept event: %w", err)
	}
	fact, _ := payload.(*factv1.Fact)
	return fact, nil
}

// day is the beginning of a day, UTC.
func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
