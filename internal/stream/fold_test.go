package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// tally is the state of a fold that says one summary for every second finding, a deadline ten seconds after it was opened, and then
// the end.
type tally struct {
	Findings, Summaries int
	Opened              time.Time
	Deadline, Ended     bool
	EndedAt             time.Time
}

func (s *tally) apply(m *Message) {
	switch m.GetKind() {
	case envelopev1.Kind_KIND_OPENED:
		s.Opened = m.At
	case envelopev1.Kind_KIND_FINDING:
		if m.GetReason() == "explode" {
			s.Findings = 1000
			panic("this fact is too much")
		}
		s.Findings++
	case envelopev1.Kind_KIND_SUMMARY:
		s.Summaries++
	case envelopev1.Kind_KIND_DEADLINE:
		s.Deadline = true
	case envelopev1.Kind_KIND_ENDED:
		s.Ended, s.EndedAt = true, m.At
	}
}

func (s *tally) say(now time.Time) (outs []Output, again time.Time) {
	for i := range s.Findings / 2 {
		outs = append(outs, Output{Kind: envelopev1.Kind_KIND_SUMMARY, Ordinal: i, Payload: &factv1.Fact{}})
	}
	if s.Opened.IsZero() || s.Ended {
		return outs, again
	}
	switch due := s.Opened.Add(10 * time.Second); {
	case s.Deadline:
		outs = append(outs, Output{Kind: envelopev1.Kind_KIND_ENDED, Reason: "deadline", Payload: &factv1.Fact{}})
	case !now.Before(due):
		outs = append(outs, Output{Kind: envelopev1.Kind_KIND_DEADLINE, Payload: &factv1.Fact{}})
	default:
		again = due
	}
	return outs, again
}

func tallies() Fold[tally] {
	return Fold[tally]{Name: "tally", Version: 1, Input: topic.Fact, Apply: (*tally).apply,
		Say: func(_ context.Context, s *tally, now time.Time) ([]Output, time.Time, error) {
			outs, again := s.say(now)
			return outs, again, nil
		},
		Leave: func(s *tally) time.Time {
			if s.EndedAt.IsZero() {
				return time.Time{}
			}
			return s.EndedAt.Add(24 * time.Hour)
		}}
}

func (e *env) finding(v string, i int) {
	e.fact(v, Output{Kind: envelopev1.Kind_KIND_FINDING, Check: "doc.image.focus", Ordinal: i, Outcome: Pass})
}

func (e *env) opened(v string) { e.fact(v, Output{Kind: envelopev1.Kind_KIND_OPENED}) }

func kinds(ms []*Message, verification string) (out []string) {
	for _, m := range ms {
		if m.GetVerificationId() == verification {
			out = append(out, kindName(m.GetKind()))
		}
	}
	return out
}

func TestFoldSaysExactlyTheDifference(t *testing.T) {
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, crash)
			run := func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) }
			stop := e.start(run)
			for i := range 30 {
				for v := range 4 {
					e.finding(fmt.Sprintf("v%d", v), i)
					e.finding(fmt.Sprintf("v%d", v), i/2) // a repetition
				}
				if i%10 == 9 {
					stop()
					stop = e.start(run)
				}
			}
			count := func() int { return len(distinct(ofSource(e.all(topic.Fact), "tally"))) }
			e.until("all said", func() bool { return count() == 4*15 })
			e.until("all committed", e.lagZero("tally", topic.Fact))
			stop()
			for id, n := range distinct(ofSource(e.all(topic.Fact), "tally")) {
				if n != 1 {
					t.Errorf("%s was said %d times", id, n)
				}
			}
		})
	}
}

func TestFoldWithTwoOwners(t *testing.T) {
	e := newEnv(t, nil)
	run := func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) }
	stop := e.start(run)
	for i := range 60 {
		e.finding(fmt.Sprintf("v%d", i%6), i)
		switch i {
		case 20:
			e.start(run)
		case 40:
			stop()
		}
	}
	e.until("all said", func() bool { return len(distinct(ofSource(e.all(topic.Fact), "tally"))) == 6*5 })
	e.until("all committed", e.lagZero("tally", topic.Fact))
	if n := len(distinct(ofSource(e.all(topic.Fact), "tally"))); n != 30 {
		t.Errorf("%d different sayings", n)
	}
}

func TestFoldSaysNothingBeforeItHasCaughtUp(t *testing.T) {
	e := newEnv(t, nil)
	e.opened("v")
	e.finding("v", 1)
	e.finding("v", 2)
	a := Ancestry{Source: "tally", Version: 1, Client: "acme", Verification: "v"}
	s := tally{Findings: 2}
	outs, _ := s.say(time.Time{})
	e.must(e.rt.Publish(t.Context(), a, outs...)) // said by a former life, whose state was lost
	e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) })
	e.until("all committed", e.lagZero("tally", topic.Fact))
	if said := ofSource(e.all(topic.Fact), "tally"); len(said) != 1 {
		t.Errorf("said %v again", kinds(said, "v"))
	}
}

func TestTimersFireOnceInOrderAfterALongStop(t *testing.T) {
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, crash)
			run := func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) }
			stop := e.start(run)
			for v := range 5 {
				e.clock.add(time.Second)
				e.opened(fmt.Sprintf("v%d", v))
			}
			e.until("all committed", e.lagZero("tally", topic.Fact))
			stop()
			if n := len(ofSource(e.all(topic.Fact), "tally")); n != 0 {
				t.Fatalf("%d said before their time", n)
			}
			e.clock.add(time.Hour)
			e.start(run)
			e.until("all ended", func() bool { return len(distinct(ofSource(e.all(topic.Fact), "tally"))) == 10 })
			e.until("all committed", e.lagZero("tally", topic.Fact))
			all := e.all(topic.Fact)
			for v := range 5 {
				got := kinds(all, fmt.Sprintf("v%d", v))
				if !slices.Equal(got, []string{"opened", "deadline", "ended"}) {
					t.Errorf("v%d: %v", v, got)
				}
			}
			deadlines := make(map[int32]string)
			for _, m := range all {
				if m.GetKind() == envelopev1.Kind_KIND_DEADLINE {
					if m.GetVerificationId() < deadlines[m.Lane.N] {
						t.Error("timers of a lane fired out of order")
					}
					deadlines[m.Lane.N] = m.GetVerificationId()
				}
			}
		})
	}
}

func TestTimerFiresInAnIdleLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		stop := e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) })
		e.opened("v")
		time.Sleep(9 * time.Second)
		if n := len(ofSource(e.all(topic.Fact), "tally")); n != 0 {
			t.Error("a timer fired early")
		}
		time.Sleep(1100 * time.Millisecond)
		if got := kinds(e.all(topic.Fact), "v"); !slices.Equal(got, []string{"opened", "deadline", "ended"}) {
			t.Errorf("after ten seconds: %v", got)
		}
		stop()
	})
}

func TestFoldOnABrokenFact(t *testing.T) {
	e := newEnv(t, nil)
	stop := e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) })
	e.finding("v", 1)
	e.fact("v", Output{Kind: envelopev1.Kind_KIND_FINDING, Ordinal: 7, Reason: "explode"})
	e.finding("v", 2)
	e.until("one summary", func() bool { return slices.Contains(kinds(e.all(topic.Fact), "v"), "summary") })
	e.until("all committed", e.lagZero("tally", topic.Fact))
	stop()
	e.rt.Close()
	if n := len(distinct(ofSource(e.all(topic.Fact), "tally"))); n != 2 || len(e.all(topic.Dead)) != 1 {
		t.Errorf("%d said (one summary, one incident), %d dead letters", n, len(e.all(topic.Dead)))
	}
}

func TestSayIsAskedAgainAfterAnError(t *testing.T) {
	e := newEnv(t, nil)
	f := tallies()
	var calls atomic.Int64
	f.Say = func(_ context.Context, s *tally, now time.Time) ([]Output, time.Time, error) {
		if calls.Add(1) < 3 {
			return nil, time.Time{}, errors.New("no key just now")
		}
		outs, again := s.say(now)
		return outs, again, nil
	}
	e.finding("v", 1)
	e.finding("v", 2)
	e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, f) })
	e.until("the summary", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 1 })
}

// An error that nobody knows is one incident, and asked again.
func TestAnUnknownErrorOfSayIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		f := tallies()
		f.Say = func(context.Context, *tally, time.Time) ([]Output, time.Time, error) {
			return nil, time.Time{}, errors.New("never seen that")
		}
		e.finding("v", 1)
		stop := e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, f) })
		time.Sleep(time.Hour)
		if n := len(e.all(topic.Incident)); n != 1 {
			t.Errorf("%d incidents in an hour", n)
		}
		stop()
		e.rt.Close()
	})
}

// What the log can never take is not tried for ever, costs an incident, and is in nobody's way.
func TestFoldOnWhatIsUnsayable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		f := tallies()
		say := f.Say
		var calls atomic.Int64
		f.Say = func(ctx context.Context, s *tally, now time.Time) ([]Output, time.Time, error) {
			outs, again, err := say(ctx, s, now)
			if s.Findings > 2 {
				calls.Add(1)
				outs[0].Reason = strings.Repeat("x", log.MaxRecord)
			}
			return outs, again, err
		}
		for i := range 3 {
			e.finding("bad", i)
		}
		e.finding("good", 1)
		e.finding("good", 2)
		stop := e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, f) })
		time.Sleep(time.Hour)
		if n := calls.Load(); n == 0 || n > 6 { // the incident is new, too
			t.Errorf("asked %d times", n)
		}
		all := e.all(topic.Fact)
		if !slices.Contains(kinds(all, "good"), "summary") || slices.Contains(kinds(all, "bad"), "summary") || !e.lagZero("tally", topic.Fact)() {
			t.Errorf("of the good it says %v, of the bad %v", kinds(all, "good"), kinds(all, "bad"))
		}
		stop()
		e.rt.Close()
		if len(e.all(topic.Incident)) == 0 {
			t.Error("no incident")
		}
	})
}

// What cannot be sealed just now is said when it can, whole and once.
func TestWithoutTheKeyServiceAFoldWaits(t *testing.T) {
	e := newEnv(t, nil)
	for _, v := range []string{"v", "w", "cached"} {
		e.finding(v, 1)
		e.finding(v, 2)
	}
	e.store.refuse(errors.New("away"))
	e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) })
	e.until("the cached one said", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 1 })
	e.store.refuse(nil)
	e.until("all said", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 3 })
	for _, m := range ofSource(e.all(topic.Fact), "tally") {
		if _, err := m.Open(t.Context()); err != nil || len(m.GetSealed()) == 0 {
			t.Errorf("%s: %d bytes, %v", m.GetVerificationId(), len(m.GetSealed()), err)
		}
	}
}

// A Say that panics or calls its own state poison is asked again only when there is something new, costs incidents, and is in nobody's way.
func TestABrokenSayIsLeftAlone(t *testing.T) {
	for name, fail := range map[string]func() error{"panic": func() error { panic("no") }, "poison": func() error { return Poison("broken", errors.New("no")) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEnv(t, nil)
				f := tallies()
				say := f.Say
				var calls atomic.Int64
				f.Say = func(ctx context.Context, s *tally, now time.Time) ([]Output, time.Time, error) {
					if s.Findings == 3 {
						calls.Add(1)
						return nil, time.Time{}, fail()
					}
					return say(ctx, s, now)
				}
				stop := e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, f) })
				for i := range 3 {
					e.finding("bad", i)
				}
				e.finding("good", 1)
				e.finding("good", 2)
				time.Sleep(time.Second)
				asked := calls.Load()
				time.Sleep(time.Minute)
				if calls.Load() != asked || asked == 0 || asked > 6 { // its own summary and the incident are new, too
					t.Errorf("asked %d times, and %d times in a minute without anything new", asked, calls.Load()-asked)
				}
				e.rt.Close()
				if got := kinds(ofSource(e.all(topic.Fact), "tally"), "good"); !slices.Equal(got, []string{"summary"}) || len(e.all(topic.Incident)) == 0 {
					t.Errorf("of the other it says %v; %d incidents", got, len(e.all(topic.Incident)))
				}
				e.finding("bad", 4)
				time.Sleep(time.Second)
				got := slices.DeleteFunc(kinds(ofSource(e.all(topic.Fact), "tally"), "bad"), func(k string) bool { return k == "incident" })
				if len(got) != 2 {
					t.Errorf("after the next fact it said %v", got)
				}
				stop()
			})
		})
	}
}

func TestFoldSpeaksAboutTheErasedWithoutPayload(t *testing.T) {
	e := newEnv(t, nil)
	e.finding("v", 1)
	e.finding("v", 2)
	e.must(e.keys.Erase(t.Context(), "acme", "v"))
	e.start(func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) })
	e.until("the summary", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 1 })
}
