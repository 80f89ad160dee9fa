package summary

import (
	"maps"
	"slices"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
)

// State is all that the lane said so far about one verification. Times are append times.
type State struct {
	Opened   time.Time         `json:"opened,omitzero"`
	Wants    []check.Medium    `json:"wants,omitempty"`
	Expires  time.Time         `json:"expires,omitzero"`
	Deadline time.Duration     `json:"deadline,omitempty"` // from complete
	Complete time.Time         `json:"complete,omitzero"`
	Answers  map[string]answer `json:"answers,omitempty"` // what counts, by check.Key
	Closed   string            `json:"closed,omitempty"`  // the reason for which it will end: since then only summary answers
	Settled  time.Time         `json:"settled,omitzero"`  // of the fact that left nothing open, or closed what was
	Said     []string          `json:"said,omitempty"`    // ids of the summaries in the lane
	Groups   map[string]string `json:"groups,omitempty"`  // of the last of them
	Ended    time.Time         `json:"ended,omitzero"`    // or erased
	Last     time.Time         `json:"last,omitzero"`
}

// answer is the finding that counts for one check about one medium.
type answer struct {
	ID      string             `json:"id"`
	Outcome envelopev1.Outcome `json:"outcome"`
}

// The two facts of the clock, and the reasons for which a verification ends.
const (
	closedByDeadline = "deadline"
	closedByExpiry   = "expired"
	endedComplete    = "complete"
)

// apply takes one fact into the state. It may see any fact again.
func (s *State) apply(e *envelopev1.Envelope, at time.Time) {
	s.Last = at
	if !s.Ended.IsZero() {
		return
	}
	switch e.GetKind() {
	case envelopev1.Kind_KIND_OPENED:
		s.open(e, at)
	case envelopev1.Kind_KIND_COMPLETE:
		s.complete(e, at)
	case envelopev1.Kind_KIND_FINDING:
		s.find(e)
	case envelopev1.Kind_KIND_DEADLINE:
		s.close(closedByDeadline, !s.Complete.IsZero(), at)
	case envelopev1.Kind_KIND_EXPIRED:
		s.close(closedByExpiry, s.Complete.IsZero(), at)
	case envelopev1.Kind_KIND_SUMMARY:
		s.said(e)
	case envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED:
		*s = State{Opened: s.Opened, Ended: at, Last: at} // for a day it only keeps what comes later from beginning anew
		return
	}
	if s.Settled.IsZero() && !s.Opened.IsZero() && !s.Complete.IsZero() && len(s.unanswered()) == 0 {
		s.Settled = at
	}
}

func (s *State) open(e *envelopev1.Envelope, at time.Time) {
	if !s.Opened.IsZero() {
		return
	}
	s.Opened, s.Wants = at, e.GetWants()
	s.Deadline = time.Duration(e.GetDeadlineMs()) * time.Millisecond
	if e.GetExpiresAt() != nil {
		s.Expires = e.GetExpiresAt().AsTime()
	}
}

// complete starts the deadline. Where it names media, these are all there will be: for a medium that was not sent nothing is answered.
func (s *State) complete(e *envelopev1.Envelope, at time.Time) {
	if !s.Complete.IsZero() || s.Closed != "" {
		return
	}
	s.Complete = at
	if len(e.GetWants()) > 0 {
		s.Wants = e.GetWants()
	}
}

// find counts a finding if it is the first of its check and medium, or supersedes the one that counts. Once the time is up only summary's own
// words for what is open count, and once the last summary is said nothing does.
func (s *State) find(e *envelopev1.Envelope) {
	key := check.Key{Check: e.GetCheck(), Medium: e.GetMedium()}.String()
	had, taken := s.Answers[key]
	if taken && (e.GetSupersedes() == "" || e.GetSupersedes() != had.ID) || s.Closed != "" && e.GetSource() != name || s.final() {
		return
	}
	if s.Answers == nil {
		s.Answers = map[string]answer{}
	}
	s.Answers[key] = answer{e.GetId(), e.GetOutcome()}
}

// close takes a fact of the clock. One that found nothing open only keeps out what comes later.
func (s *State) close(why string, may bool, at time.Time) {
	if s.Closed != "" || !may {
		return
	}
	if s.Closed = why; !s.Settled.IsZero() {
		s.Closed = endedComplete
		return
	}
	s.Settled = at
}

// said reads back a summary. Two owners may have said the same one: the first counts.
func (s *State) said(e *envelopev1.Envelope) {
	if !slices.Contains(s.Said, e.GetId()) {
		s.Said, s.Groups = append(s.Said, e.GetId()), e.GetGroups()
	}
}

// unanswered lists what is still open.
func (s *State) unanswered() []check.Key {
	var out []check.Key
	for _, k := range check.Expected(s.Wants) {
		if _, ok := s.Answers[k.String()]; !ok {
			out = append(out, k)
		}
	}
	return out
}

// final says that the last summary in the lane is the last word: it has nothing pending, and nothing has changed since.
func (s *State) final() bool {
	if len(s.Said) == 0 || s.Complete.IsZero() && s.Closed == "" {
		return false
	}
	for _, status := range s.Groups {
		if status == pending {
			return false
		}
	}
	return maps.Equal(s.Groups, s.groups())
}
