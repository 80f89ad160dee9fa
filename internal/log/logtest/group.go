package logtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/log"
)

// keyIn is a key of a lane.
func keyIn(lane, lanes int32) string {
	for i := 0; ; i++ {
		if k := fmt.Sprintf("k%d", i); log.LaneOf([]byte(k), lanes) == lane {
			return k
		}
	}
}

func testGroup(t *testing.T, e Env) {
	create(t, e.Log, topicA, 2)
	p := publish(t, e.Log, topicA, keyIn(1, 2), 1000)
	m := join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.holding(2))
	if g := m.gained[1]; !g.Committed.IsZero() || g.StableEnd != p[999].Pos.Next() || g.Gen == 0 {
		t.Errorf("gained %+v", g)
	}
	m.poll(m.having(1, 1000))
	if d := cmp.Diff(p, m.recs[1]); d != "" {
		t.Error(d)
	}
	publish(t, e.Log, topicA, keyIn(0, 2), 1)
	m.poll(m.having(0, 1))
	no(t, m.step(1, 400, log.Step{}))
	no(t, m.step(1, 300, log.Step{})) // never goes back
	no(t, m.Close(ctx(t)))
	_, err := m.Poll(ctx(t))
	want(t, err, log.ErrClosed)
	m = join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.having(1, 600))
	if r := m.recs[1][0]; string(r.Val) != "400" || m.gained[1].Committed != r.Pos {
		t.Errorf("goes on at %s, %+v", r.Val, m.gained[1])
	}
}

func testSharing(t *testing.T, e Env) {
	create(t, e.Log, topicA, 8)
	a := join(t, e.Log, mode(log.AtLeastOnce))
	a.poll(a.holding(8))
	before := a.gained[0].Gen
	b := join(t, e.Log, mode(log.AtLeastOnce))
	c := join(t, e.Log, mode(log.AtLeastOnce))
	poll := func(ms ...*tester) bool {
		sum := 0
		for _, m := range ms {
			m.poll(func() bool { n := len(m.gained); return n >= 8/len(ms) && n <= 8/len(ms)+1 })
			sum += len(m.gained)
		}
		return sum == 8
	}
	for !poll(a, b, c) {
	}
	owners := map[int32]int{}
	for _, m := range []*tester{a, b, c} {
		for n := range m.gained {
			owners[n]++
		}
	}
	if len(owners) != 8 {
		t.Errorf("owners %v", owners)
	}
	no(t, a.Close(ctx(t)))
	for !poll(b, c) {
	}
	no(t, b.Close(ctx(t)))
	c.poll(c.holding(8))
	if g := c.gained[0].Gen; g <= before {
		t.Errorf("generation %d of a lane that moved, before it was %d", g, before)
	}
	other := join(t, e.Log, log.Group{Name: "another", Input: topicA, Mode: log.AtLeastOnce})
	other.poll(other.holding(8))
}

func testFencing(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	create(t, e.Log, "out.v1", 1)
	publish(t, e.Log, topicA, "k", 10)
	old := join(t, e.Log, theGroup)
	old.poll(old.having(0, 10))
	no(t, old.step(0, 2, log.Step{Put: []log.KV{kv("n", "2")}}))
	heir := join(t, e.Log, theGroup)
	no(t, old.Close(ctx(t)))
	heir.poll(heir.having(0, 8))
	bad := log.Step{Lane: 0, Gen: old.gained[0].Gen, Put: []log.KV{kv("n", "9")}, Out: []log.Rec{rec("out.v1", "k", "zombie")},
		Upto: old.recs[0][8].Pos}
	if err := old.Step(ctx(t), bad); !errors.Is(err, log.ErrFenced) && !errors.Is(err, log.ErrClosed) {
		t.Errorf("the step of a member that left: %v", err)
	}
	want(t, heir.Step(ctx(t), bad), log.ErrFenced)
	bad.Lane = 5
	want(t, heir.Step(ctx(t), bad), log.ErrFenced)
	if got := all(t, e.Log, log.Lane{Topic: "out.v1"}); len(got) > 0 {
		t.Errorf("a fenced step left %v", vals(got))
	}
	if s := dump(heir.State(0)); s != "n=2 " {
		t.Errorf("state %s", s)
	}
	p := must[[]log.Pos](t)(e.Log.Committed(ctx(t), theGroup.Name, log.Lane{Topic: topicA}))
	if p[0] != old.recs[0][2].Pos {
		t.Errorf("committed %v", p)
	}
}

func testState(t *testing.T, e Env) { testStateOf(t, e, log.ExactlyOnce) }

func testStateAtLeastOnce(t *testing.T, e Env) { testStateOf(t, e, log.AtLeastOnce) }

func testStateOf(t *testing.T, e Env, guarantee log.Mode) {
	create(t, e.Log, topicA, 4)
	a := join(t, e.Log, mode(guarantee))
	a.poll(a.holding(4))
	for n := range int32(4) {
		no(t, a.step(n, 0, log.Step{Put: []log.KV{kv("a", fmt.Sprint(n)), kv("b", ""), kv("c", "gone")}}))
		no(t, a.step(n, 0, log.Step{Put: []log.KV{{Key: []byte("c")}}}))
	}
	check := func(m *tester) {
		t.Helper()
		for n := range m.gained {
			if s := dump(m.State(n)); s != fmt.Sprintf("a=%d b= ", n) {
				t.Errorf("lane %d: %s", n, s)
			}
		}
	}
	check(a)
	b := join(t, e.Log, mode(guarantee))
	b.poll(b.holding(2))
	check(b)
	a.poll(a.holding(2))
	for _, l := range a.lost {
		if s := dump(a.State(l.Lane)); s != "" {
			t.Errorf("a lane that is lost has state %s", s)
		}
	}
	e.Log = e.Reopen(t)
	c := join(t, e.Log, mode(guarantee))
	c.poll(c.holding(4))
	check(c)
}

func testView(t *testing.T, e Env) {
	create(t, e.Log, topicA, 2)
	m := join(t, e.Log, theGroup)
	m.poll(m.holding(2))
	var puts []log.KV
	for _, k := range []string{"b", "", "a\x00", "a", "\xff"} {
		puts = append(puts, kv(k, k))
	}
	no(t, m.step(0, 0, log.Step{Put: puts}))
	var keys []string
	for k := range m.State(0).All() {
		keys = append(keys, string(k))
	}
	if d := cmp.Diff([]string{"", "a", "a\x00", "b", "\xff"}, keys); d != "" {
		t.Error(d)
	}
	if v, ok := m.State(0).Get([]byte("a\x00")); !ok || string(v) != "a\x00" {
		t.Errorf("%q, %v", v, ok)
	}
	if _, ok := m.State(1).Get([]byte("a")); ok {
		t.Error("the lanes share their state")
	}
}

func testPause(t *testing.T, e Env) {
	create(t, e.Log, topicA, 2)
	m := join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.holding(2))
	m.Pause(0)
	publish(t, e.Log, topicA, keyIn(0, 2), 3)
	publish(t, e.Log, topicA, keyIn(1, 2), 3)
	m.poll(m.having(1, 3))
	c, cancel := context.WithTimeout(ctx(t), 50*time.Millisecond)
	defer cancel()
	if ev, err := m.Poll(c); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a paused lane gave %v, %v", ev, err)
	}
	m.Resume(0)
	m.poll(m.having(0, 3))
}

func testAtMostOnce(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	publish(t, e.Log, topicA, "k", 5)
	m := join(t, e.Log, mode(log.AtMostOnce))
	m.poll(m.having(0, 5))
	e.Log = e.Reopen(t)
	publish(t, e.Log, topicA, "k", 1)
	m = join(t, e.Log, mode(log.AtMostOnce))
	m.poll(m.having(0, 1))
	if got := vals(m.recs[0]); !slices.Equal(got, []string{"0"}) || m.gained[0].Committed.IsZero() {
		t.Errorf("again: %v", got)
	}
	heir := join(t, e.Log, mode(log.AtMostOnce)) // while m is there: the group goes on without a pause
	no(t, m.Close(ctx(t)))
	publish(t, e.Log, topicA, "k", 2)
	heir.poll(heir.having(0, 2))
	if got := vals(heir.recs[0]); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("handed out twice: %v", got)
	}
}

// testAtomic steps with more and more in it, and has steps that must be refused as a whole in between.
func testAtomic(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	create(t, e.Log, "out.v1", 4)
	publish(t, e.Log, topicA, "k", 20)
	m := join(t, e.Log, theGroup)
	m.poll(m.having(0, 20))
	for i := range 20 {
		s := log.Step{Put: []log.KV{kv("n", fmt.Sprint(i))}}
		for j := range i % 5 {
			s.Out = append(s.Out, rec("out.v1", fmt.Sprint(j), fmt.Sprint(i)))
		}
		bad := s
		bad.Out = append(slices.Clone(s.Out), rec("missing.v1", "k", "v"))
		want(t, m.step(0, i+1, bad), log.ErrNoTopic)
		no(t, m.step(0, i+1, s))
	}
	var outs int
	for n := range int32(4) {
		outs += len(all(t, e.Log, log.Lane{Topic: "out.v1", N: n}))
	}
	p := must[[]log.Pos](t)(e.Log.Committed(ctx(t), theGroup.Name, log.Lane{Topic: topicA}))
	if s := dump(m.State(0)); outs != 40 || s != "n=19 " || p[0] != m.recs[0][19].Pos.Next() {
		t.Errorf("%d outputs, state %s, committed %v", outs, s, p)
	}
}

// testHandover counts in the state of every lane, two steps at a time, while the lanes move to and fro:
// what was counted must be what was answered.
func testHandover(t *testing.T, e Env) {
	create(t, e.Log, topicA, 4)
	var answered [4]int
	for round := range 12 {
		m := join(t, e.Log, theGroup)
		m.poll(m.holding(4))
		errs := make(chan error)
		var done [4]int
		go func() {
			for i := 0; ; i++ {
				lane := int32(i % 4)
				n := answered[lane] + done[lane] + 1
				err := m.step(lane, 0, log.Step{Put: []log.KV{kv("n", fmt.Sprint(n))}})
				if err != nil {
					errs <- err
					return
				}
				done[lane]++
			}
		}()
		time.Sleep(time.Duration(round) * time.Millisecond)
		next := join(t, e.Log, theGroup)
		no(t, m.Member.Close(ctx(t)))
		next.poll(next.holding(4))
		if err := <-errs; !errors.Is(err, log.ErrFenced) && !errors.Is(err, log.ErrClosed) {
			t.Fatal(err)
		}
		for lane := range int32(4) {
			answered[lane] += done[lane]
			v, _ := next.State(lane).Get([]byte("n"))
			if got := string(v); got != fmt.Sprint(answered[lane]) && (got != "" || answered[lane] > 0) {
				t.Fatalf("round %d lane %d: the state counts %s, answered were %d", round, lane, got, answered[lane])
			}
		}
		no(t, next.Close(ctx(t)))
	}
}

func testStepChecked(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	p := publish(t, e.Log, topicA, "k", 2)
	g := theGroup
	g.State = ""
	m := join(t, e.Log, g)
	m.poll(m.having(0, 2))
	end := p[1].Pos.Next()
	s := log.Step{Lane: 0, Gen: m.gained[0].Gen, Upto: end.Next()}
	if err := m.Step(ctx(t), s); err == nil {
		t.Error("a position beyond the end was committed")
	}
	s.Upto = log.Pos{Epoch: end.Epoch + 1}
	want(t, m.Step(ctx(t), s), log.ErrEpoch)
	s.Upto, s.Put = end, []log.KV{kv("a", "b")}
	if err := m.Step(ctx(t), s); err == nil {
		t.Error("a group without state put some")
	}
	if got := must[[]log.Pos](t)(e.Log.Committed(ctx(t), g.Name, p[0].Lane)); !got[0].IsZero() {
		t.Errorf("a refused step committed %v", got)
	}
}
