package split_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/log/split"
)

const inputs = 30

// TestCrashes has a small service copy records from one topic to another and count them in its state,
// while steps break off at drawn places. At least once, nothing may be missing, and a repetition shows;
// exactly once, nothing may be missing or doubled, and the state is right.
func TestCrashes(t *testing.T) {
	repeated := false
	for _, mode := range []log.Mode{log.AtLeastOnce, log.ExactlyOnce} {
		rapid.Check(t, func(rt *rapid.T) {
			plan := rapid.SliceOfN(rapid.IntRange(1, 6), inputs, inputs).Draw(rt, "crash at every n-th point")
			outs, count := run(t, mode, plan)
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
			if mode == log.ExactlyOnce && count != fmt.Sprint(inputs) {
				rt.Fatalf("counted %s", count)
			}
		})
	}
	if !repeated {
		t.Error("no step was ever repeated: the splitting does nothing")
	}
}

// run copies everything, and returns how often each input came out, and the count in the state.
func run(t *testing.T, mode log.Mode, plan []int) (outs map[string]int, count string) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	inner, err := embedded.Open(embedded.Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10})
	must(t, err)
	defer inner.Close()
	points, crashes := 0, 0
	l := split.Wrap(split.Options{Log: inner, Crash: func(split.Point) bool {
		points++
		if crashes < len(plan) && points%(plan[crashes]+1) == 0 {
			crashes++
			return true
		}
		return false
	}})
	must(t, l.Create(ctx, log.Topic{Name: "in.v1", Lanes: 1}, log.Topic{Name: "out.v1", Lanes: 1}))
	for i := range inputs {
		_, err := l.Publish(ctx, log.Rec{Lane: log.Lane{Topic: "in.v1"}, Val: fmt.Append(nil, i)})
		must(t, err)
	}
	m, err := l.Join(ctx, log.Group{Name: "copy", Input: "in.v1", State: "copy-state.v1", Mode: mode})
	must(t, err)
	for done := false; !done; {
		events, err := m.Poll(ctx)
		must(t, err)
		for _, e := range events {
			if r, ok := e.(log.Records); ok {
				done = copyAll(ctx, t, m, r)
			}
		}
	}
	v, _ := m.State(0).Get([]byte("count"))
	return read(ctx, t, l), string(v)
}

// copyAll steps record by record, until the last one or a step that fails; the lane comes back then.
func copyAll(ctx context.Context, t *testing.T, m log.Member, r log.Records) (done bool) {
	for _, rec := range r.Recs {
		n := 0
		if v, ok := m.State(r.Lane).Get([]byte("count")); ok {
			fmt.Sscan(string(v), &n)
		}
		err := m.Step(ctx, log.Step{Lane: r.Lane, Gen: r.Gen, Upto: rec.Pos.Next(),
			Out: []log.Rec{{Lane: log.Lane{Topic: "out.v1"}, Val: rec.Val}},
			Put: []log.KV{{Key: []byte("count"), Val: fmt.Append(nil, n+1)}}})
		if errors.Is(err, log.ErrUnknown) || errors.Is(err, log.ErrFenced) {
			return string(rec.Val) == fmt.Sprint(inputs-1) && committed(ctx, t, m)
		}
		must(t, err)
		done = string(rec.Val) == fmt.Sprint(inputs-1)
	}
	return done
}

// committed polls until the lane is back, and reports whether all of it was committed.
func committed(ctx context.Context, t *testing.T, m log.Member) bool {
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
				return copyAll(ctx, t, m, e)
			}
		}
	}
}

func read(ctx context.Context, t *testing.T, l log.Log) map[string]int {
	at := log.Lane{Topic: "out.v1"}
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
