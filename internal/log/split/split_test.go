package split_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/log/split"
)

const inputs = 12

// TestCrashes has a small service copy records from one topic to another and count them in its state,
// while steps break off at drawn places. At least once, nothing may be missing, and a repetition shows;
// exactly once, nothing may be missing or doubled, and the state is right.
func TestCrashes(t *testing.T) {
	repeated, cases := false, 0
	l, err := embedded.Open(embedded.Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10})
	must(t, err)
	defer l.Close()
	for _, mode := range []log.Mode{log.AtLeastOnce, log.ExactlyOnce} {
		rapid.Check(t, func(rt *rapid.T) {
			plan := rapid.SliceOfN(rapid.IntRange(1, 6), inputs, inputs).Draw(rt, "crash at every n-th point")
			cases++
			outs, count := run(t, l, service{mode: mode, plan: plan, name: fmt.Sprint(cases)})
			for i := range inputs {
				n := outs[fmt.Sprint(i)]
				if n == 0 {
					rt.Fatalf("input %d has no output", i)
				}
				repeated = repeated || n > 1
				if mode == log.ExactlyOnce && n != 1 {
					rt.Fatalf("input %d has %d outputs", i, n)
				}
			}
			if n, _ := strconv.Atoi(count); n < inputs {
				rt.Fatalf("counted %q of %d", count, inputs)
			}
			if mode == log.ExactlyOnce && count != fmt.Sprint(inputs) {
				rt.Fatalf("counted %s", count)
			}
		})
	}
	if !repeated {
		t.Error("no step was ever repeated: the splitting does nothing")
	}
}

type service struct {
	mode log.Mode
	plan []int
	name string // of its own topics and group
}

func (s service) in() string  { return "in.v1." + s.name }
func (s service) out() string { return "out.v1." + s.name }

// run copies everything, and returns how often each input came out, and the count in the state.
func run(t *testing.T, inner log.Log, s service) (outs map[string]int, count string) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	points, crashes := 0, 0
	l := split.Wrap(split.Options{Log: inner, Crash: func(split.Point) bool {
		points++
		if crashes < len(s.plan) && points%(s.plan[crashes]+1) == 0 {
			crashes++
			return true
		}
		return false
	}})
	must(t, l.Create(ctx, log.Topic{Name: s.in(), Lanes: 1}, log.Topic{Name: s.out(), Lanes: 1}))
	for i := range inputs {
		_, err := l.Publish(ctx, log.Rec{Lane: log.Lane{Topic: s.in()}, Val: fmt.Append(nil, i)})
		must(t, err)
	}
	m, err := l.Join(ctx, log.Group{Name: s.name, Input: s.in(), State: "state.v1." + s.name, Mode: s.mode})
	must(t, err)
	for done := false; !done; {
		events, err := m.Poll(ctx)
		must(t, err)
		for _, e := range events {
			if r, ok := e.(log.Records); ok {
				done = s.copyAll(ctx, t, m, r)
			}
		}
	}
	v, _ := m.State(0).Get([]byte("count"))
	must(t, m.Close(ctx))
	return read(ctx, t, l, s.out()), string(v)
}

// copyAll steps record by record, until the last one or a step that fails; the lane comes back then.
func (s service) copyAll(ctx context.Context, t *testing.T, m log.Member, r log.Records) (done bool) {
	for _, rec := range r.Recs {
		n := 0
		if v, ok := m.State(r.Lane).Get([]byte("count")); ok {
			fmt.Sscan(string(v), &n)
		}
		err := m.Step(ctx, log.Step{Lane: r.Lane, Gen: r.Gen, Upto: rec.Pos.Next(),
			Out: []log.Rec{{Lane: log.Lane{Topic: s.out()}, Val: rec.Val}},
			Put: []log.KV{{Key: []byte("count"), Val: fmt.Append(nil, n+1)}}})
		if errors.Is(err, log.ErrUnknown) || errors.Is(err, log.ErrFenced) {
			return string(rec.Val) == fmt.Sprint(inputs-1) && s.committed(ctx, t, m)
		}
		must(t, err)
		done = string(rec.Val) == fmt.Sprint(inputs-1)
	}
	return done
}

// committed polls until the lane is back, and reports whether all of it was committed.
func (s service) committed(ctx context.Context, t *testing.T, m log.Member) bool {
	for {
		events, err := m.Poll(ctx)
		must(t, err)
		for _, e := range events {
			switch e := e.(type) {
			case log.Gained:
				if e.Committed == e.StableEnd {
					return true
				}
			case log.Records:
				return s.copyAll(ctx, t, m, e)
			}
		}
	}
}

func read(ctx context.Context, t *testing.T, l log.Log, topic string) map[string]int {
	at := log.Lane{Topic: topic}
	b, err := l.Bounds(ctx, at)
	must(t, err)
	outs := map[string]int{}
	for r, err := range l.Read(ctx, at, log.Pos{}, b[0].End) {
		must(t, err)
		outs[string(r.Val)]++
	}
	return outs
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
