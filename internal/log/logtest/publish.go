package logtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/log"
)

func testTopics(t *testing.T, e Env) {
	a := log.Topic{Name: topicA, Lanes: 4, Retention: time.Hour}
	b := log.Topic{Name: "other.v2.x", Lanes: 1, Compacted: true}
	no(t, e.Log.Create(ctx(t), b, a))
	no(t, e.Log.Create(ctx(t), a))
	want(t, e.Log.Create(ctx(t), log.Topic{Name: topicA, Lanes: 5}), log.ErrLanes)
	if n := must[int32](t)(e.Log.Lanes(ctx(t), topicA)); n != 4 {
		t.Errorf("%d lanes, want 4", n)
	}
	_, err := e.Log.Lanes(ctx(t), "missing.v1")
	want(t, err, log.ErrNoTopic)
	a.Retention = 2 * time.Hour
	no(t, e.Log.Create(ctx(t), a))
	if d := cmp.Diff([]log.Topic{b, a}, must[[]log.Topic](t)(e.Log.Topics(ctx(t)))); d != "" {
		t.Error(d)
	}
	_, err = e.Log.Publish(ctx(t), rec(topicA, "k", "v"), rec("missing.v1", "k", "v"))
	want(t, err, log.ErrNoTopic)
	for n := range int32(4) {
		if got := all(t, e.Log, log.Lane{Topic: topicA, N: n}); len(got) > 0 {
			t.Errorf("a refused call left %v", vals(got))
		}
	}
}

func testNames(t *testing.T, e Env) {
	for _, name := range []string{"", ".", "..", "thing", "Thing.v1", "thing.v0", "thing.1", "thing..v1", "thing.v1.", ".v1",
		"thing.v1/..", "thing_x.v1", "thing.v1 ", "thing.v1\x00", strings.Repeat("a", 198) + ".v1"} {
		if err := e.Log.Create(ctx(t), log.Topic{Name: name, Lanes: 1}); !errors.Is(err, log.ErrBadName) {
			t.Errorf("topic %q: %v", name, err)
		}
	}
	for _, name := range []string{topicA, "feed.v1.a-b-9", "a.b.v12.c.d", strings.Repeat("a", 197) + ".v1"} {
		no(t, e.Log.Create(ctx(t), log.Topic{Name: name, Lanes: 1}))
	}
	_, err := e.Log.Join(ctx(t), log.Group{Name: "a/b", Input: topicA, Mode: log.AtLeastOnce})
	want(t, err, log.ErrBadName)
	_, err = e.Log.Join(ctx(t), log.Group{Name: "g", Input: "missing.v1", Mode: log.AtLeastOnce})
	want(t, err, log.ErrNoTopic)
}

func testLane(t *testing.T, e Env) {
	create(t, e.Log, topicA, 12)
	for i := range 100 {
		key := fmt.Sprintf("key-%d", i)
		got := must[[]log.Rec](t)(e.Log.Publish(ctx(t), log.Rec{Lane: log.Lane{Topic: topicA, N: 7}, Key: []byte(key)}))[0]
		if n := log.LaneOf([]byte(key), 12); got.Lane.N != n {
			t.Fatalf("%s went to lane %d, want %d", key, got.Lane.N, n)
		}
		if back := all(t, e.Log, got.Lane); string(back[len(back)-1].Key) != key {
			t.Fatalf("%s is not in its lane", key)
		}
	}
}

func testOrder(t *testing.T, e Env) {
	create(t, e.Log, topicA, 3)
	in := rec(topicA, "k", "first")
	in.Head = []log.Header{{Key: "b", Val: []byte("1")}, {Key: "a", Val: []byte{}}, {Key: "b", Val: []byte("2")}}
	pub := must[[]log.Rec](t)(e.Log.Publish(ctx(t), in))
	pub = append(pub, publish(t, e.Log, topicA, "k", 50)...)
	got := all(t, e.Log, pub[0].Lane)
	if d := cmp.Diff(pub, got, cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) })); d != "" {
		t.Error(d)
	}
	for i := 1; i < len(got); i++ {
		if got[i].Pos.Off <= got[i-1].Pos.Off || got[i].Pos.Epoch == 0 {
			t.Errorf("position %v after %v", got[i].Pos, got[i-1].Pos)
		}
	}
}

// testPublishers has many appending at once: each sees its own records in its own order, none is missing
// or doubled, and what was answered can be read at that moment.
func testPublishers(t *testing.T, e Env) {
	create(t, e.Log, topicA, 2)
	const writers, each = 16, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				got, err := e.Log.Publish(t.Context(), rec(topicA, fmt.Sprint(w), fmt.Sprint(i)))
				if err != nil {
					t.Error(err)
					return
				}
				b, err := e.Log.Bounds(t.Context(), got[0].Lane)
				if err != nil || b[0].End.Off <= got[0].Pos.Off {
					t.Errorf("answered, and not to be read: %v, %v, %v", got[0].Pos, b, err)
				}
			}
		})
	}
	wg.Wait()
	next := map[string]int{}
	for n := range int32(2) {
		for _, r := range all(t, e.Log, log.Lane{Topic: topicA, N: n}) {
			if string(r.Val) != fmt.Sprint(next[string(r.Key)]) {
				t.Fatalf("writer %s: %s, want %d", r.Key, r.Val, next[string(r.Key)])
			}
			next[string(r.Key)]++
		}
	}
	for w := range writers {
		if n := next[fmt.Sprint(w)]; n != each {
			t.Errorf("writer %d has %d of %d", w, n, each)
		}
	}
}

func testTime(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	start := e.Clock.Now()
	for _, step := range []time.Duration{0, time.Minute, -time.Hour, 2 * time.Minute} {
		e.Clock.Add(step)
		publish(t, e.Log, topicA, "k", 1)
	}
	e.Log = e.Reopen(t)
	publish(t, e.Log, topicA, "k", 1)
	var got []time.Duration
	for _, r := range all(t, e.Log, log.Lane{Topic: topicA}) {
		got = append(got, r.At.Sub(start))
	}
	m := time.Minute
	if d := cmp.Diff([]time.Duration{0, m, m, m, m}, got); d != "" {
		t.Error(d)
	}
}

func testSend(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	e.Log.Send(rec("missing.v1", "k", "x"))
	for i := range 10 {
		e.Log.Send(rec(topicA, "k", fmt.Sprint(i)))
	}
	next := 0
	for r, err := range e.Log.Read(ctx(t), log.Lane{Topic: topicA}, log.Pos{}, log.Pos{}) {
		no(t, err)
		if string(r.Val) != fmt.Sprint(next) {
			t.Fatalf("%s, want %d", r.Val, next)
		}
		if next++; next == 10 {
			break
		}
	}
}

func testTooLarge(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	r := rec(topicA, "k", "")
	r.Val = make([]byte, log.MaxRecord)
	_, err := e.Log.Publish(ctx(t), r)
	want(t, err, log.ErrTooLarge)
	r.Val = r.Val[1:]
	must[[]log.Rec](t)(e.Log.Publish(ctx(t), r))
}
