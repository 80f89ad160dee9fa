package summary

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/split"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/testbed"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// patience is how long anything may take that has to come.
const patience = 30 * time.Second

// stage is a lane of facts on a real log whose steps break off between any two of their parts.
type stage struct {
	t  *testing.T
	rt *stream.Runtime
	on *testbed.Bed
}

func newStage(t *testing.T, crash func(split.Point) bool) *stage {
	bed := testbed.New(t, t.TempDir())
	wait := resilience.Decision{Action: resilience.Refuse, After: time.Minute}
	dep, err := resilience.New(resilience.Config{Name: "log", Decisions: resilience.Decisions{Down: wait, Slow: wait, Unreliable: wait}, Report: func(resilience.Incident) {}})
	if err != nil {
		t.Fatal(err)
	}
	rt, err := stream.New(stream.Config{Log: split.Wrap(split.Options{Log: bed.Log, Crash: crash}), Keys: bed.Keys, Dependency: dep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	return &stage{t, rt, bed}
}

// say publishes a fact as another service, twice now and then.
func (s *stage) say(v string, o stream.Output) {
	s.t.Helper()
	if o.Payload == nil {
		o.Payload = &factv1.Fact{}
	}
	a := stream.Ancestry{Source: "text", Version: 1, Client: "demo", Verification: v}
	for range 1 + o.Ordinal%2 {
		if err := s.rt.Publish(s.t.Context(), a, o); err != nil {
			s.t.Fatal(err)
		}
	}
}

// start runs the fold until stop, which waits for its end.
func (s *stage) start() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error)
	go func() { done <- stream.RunFold(ctx, s.rt, New()) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	}
}

// facts are those of a verification, opened; of each id the first.
func (s *stage) facts(v string) []*stream.Message {
	s.t.Helper()
	lanes, err := s.on.Log.Lanes(s.t.Context(), topic.Fact)
	if err != nil {
		s.t.Fatal(err)
	}
	at := log.Lane{Topic: topic.Fact, N: log.LaneOf([]byte(v), lanes)}
	bounds, err := s.on.Log.Bounds(s.t.Context(), at)
	if err != nil {
		s.t.Fatal(err)
	}
	var l lane
	for rec, err := range s.on.Log.Read(s.t.Context(), at, log.Pos{}, bounds[0].End) {
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := s.rt.Decode(rec)
		if err == nil && m.GetVerificationId() == v {
			m.Payload, err = m.Open(s.t.Context())
			l.facts = append(l.facts, m)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return l.first()
}

func (s *stage) ended(v string) bool {
	facts := s.facts(v)
	return len(facts) > 0 && facts[len(facts)-1].GetKind() == envelopev1.Kind_KIND_ENDED
}

// On a real log whose steps break off between outputs, state and position, with the fold stopped and started again, every verification has all
// its answers and ends once: by the last answer, or by the deadline.
func TestLifeOnTheRuntime(t *testing.T) {
	var points atomic.Int64
	for name, crash := range map[string]func(split.Point) bool{"split": nil, "broken": func(split.Point) bool { return points.Add(1)%4 == 0 }} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, crash)
			wants := []check.Medium{check.Selfie}
			stop := s.start()
			for v := range 4 {
				live(s, fmt.Sprintf("v%d", v), wants, v%2 == 0)
				stop()
				stop = s.start()
			}
			for v := range 4 {
				id := fmt.Sprintf("v%d", v)
				for end := time.Now().Add(patience); !s.ended(id); time.Sleep(20 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("%s has not ended: %d facts", id, len(s.facts(id)))
					}
				}
			}
			stop()
			for v := range 4 {
				facts := s.facts(fmt.Sprintf("v%d", v))
				examine(t, facts, wants)
				if want := []string{"complete", "deadline"}[v%2]; facts[len(facts)-1].GetReason() != want {
					t.Errorf("v%d ended by %s, want %s", v, facts[len(facts)-1].GetReason(), want)
				}
			}
		})
	}
}

// live opens a verification and answers for it; every third check is left to the deadline unless all are to be answered.
func live(s *stage, v string, wants []check.Medium, all bool) {
	if _, err := s.on.Keys.Create(s.t.Context(), "demo", v); err != nil {
		s.t.Fatal(err)
	}
	deadline := 200 * time.Millisecond
	if all {
		deadline = time.Minute
	}
	s.say(v, stream.Output{Kind: envelopev1.Kind_KIND_OPENED, Ordinal: 1, Opening: &stream.Opening{Wants: wants, Deadline: deadline, ExpiresAt: time.Now().Add(time.Hour)}})
	s.say(v, stream.Output{Kind: envelopev1.Kind_KIND_COMPLETE})
	for i, k := range check.Expected(wants) {
		if !all && i%3 == 0 {
			continue
		}
		o := stream.Finding(k, []envelopev1.Outcome{stream.Pass, stream.Fail, stream.NotPerformed}[i%3], "why", nil)
		o.Ordinal = i
		s.say(v, o)
	}
}
