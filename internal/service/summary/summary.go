// Package summary follows every open verification and says how it stands: the status of each group of checks whenever one changes, and, exactly
// once, that it ended.
//
// It is a fold over fact.v1 and never opens a payload: all it decides on stands in the envelopes. For each answer that the catalogue expects, the
// first finding in the lane counts; one that supersedes the counted one takes its place. When the deadline has passed with something open, summary
// says so, and closes what is open as not_performed(timeout); what others find after that is late and changes nothing. It reads back
// what it says: its state holds only what stands in the lane, so a crash, a replay or a second owner leads to the same words.
//
// The order is: all answers, then a summary without anything pending, then ended. Each step waits until the one before it was read back, which is why
// ended always rests on the summary before it.
//
// Nothing is said about a verification that was erased while it was open: there is no key to seal it with, and nobody to tell.
package summary

import (
	"context"
	"time"

	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

const (
	name    = "summary"
	version = 1
)

// New gives the fold.
func New() stream.Fold[State] {
	return stream.Fold[State]{Name: name, Version: version, Input: topic.Fact, Apply: apply, Say: say, Leave: leave, Over: over}
}

func apply(s *State, m *stream.Message) { s.apply(m.Envelope, m.At) }

func say(_ context.Context, s *State, now time.Time) ([]stream.Output, time.Time, error) {
	outs, again := s.due(now)
	return outs, again, nil
}

// over: nothing is said after the end.
func over(s *State) bool { return !s.Ended.IsZero() }

// keepFor is how long a state is kept after the verification ended.
const keepFor = 24 * time.Hour

// leave forgets a verification a day after its end. A state that was never opened is the trace of facts that came later still.
func leave(s *State) time.Time {
	switch {
	case !s.Ended.IsZero():
		return s.Ended.Add(keepFor)
	case s.Opened.IsZero():
		return s.Last.Add(keepFor)
	}
	return time.Time{}
}
