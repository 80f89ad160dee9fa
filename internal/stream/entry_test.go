package stream

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

func TestStateLeavesAndComesBackEmpty(t *testing.T) {
	e := newEnv(t, nil)
	var findings atomic.Int64
	f := tallies()
	f.Say = func(_ context.Context, s *tally, now time.Time) ([]Output, time.Time, error) {
		findings.Store(int64(s.Findings))
		outs, again := s.say(now)
		return outs, again, nil
	}
	run := func(ctx context.Context) error { return RunFold(ctx, e.rt, f) }
	e.opened("v")
	e.finding("v", 1)
	e.clock.add(time.Minute)
	stop := e.start(run)
	e.until("the end", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 2 })
	e.until("all committed", e.lagZero("tally", topic.Fact))
	stop()
	e.clock.add(25 * time.Hour)
	e.finding("another", 1) // moves the log's clock; the fold is late for its timers
	stop = e.start(run)
	e.until("all committed", e.lagZero("tally", topic.Fact))
	e.finding("v", 2)
	e.until("all committed", e.lagZero("tally", topic.Fact))
	stop()
	if n := findings.Load(); n != 1 {
		t.Errorf("after a day the state still knows %d findings", n)
	}
}

// Of what is over no ids are held, and what is said again after that changes nothing.
func TestWhatIsOverHoldsNoIDs(t *testing.T) {
	e := newEnv(t, nil)
	f := tallies()
	f.Over = func(s *tally) bool { return s.Ended }
	f.Say = func(_ context.Context, s *tally, now time.Time) ([]Output, time.Time, error) {
		if s.Ended {
			return nil, time.Time{}, nil
		}
		outs, again := s.say(now)
		return outs, again, nil
	}
	e.opened("v")
	for i := range 10 {
		e.finding("v", i)
	}
	e.opened("open")
	e.clock.add(5 * time.Second)
	e.opened("later")
	e.clock.add(6 * time.Second)
	run := func(ctx context.Context) error { return RunFold(ctx, e.rt, f) }
	stop := e.start(run)
	e.until("two ended", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 5+4 })
	for i := range 10 {
		e.finding("v", i)
	}
	e.until("all committed", e.lagZero("tally", topic.Fact))
	stop()
	held := map[string]int{}
	m, err := e.log.Join(t.Context(), log.Group{Name: "tally.v1", Input: topic.Fact, State: "tally.v1.state", Mode: log.AtLeastOnce})
	e.must(err)
	defer m.Close(t.Context())
	_, err = m.Poll(t.Context())
	e.must(err)
	for lane := range int32(4) {
		for name, val := range m.State(lane).All() {
			entry, err := decodeEntry[tally](val)
			e.must(err)
			held[string(name)] = len(entry.seen) + len(entry.said)
		}
	}
	if held["v"] != 0 || held["open"] != 0 || held["later"] != 1 || len(held) != 3 {
		t.Errorf("ids held: %v", held)
	}
	if n := len(ofSource(e.all(topic.Fact), "tally")); n != 9 {
		t.Errorf("%d were said", n)
	}
}

// What is forgotten leaves the state that is stored, too.
func TestForgottenStatesLeaveTheDisk(t *testing.T) {
	e := newEnv(t, nil)
	run := func(ctx context.Context) error { return RunFold(ctx, e.rt, tallies()) }
	e.opened("v")
	e.clock.add(time.Minute)
	stop := e.start(run)
	e.until("the end", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 2 })
	e.until("all committed", e.lagZero("tally", topic.Fact))
	stop()
	if names := e.stored("tally"); !slices.Equal(names, []string{"v"}) {
		t.Fatalf("after the end the states of %v are stored", names)
	}
	e.clock.add(25 * time.Hour)
	e.until("the state gone", func() bool {
		stop := e.start(run)
		time.Sleep(20 * time.Millisecond) // it has nothing to say of what it does
		stop()
		return len(e.stored("tally")) == 0
	})
}

func TestEntriesSurviveEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &entry[tally]{state: tally{Findings: rapid.Int().Draw(t, "n")}, seen: make(ids), said: make(ids)}
		for _, id := range rapid.SliceOf(rapid.String()).Draw(t, "seen") {
			e.seen.add(id)
		}
		for _, id := range rapid.SliceOf(rapid.String()).Draw(t, "said") {
			e.said.add(id)
		}
		e.due = fromNanos(rapid.Uint64Range(0, 1<<62).Draw(t, "due"))
		b, err := e.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeEntry[tally](b)
		if err != nil || back.state != e.state || len(back.seen) != len(e.seen) || len(back.said) != len(e.said) || !back.due.Equal(e.due) {
			t.Fatalf("%v: %+v is not %+v", err, back, e)
		}
		for cut := range b[:17] {
			if _, err := decodeEntry[tally](b[:cut]); err == nil {
				t.Fatal("a cut entry was accepted")
			}
		}
	})
}

func TestWakesComeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w wakes
		model := make(map[string]time.Time)
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			v := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "v")
			when := fromNanos(uint64(rapid.IntRange(0, 5).Draw(t, "when")))
			if w.set(v, when); when.IsZero() {
				delete(model, v)
			} else {
				model[v] = when
			}
			var want string
			for v, at := range model {
				if want == "" || at.Before(model[want]) || at.Equal(model[want]) && v < want {
					want = v
				}
			}
			if got, _, ok := w.first(); got != want || ok != (want != "") {
				t.Fatalf("first is %q, want %q", got, want)
			}
		}
	})
}
