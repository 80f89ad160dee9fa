package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/testbed"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// doubtful is a log of which every other step is given up a moment after it was handed over.
type doubtful struct {
	log.Log
	steps, unknown atomic.Int64
}

type doubtfulMember struct {
	log.Member
	of *doubtful
}

func (d *doubtful) Join(ctx context.Context, g log.Group) (log.Member, error) {
	m, err := d.Log.Join(ctx, g)
	return doubtfulMember{m, d}, err
}

func (m doubtfulMember) Step(ctx context.Context, steps ...log.Step) error {
	if m.of.steps.Add(1)%2 == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 100*time.Microsecond)
		defer cancel()
	}
	err := m.Member.Step(ctx, steps...)
	if errors.Is(err, log.ErrUnknown) {
		m.of.unknown.Add(1)
	}
	return err
}

// records reads what stands in all lanes of a topic.
func records(t *testing.T, l log.Log, name string) (out []log.Rec) {
	t.Helper()
	n, err := l.Lanes(t.Context(), name)
	if err != nil && !errors.Is(err, log.ErrNoTopic) {
		t.Fatal(err)
	}
	for i := range n {
		bounds, err := l.Bounds(t.Context(), log.Lane{Topic: name, N: i})
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := range l.Read(t.Context(), bounds[0].Lane, log.Pos{}, bounds[0].End) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rec)
		}
	}
	return out
}

// On a real log that loses answers of steps, with the ledger stopped and started again, the feed is the one that the specification names.
func TestSequenceOnTheRuntime(t *testing.T) {
	bed := testbed.New(t, t.TempDir())
	wait := resilience.Decision{Action: resilience.Refuse, After: time.Minute}
	dep, err := resilience.New(resilience.Config{Name: "log", Decisions: resilience.Decisions{Down: wait, Slow: wait, Unreliable: wait}, Report: func(resilience.Incident) {}})
	if err != nil {
		t.Fatal(err)
	}
	l := &doubtful{Log: bed.Log}
	rt, err := stream.New(stream.Config{Log: l, Keys: bed.Keys, Dependency: dep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	chain, err := New(Config{Keys: bed.Keys, Feed: bed.Log})
	if err != nil {
		t.Fatal(err)
	}
	start := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- stream.RunChain(ctx, rt, chain) }()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	stop := start()
	for i := range 24 {
		for _, v := range []string{"v1", "v2", "v3"} {
			publish(t, bed, v, i)
		}
		if i%8 == 5 {
			stop()
			stop = start()
		}
	}
	facts := decoded(t, bed)
	want := 0
	for _, v := range []string{"v1", "v2", "v3"} {
		want += len(model(facts, v))
	}
	for end := time.Now().Add(30 * time.Second); len(records(t, bed.Log, topic.Feed("demo"))) < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d frames, want %d", len(records(t, bed.Log, topic.Feed("demo"))), want)
		}
	}
	stop()
	for _, v := range []string{"v1", "v2", "v3"} {
		lines, got := delivered(t, bed, v)
		if d := cmp.Diff(model(facts, v), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", v, d)
		}
		if err := frame.Verify(lines); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
	if l.unknown.Load() == 0 {
		t.Error("no step was in doubt: the test shows nothing")
	}
}

// An incident of an upload that was refused stands in nobody's way: what comes behind it in its lane is framed.
func TestTheRefusedDelayNobody(t *testing.T) {
	bed := testbed.New(t, t.TempDir())
	chain, err := New(Config{Keys: bed.Keys, Feed: bed.Log})
	if err != nil {
		t.Fatal(err)
	}
	lanes, err := bed.Log.Lanes(t.Context(), topic.Fact)
	if err != nil {
		t.Fatal(err)
	}
	beside := "w"
	for log.LaneOf([]byte(beside), lanes) != log.LaneOf([]byte("v"), lanes) {
		beside += "w"
	}
	if _, err := bed.Keys.Create(t.Context(), "demo", "v"); err != nil {
		t.Fatal(err)
	}
	bed.Runtime.Report(resilience.Incident{Dependency: "blobs", Condition: resilience.Slow, Client: "demo", Verification: "v"})
	bed.Runtime.Close() // waits for it
	if err := bed.Keys.Discard(t.Context(), "demo", "v"); err != nil {
		t.Fatal(err)
	}
	publish(t, bed, beside, 0)
	if n := len(records(t, bed.Log, topic.Fact)); n != 3 { // opened is said twice
		t.Fatalf("%d facts", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- stream.RunChain(ctx, bed.Runtime, chain) }()
	for end := time.Now().Add(20 * time.Second); len(records(t, bed.Log, topic.Feed("demo"))) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the lane stands still")
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if frames := records(t, bed.Log, topic.Feed("demo")); len(frames) != 1 || string(frames[0].Key) != beside || len(records(t, bed.Log, topic.Dead)) != 0 {
		t.Errorf("%d frames, %d dead letters", len(frames), len(records(t, bed.Log, topic.Dead)))
	}
}

// publish says the i-th fact of a life that ends before its last facts come; every third is said twice.
func publish(t *testing.T, bed *testbed.Bed, v string, i int) {
	t.Helper()
	if _, err := bed.Keys.Create(t.Context(), "demo", v); err != nil {
		t.Fatal(err)
	}
	kind := map[int]envelopev1.Kind{0: envelopev1.Kind_KIND_OPENED, 3: envelopev1.Kind_KIND_COMPLETE, 15: envelopev1.Kind_KIND_DEADLINE,
		18: envelopev1.Kind_KIND_SUMMARY, 19: envelopev1.Kind_KIND_ENDED}[i]
	if kind == 0 {
		kind = envelopev1.Kind_KIND_FINDING
	}
	o := stream.Output{Kind: kind, Name: fmt.Sprint("fact ", i), Check: "doc.image.focus", Payload: &factv1.Fact{}}
	a := stream.Ancestry{Source: []string{"text", "summary"}[i%2], Version: 1, Client: "demo", Verification: v}
	for range 1 + (i+2)%3/2 {
		if err := bed.Runtime.Publish(t.Context(), a, o); err != nil {
			t.Fatal(err)
		}
	}
}

func decoded(t *testing.T, bed *testbed.Bed) (facts []*stream.Message) {
	t.Helper()
	for _, rec := range records(t, bed.Log, topic.Fact) {
		m, err := bed.Runtime.Decode(rec)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, m)
	}
	return facts
}

// delivered are the frames of a verification as they stand in the feed.
func delivered(t *testing.T, bed *testbed.Bed, v string) (lines [][]byte, got []placed) {
	t.Helper()
	for _, rec := range records(t, bed.Log, topic.Feed("demo")) {
		m, err := bed.Runtime.Decode(rec)
		if err != nil {
			t.Fatal(err)
		}
		if m.GetVerificationId() != v {
			continue
		}
		p, err := m.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f := p.(*feedv1.Frame)
		line, err := frame.Splice(frame.Head{T: "msg", PrevHash: m.Chain.PrevHash, Hash: m.Chain.Hash, Salt: hex.EncodeToString(f.Salt)}, f.Body)
		if err != nil {
			t.Fatal(err)
		}
		msg, err := frame.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		lines, got = append(lines, line), append(got, placed{msg.ID, msg.Late})
	}
	return lines, got
}
