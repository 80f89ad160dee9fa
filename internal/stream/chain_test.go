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
	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// numbers is a chain that numbers the facts of a verification densely from 1.
type numbers struct{ Seq uint64 }

func numbering() Chain[numbers] {
	return Chain[numbers]{Name: "number", Version: 1, Input: topic.Fact,
		Next: func(_ context.Context, s *numbers, m *Message) ([]Output, error) {
			s.Seq++
			return []Output{{Topic: topic.Feed(m.GetClientId()), Name: "frame", Kind: envelopev1.Kind_KIND_FRAME,
				Chain: &envelopev1.Chain{Seq: s.Seq}, Payload: &feedv1.Frame{}}}, nil
		}}
}

// dense fails unless the frames of every verification are numbered 1, 2, 3, …, want of them, each fact framed once.
func (e *env) dense(verifications, want int) {
	e.t.Helper()
	next := make(map[string]uint64)
	rests := make(map[string]bool)
	for _, m := range e.all(topic.Feed("acme")) {
		v := m.GetVerificationId()
		if next[v]++; m.GetChain().GetSeq() != next[v] {
			e.t.Errorf("%s: frame %d where %d comes", v, m.GetChain().GetSeq(), next[v])
		}
		if rests[m.GetInputIds()[0]] {
			e.t.Errorf("%s: a fact was framed twice", v)
		}
		rests[m.GetInputIds()[0]] = true
	}
	for v, n := range next {
		if n != uint64(want) {
			e.t.Errorf("%s has %d frames, want %d", v, n, want)
		}
	}
	if len(next) != verifications {
		e.t.Errorf("%d verifications", len(next))
	}
}

func TestChainIsExactlyOnce(t *testing.T) {
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, crash)
			run := func(ctx context.Context) error { return RunChain(ctx, e.rt, numbering()) }
			stop := e.start(run)
			for i := range 40 {
				for v := range 3 {
					e.finding(fmt.Sprintf("v%d", v), i)
					e.finding(fmt.Sprintf("v%d", v), i/2) // a repetition
				}
				if i%10 == 5 {
					stop()
					stop = e.start(run)
				}
				if i == 20 {
					e.start(run) // a second owner
				}
			}
			e.until("all committed", e.lagZero("number", topic.Fact))
			e.dense(3, 40)
		})
	}
}

func TestChainWaitsInOrder(t *testing.T) {
	e := newEnv(t, nil)
	c := numbering()
	next := c.Next
	var tries atomic.Int64
	c.Next = func(ctx context.Context, s *numbers, m *Message) ([]Output, error) {
		outs, err := next(ctx, s, m)
		if m.GetVerificationId() == "v0" && tries.Add(1) < 4 {
			return outs, Away(errors.New("the log does not answer just now"))
		}
		return outs, err
	}
	for i := range 10 {
		e.finding("v0", i)
		e.finding("v1", i)
	}
	e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, c) })
	e.until("all committed", e.lagZero("number", topic.Fact))
	e.dense(2, 10)
}

// What nobody knows how to mend is reported at once, and soon makes way: one verification stops no lane. The numbers go on without a hole.
func TestChainGivesUpOnTheUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		c := numbering()
		next := c.Next
		var tries atomic.Int64
		c.Next = func(ctx context.Context, s *numbers, m *Message) ([]Output, error) {
			outs, err := next(ctx, s, m)
			switch {
			case m.GetKind() == envelopev1.Kind_KIND_INCIDENT:
				return nil, nil
			case m.GetReason() == "odd":
				tries.Add(1)
				return outs, errors.New("never seen that")
			}
			return outs, err
		}
		beside := "w"
		for log.LaneOf([]byte(beside), 4) != log.LaneOf([]byte("v"), 4) {
			beside += "w"
		}
		e.finding("v", 0)
		e.fact("v", Output{Kind: envelopev1.Kind_KIND_FINDING, Ordinal: 1, Reason: "odd"})
		e.finding("v", 2)
		e.finding(beside, 0)
		stop := e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, c) })
		time.Sleep(time.Second)
		if len(e.all(topic.Incident)) != 1 || len(e.all(topic.Dead)) != 0 {
			t.Errorf("after a second %d incidents and %d dead letters", len(e.all(topic.Incident)), len(e.all(topic.Dead)))
		}
		time.Sleep(9 * time.Second)
		if dead := e.all(topic.Dead); tries.Load() != chainTries || len(dead) != 1 || dead[0].GetReason() != "unknown_error" {
			t.Errorf("%d tries, dead letters %v", tries.Load(), dead)
		}
		numbered := map[string]uint64{}
		for _, m := range e.all(topic.Feed("acme")) {
			numbered[m.GetVerificationId()] = m.GetChain().GetSeq()
		}
		if numbered["v"] != 2 || numbered[beside] != 1 || !e.lagZero("number", topic.Fact)() {
			t.Errorf("the last numbers are %v", numbered)
		}
		stop()
		e.rt.Close()
	})
}

// Without log or key service a lane waits, however long: an hour without keys must not dead-letter everybody.
func TestChainWaitsForLogAndKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		e.finding("v", 1)
		e.finding("w", 1)
		e.finding("cached", 1)
		e.store.refuse(errors.New("away"))
		stop := e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, numbering()) })
		time.Sleep(time.Hour)
		e.store.refuse(nil)
		time.Sleep(time.Minute)
		if n := len(e.all(topic.Dead)) + len(e.all(topic.Incident)); n != 0 {
			t.Errorf("%d dead letters and incidents", n)
		}
		e.dense(3, 1)
		stop()
	})
}

// What the log can never take is buried, and the chain goes on, also when it is started again.
func TestChainBuriesWhatIsUnsayable(t *testing.T) {
	for reason, spoil := range map[string]func(*Output){
		"too_large": func(o *Output) { o.Reason = strings.Repeat("x", log.MaxRecord) },
		"bug":       func(o *Output) { o.Topic = topic.Feed(strings.Repeat("x", 250)) },
	} {
		t.Run(reason, func(t *testing.T) {
			e := newEnv(t, nil)
			c := numbering()
			next := c.Next
			c.Next = func(ctx context.Context, s *numbers, m *Message) ([]Output, error) {
				outs, err := next(ctx, s, m)
				if m.GetReason() == "spoil" {
					spoil(&outs[0])
				}
				return outs, err
			}
			e.finding("v", 0)
			e.fact("v", Output{Kind: envelopev1.Kind_KIND_FINDING, Ordinal: 1, Reason: "spoil"})
			e.finding("v", 2)
			stop := e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, c) })
			e.until("two frames", func() bool { return len(e.all(topic.Feed("acme"))) >= 2 })
			stop()
			e.rt.Close()
			dead := e.all(topic.Dead)
			if len(dead) != 1 || dead[0].GetReason() != reason {
				t.Errorf("dead letters: %v", dead)
			}
		})
	}
}

func TestChainBuriesWhatItCannotTake(t *testing.T) {
	e := newEnv(t, nil)
	c := numbering()
	next := c.Next
	c.Next = func(ctx context.Context, s *numbers, m *Message) ([]Output, error) {
		outs, err := next(ctx, s, m)
		switch m.GetReason() {
		case "poison":
			return nil, Poison("unframeable", errors.New("no"))
		case "panics":
			panic("no")
		}
		return outs, err
	}
	for i, reason := range []string{"", "poison", "", "panics", ""} {
		e.fact("v", Output{Kind: envelopev1.Kind_KIND_FINDING, Ordinal: i, Reason: reason})
	}
	stop := e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, c) })
	e.until("three frames", func() bool { return len(e.all(topic.Feed("acme"))) >= 3 })
	stop()
	e.rt.Close()
	var reasons []string
	for _, m := range e.all(topic.Dead) {
		reasons = append(reasons, m.GetReason())
	}
	if !slices.Equal(reasons, []string{"unframeable", "bug"}) {
		t.Errorf("dead letters: %v", reasons)
	}
	for i, m := range e.all(topic.Feed("acme"))[:3] {
		if m.GetChain().GetSeq() != uint64(i+1) {
			t.Errorf("frame %d has number %d", i, m.GetChain().GetSeq())
		}
	}
}

func TestChainForgetsAfterItsTime(t *testing.T) {
	e := newEnv(t, nil)
	c := numbering()
	start := e.clock.now()
	c.Leave = func(*numbers) time.Time { return start.Add(24 * time.Hour) }
	e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, c) })
	e.finding("v", 1)
	e.until("committed", e.lagZero("number", topic.Fact))
	e.clock.add(25 * time.Hour)
	e.finding("v", 2) // moves the log's clock
	e.until("committed", e.lagZero("number", topic.Fact))
	e.finding("v", 3)
	e.until("committed", e.lagZero("number", topic.Fact))
	frames := e.all(topic.Feed("acme"))
	if got := frames[len(frames)-1].GetChain().GetSeq(); got != 1 {
		t.Errorf("after a day the state still counts: %d", got)
	}
}

// What a chain forgets leaves the state that is stored, too.
func TestForgottenChainsLeaveTheDisk(t *testing.T) {
	e := newEnv(t, nil)
	c := numbering()
	c.Leave = func(*numbers) time.Time { return e.clock.now().Add(time.Hour) }
	beside := "w"
	for log.LaneOf([]byte(beside), 4) != log.LaneOf([]byte("v"), 4) {
		beside += "w"
	}
	stop := e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, c) })
	e.finding("v", 1)
	e.until("committed", e.lagZero("number", topic.Fact))
	for i := range 2 { // the first moves the clock of the lane
		e.clock.add(25 * time.Hour)
		e.finding(beside, i)
		e.until("committed", e.lagZero("number", topic.Fact))
	}
	stop()
	if names := e.stored("number"); !slices.Equal(names, []string{beside}) {
		t.Errorf("states of %v are stored", names)
	}
}

// Owners that come and go take over each other's lanes without a gap or a repetition.
func TestChainWithSeveralOwners(t *testing.T) {
	e := newEnv(t, nil)
	run := func(ctx context.Context) error { return RunChain(ctx, e.rt, numbering()) }
	stops := []func(){e.start(run)}
	for i := range 60 {
		for v := range 5 {
			e.finding(fmt.Sprintf("v%d", v), i)
		}
		switch i {
		case 10, 20, 30:
			stops = append(stops, e.start(run))
		case 25, 40:
			stops[0]()
			stops = stops[1:]
		}
	}
	e.until("all committed", e.lagZero("number", topic.Fact))
	e.dense(5, 60)
}

// unsure is a log of which every third step is given up a moment after it was handed over: it may have been written or not.
type unsure struct {
	log.Log
	steps atomic.Int64
	lost  atomic.Int64
}

type unsureMember struct {
	log.Member
	of *unsure
}

func (u *unsure) Join(ctx context.Context, g log.Group) (log.Member, error) {
	m, err := u.Log.Join(ctx, g)
	return unsureMember{m, u}, err
}

func (m unsureMember) Step(ctx context.Context, steps ...log.Step) error {
	n := m.of.steps.Add(1)
	if n%3 != 0 {
		return m.Member.Step(ctx, steps...)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(n%5)*50*time.Microsecond)
	defer cancel()
	err := m.Member.Step(ctx, steps...)
	if errors.Is(err, log.ErrUnknown) {
		m.of.lost.Add(1)
	}
	return err
}

// A step of which nobody knows whether it was written is read again: nothing is framed twice, and nothing is left out.
func TestStepsOfUnknownOutcome(t *testing.T) {
	e := newEnv(t, nil)
	doubtful := &unsure{Log: e.log}
	rt, err := New(Config{Log: doubtful, Keys: e.keys, Dependency: e.rt.dep, Clock: e.clock.now})
	e.must(err)
	e.start(func(ctx context.Context) error { return RunChain(ctx, rt, numbering()) })
	e.start(func(ctx context.Context) error { return RunFold(ctx, rt, tallies()) })
	for i := range 60 {
		for v := range 3 {
			e.finding(fmt.Sprintf("v%d", v), i)
		}
	}
	e.until("all said", func() bool { return len(distinct(ofSource(e.all(topic.Fact), "tally"))) == 3*30 })
	e.until("all folded", e.lagZero("tally", topic.Fact))
	e.until("all framed", e.lagZero("number", topic.Fact))
	e.dense(3, 90)
	for id, n := range distinct(ofSource(e.all(topic.Fact), "tally")) {
		if n != 1 {
			t.Errorf("%s was said %d times", id, n)
		}
	}
	if doubtful.lost.Load() == 0 {
		t.Error("no step was in doubt: the test shows nothing")
	}
	t.Logf("%d of %d steps in doubt", doubtful.lost.Load(), doubtful.steps.Load())
}
