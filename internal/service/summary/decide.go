package summary

import (
	"maps"
	"slices"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// The status of a group, from good to bad; pending hides the others.
const (
	clear         = "clear"
	unchecked     = "unchecked"     // something was not performed, or had no result
	caution       = "caution"       // a contradiction that honest people have too
	unprocessable = "unprocessable" // a better picture is needed
	suspected     = "suspected"     // a sign of forgery
	pending       = "pending"       // something is open
)

// order is from good to bad; what stands behind hides what stands before.
var order = [...]string{clear, unchecked, caution, unprocessable, suspected, pending}

func worse(a, b string) bool {
	return slices.Index(order[:], a) > slices.Index(order[:], b)
}

// status says what one answer makes of its group.
func status(o envelopev1.Outcome, k check.Kind) string {
	switch {
	case o == stream.Pass || o == stream.NotApplicable:
		return clear
	case o != stream.Fail:
		return unchecked
	case k == check.Fraud:
		return suspected
	case k == check.Mismatch:
		return caution
	}
	return unprocessable
}

// groups gives the status of every group: pending while something of it is open, else the worst of its answers.
func (s *State) groups() map[string]string {
	out := map[string]string{}
	for _, k := range check.Expected(s.Wants) {
		c, _ := check.ByID(k.Check)
		now := pending
		if a, ok := s.Answers[k.String()]; ok {
			now = status(a.Outcome, c.Kind)
		}
		if worse(now, out[c.Group]) {
			out[c.Group] = now
		}
	}
	return out
}

// due lists what should be said by now that does not stand in the lane yet, and when to ask again.
func (s *State) due(now time.Time) (outs []stream.Output, again time.Time) {
	if s.Opened.IsZero() || !s.Ended.IsZero() {
		return nil, time.Time{}
	}
	if s.final() {
		return []stream.Output{s.ended()}, time.Time{}
	}
	open := s.unanswered()
	clock, again := s.timer(open, now)
	outs = append(outs, clock...)
	outs = append(outs, s.timeouts(open)...)
	if groups := s.groups(); s.changed(groups, open) {
		outs = append(outs, s.summary(groups, open))
	}
	return outs, again
}

// timer says the fact of the clock that is due, or when it will be.
func (s *State) timer(open []check.Key, now time.Time) ([]stream.Output, time.Time) {
	at, kind, fact := s.Expires, envelopev1.Kind_KIND_EXPIRED, &factv1.Fact{What: &factv1.Fact_Expired{Expired: &factv1.Expired{}}}
	if !s.Complete.IsZero() {
		at, kind, fact = s.Complete.Add(s.Deadline), envelopev1.Kind_KIND_DEADLINE, &factv1.Fact{What: &factv1.Fact_Deadline{Deadline: &factv1.Deadline{}}}
	}
	switch {
	case s.Closed != "" || at.IsZero() || !s.Complete.IsZero() && len(open) == 0:
		return nil, time.Time{}
	case now.Before(at):
		return nil, at
	}
	return []stream.Output{{Kind: kind, Payload: fact}}, time.Time{}
}

// timeouts answers for those who did not, once the time is up.
func (s *State) timeouts(open []check.Key) []stream.Output {
	reason := map[string]string{closedByDeadline: "timeout", closedByExpiry: "expired"}[s.Closed]
	if reason == "" {
		return nil
	}
	var outs []stream.Output
	for _, k := range open {
		outs = append(outs, stream.Finding(k, stream.NotPerformed, reason, &factv1.Finding{Detector: &factv1.Detector{Name: name, Version: "1"}}))
	}
	return outs
}

// changed says whether the groups stand otherwise than the last summary has it; before the first they are all pending.
func (s *State) changed(groups map[string]string, open []check.Key) bool {
	if len(s.Said) > 0 {
		return !maps.Equal(groups, s.Groups)
	}
	for _, g := range groups {
		if g != pending {
			return true
		}
	}
	return len(open) == 0
}

func (s *State) summary(groups map[string]string, open []check.Key) stream.Output {
	sum := &factv1.Summary{Open: uint32(len(open)), Complete: len(open) == 0}
	return stream.Output{Kind: envelopev1.Kind_KIND_SUMMARY, Ordinal: len(s.Said), Groups: groups,
		Payload: &factv1.Fact{What: &factv1.Fact_Summary{Summary: sum}}}
}

func (s *State) ended() stream.Output {
	reason, since := endedComplete, s.Complete
	if s.Closed != "" {
		reason = s.Closed
	}
	if since.IsZero() {
		since = s.Opened
	}
	end := &factv1.Ended{Findings: uint32(len(check.Expected(s.Wants))), TookMs: uint32(max(0, s.Settled.Sub(since).Milliseconds()))}
	return stream.Output{Kind: envelopev1.Kind_KIND_ENDED, Reason: reason, Payload: &factv1.Fact{What: &factv1.Fact_Ended{Ended: end}}}
}
