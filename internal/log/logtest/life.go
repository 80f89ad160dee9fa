package logtest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bonafide-id/bonafide/internal/log"
)

func testReset(t *testing.T, e Env) {
	create(t, e.Log, topicA, 2)
	at := log.Lane{Topic: topicA, N: 1}
	p := publish(t, e.Log, topicA, keyIn(1, 2), 10)
	m := join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.having(1, 10))
	no(t, m.step(1, 10, log.Step{}))
	to := map[log.Lane]log.Pos{at: p[3].Pos}
	want(t, e.Log.Reset(ctx(t), theGroup.Name, to), log.ErrBusy)
	no(t, m.Close(ctx(t)))
	no(t, e.Log.Reset(ctx(t), theGroup.Name, to))
	got := must[[]log.Pos](t)(e.Log.Committed(ctx(t), theGroup.Name, at, log.Lane{Topic: topicA}))
	if got[0] != p[3].Pos || !got[1].IsZero() {
		t.Errorf("committed %v", got)
	}
	m = join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.having(1, 7))
	no(t, m.Close(ctx(t)))
	no(t, e.Log.Reset(ctx(t), theGroup.Name, map[log.Lane]log.Pos{at: {}}))
	m = join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.having(1, 10))
}

func testTrimmedGroup(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	p := publish(t, e.Log, topicA, "k", 10)
	m := join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.having(0, 10))
	no(t, m.step(0, 2, log.Step{}))
	no(t, m.Close(ctx(t)))
	no(t, e.Log.Trim(ctx(t), p[0].Lane, p[6].Pos))
	m = join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.holding(1))
	_, err := m.Poll(ctx(t))
	var tr *log.TrimmedError
	if !errors.As(err, &tr) || tr.Asked != p[2].Pos || tr.First != p[6].Pos {
		t.Fatalf("what was trimmed was passed over: %v", err)
	}
	m.poll(m.having(0, 4))
	if got := m.recs[0][0].Pos; got != p[6].Pos {
		t.Errorf("goes on at %v", got)
	}
}

// testTrimmedBeside trims a lane while its neighbours have much to give: the gap is told once all the same, before what stands behind it.
func testTrimmedBeside(t *testing.T, e Env) {
	create(t, e.Log, topicA, 3)
	p := publish(t, e.Log, topicA, keyIn(1, 3), 10)
	m := join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.having(1, 10))
	no(t, m.step(1, 2, log.Step{}))
	no(t, m.Close(ctx(t)))
	for _, beside := range []int32{0, 2} {
		publish(t, e.Log, topicA, keyIn(beside, 3), 700)
	}
	no(t, e.Log.Trim(ctx(t), p[0].Lane, p[6].Pos))
	m = join(t, e.Log, mode(log.AtLeastOnce))
	m.poll(m.holding(3))
	told := 0
	for len(m.recs[0]) < 700 || len(m.recs[1]) < 4 || len(m.recs[2]) < 700 {
		events, err := m.Poll(ctx(t))
		if tr := (*log.TrimmedError)(nil); errors.As(err, &tr) && tr.Lane == p[0].Lane && tr.First == p[6].Pos && len(m.recs[1]) == 0 {
			told++
		} else {
			no(t, err)
		}
		for _, ev := range events {
			m.take(ev)
		}
	}
	if told != 1 || len(m.recs[1]) != 4 {
		t.Errorf("the gap was told %d times, %d records behind it", told, len(m.recs[1]))
	}
}

func testManyLanes(t *testing.T, e Env) {
	const lanes, n = 64, 2000
	create(t, e.Log, topicA, lanes)
	var recs []log.Rec
	for i := range n {
		recs = append(recs, rec(topicA, fmt.Sprintf("v-%d", i%500), fmt.Sprint(i/500)))
	}
	must[[]log.Rec](t)(e.Log.Publish(ctx(t), recs...))
	a, b := join(t, e.Log, theGroup), join(t, e.Log, theGroup)
	a.poll(a.holding(lanes / 2))
	b.poll(b.holding(lanes / 2))
	seen := map[string]int{}
	for lane := range int32(lanes) {
		m := a
		if _, ok := b.gained[lane]; ok {
			m = b
		}
		end := m.gained[lane].StableEnd
		m.poll(func() bool {
			r := m.recs[lane]
			return len(r) > 0 && r[len(r)-1].Pos.Next() == end || end == must[[]log.Bound](t)(e.Log.Bounds(ctx(t), log.Lane{Topic: topicA, N: lane}))[0].First
		})
		for _, r := range m.recs[lane] {
			if string(r.Val) != fmt.Sprint(seen[string(r.Key)]) || r.Lane.N != lane {
				t.Fatalf("lane %d: %s=%s", lane, r.Key, r.Val)
			}
			seen[string(r.Key)]++
		}
	}
	if len(seen) != 500 {
		t.Errorf("%d keys", len(seen))
	}
}

func testReopen(t *testing.T, e Env) {
	create(t, e.Log, topicA, 3)
	p := publish(t, e.Log, topicA, "k", 100)
	m := join(t, e.Log, theGroup)
	m.poll(m.having(p[0].Lane.N, 100))
	no(t, m.step(p[0].Lane.N, 60, log.Step{Put: []log.KV{kv("a", "b")}}))
	for range 3 {
		e.Log = e.Reopen(t)
	}
	if got := all(t, e.Log, p[0].Lane); len(got) != 100 || got[99].Pos != p[99].Pos || !got[99].At.Equal(p[99].At) {
		t.Fatalf("%d records", len(got))
	}
	q := publish(t, e.Log, topicA, "k", 1)
	if q[0].Pos != p[99].Pos.Next() {
		t.Errorf("goes on at %v after %v", q[0].Pos, p[99].Pos)
	}
	m = join(t, e.Log, theGroup)
	m.poll(m.having(p[0].Lane.N, 41))
	if s := dump(m.State(p[0].Lane.N)); s != "a=b " || string(m.recs[p[0].Lane.N][0].Val) != "60" {
		t.Errorf("state %s, goes on at %s", s, m.recs[p[0].Lane.N][0].Val)
	}
}

func testClosed(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	m := join(t, e.Log, theGroup)
	m.poll(m.holding(1))
	errs := make(chan error, 2)
	go func() {
		_, err := m.Poll(ctx(t))
		errs <- err
	}()
	go func() {
		for _, err := range e.Log.Read(ctx(t), log.Lane{Topic: topicA}, log.Pos{}, log.Pos{}) {
			errs <- err
		}
	}()
	no(t, e.Log.Close())
	for range 2 {
		want(t, <-errs, log.ErrClosed)
	}
	_, err := e.Log.Publish(ctx(t), rec(topicA, "k", "v"))
	want(t, err, log.ErrClosed)
	want(t, m.step(0, 0, log.Step{Put: []log.KV{kv("a", "b")}}), log.ErrClosed)
	no(t, e.Log.Close())
	_, err = m.Poll(ctx(t))
	want(t, err, log.ErrClosed)
}
