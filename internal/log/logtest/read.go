package logtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/log"
)

// wakeLimit is how soon after the answer of Publish a follower must have the record, at the median. The
// log itself needs microseconds; the rest is for a busy machine.
const wakeLimit = 5 * time.Millisecond

func testFollow(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	publish(t, e.Log, topicA, "k", 3)
	c, cancel := context.WithCancel(ctx(t))
	got := make(chan log.Rec)
	ended := make(chan error, 1)
	go func() {
		for r, err := range e.Log.Read(c, log.Lane{Topic: topicA}, log.Pos{}, log.Pos{}) {
			if err != nil {
				ended <- err
				return
			}
			got <- r
		}
		ended <- errors.New("ended without a word")
	}()
	for range 3 {
		<-got
	}
	var waits []time.Duration
	for i := range 21 {
		publish(t, e.Log, topicA, "k", 1)
		at := time.Now()
		if r := <-got; r.Pos.Off < int64(i) {
			t.Fatalf("offset %d", r.Pos.Off)
		}
		waits = append(waits, time.Since(at))
	}
	slices.Sort(waits)
	if w := waits[len(waits)/2]; w > wakeLimit {
		t.Errorf("a follower waits %v at the median", w)
	}
	cancel()
	want(t, <-ended, context.Canceled)
}

func testFollowers(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	const followers, n = 50, 200
	var wg sync.WaitGroup
	for range followers {
		wg.Go(func() {
			next := 0
			for r, err := range e.Log.Read(ctx(t), log.Lane{Topic: topicA}, log.Pos{}, log.Pos{}) {
				if err != nil || string(r.Val) != fmt.Sprint(next) {
					t.Errorf("%s, %v, want %d", r.Val, err, next)
					return
				}
				if next++; next == n {
					return
				}
			}
		})
	}
	for i := range n {
		must[[]log.Rec](t)(e.Log.Publish(ctx(t), rec(topicA, "k", fmt.Sprint(i))))
	}
	wg.Wait()
}

func testRange(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	at := log.Lane{Topic: topicA}
	p := publish(t, e.Log, topicA, "k", 5000)
	if got := vals(read(t, e.Log, at, p[4000].Pos, p[4003].Pos)); !slices.Equal(got, []string{"4000", "4001", "4002"}) {
		t.Errorf("%v", got)
	}
	if got := read(t, e.Log, at, p[10].Pos, p[10].Pos); len(got) != 0 {
		t.Errorf("an empty range gave %d", len(got))
	}
	l := e.Reopen(t) // nothing in memory now
	if got := read(t, l, at, p[7].Pos, p[4999].Pos); len(got) != 4992 || string(got[0].Val) != "7" {
		t.Errorf("%d records", len(got))
	}
	for _, err := range l.Read(ctx(t), log.Lane{Topic: topicA, N: 1}, log.Pos{}, log.Pos{}) {
		want(t, err, log.ErrNoTopic)
	}
}

func testFind(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	at := log.Lane{Topic: topicA}
	b := must[[]log.Bound](t)(e.Log.Bounds(ctx(t), at))[0]
	if b.First != b.End || b.Bytes != 0 || b.End.Epoch == 0 {
		t.Errorf("an empty lane has %+v", b)
	}
	start := e.Clock.Now()
	var recs []log.Rec
	for range 200 {
		recs = append(recs, publish(t, e.Log, topicA, "key", 1)...)
		e.Clock.Add(time.Second)
	}
	find := func(d time.Duration) log.Pos { return must[log.Pos](t)(e.Log.Find(ctx(t), at, start.Add(d))) }
	end := recs[199].Pos.Next()
	for d, p := range map[time.Duration]log.Pos{-time.Hour: recs[0].Pos, 0: recs[0].Pos, 1500 * time.Millisecond: recs[2].Pos,
		77 * time.Second: recs[77].Pos, 199 * time.Second: recs[199].Pos, time.Hour: end} {
		if got := find(d); got != p {
			t.Errorf("find %v: %v, want %v", d, got, p)
		}
	}
	b = must[[]log.Bound](t)(e.Log.Bounds(ctx(t), at))[0]
	if d := cmp.Diff(log.Bound{Lane: at, First: recs[0].Pos, End: end, Bytes: 800}, b); d != "" {
		t.Error(d)
	}
}

func testTrim(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	at := log.Lane{Topic: topicA}
	p := publish(t, e.Log, topicA, "k", 10)
	if err := e.Log.Trim(ctx(t), at, log.Pos{Epoch: p[9].Pos.Epoch, Off: p[9].Pos.Off + 2}); err == nil {
		t.Error("trimming beyond the end was not refused")
	}
	no(t, e.Log.Trim(ctx(t), at, p[4].Pos))
	no(t, e.Log.Trim(ctx(t), at, p[2].Pos)) // earlier than what was trimmed: nothing to do
	check := func(l log.Log, first log.Pos, n int) {
		t.Helper()
		b := must[[]log.Bound](t)(l.Bounds(ctx(t), at))[0]
		if got := all(t, l, at); b.First != first || len(got) != n || int64(n)*2 != b.Bytes {
			t.Errorf("%+v with %d records, want %v with %d", b, len(got), first, n)
		}
	}
	check(e.Log, p[4].Pos, 6)
	for _, err := range e.Log.Read(ctx(t), at, p[3].Pos, log.Pos{}) {
		var tr *log.TrimmedError
		if !errors.As(err, &tr) || tr.First != p[4].Pos || !errors.Is(err, log.ErrTrimmed) {
			t.Fatalf("reading what was trimmed: %v", err)
		}
	}
	e.Log = e.Reopen(t)
	check(e.Log, p[4].Pos, 6)
	end := p[9].Pos.Next()
	no(t, e.Log.Trim(ctx(t), at, end))
	check(e.Log, end, 0)
	e.Log = e.Reopen(t)
	check(e.Log, end, 0)
	if q := publish(t, e.Log, topicA, "k", 1); q[0].Pos.Off < end.Off {
		t.Errorf("offset %d was given again", q[0].Pos.Off)
	}
}

func testEpoch(t *testing.T, e Env) {
	create(t, e.Log, topicA, 1)
	p := publish(t, e.Log, topicA, "k", 3)
	bad := log.Pos{Epoch: p[1].Pos.Epoch + 1, Off: 1}
	for _, err := range e.Log.Read(ctx(t), p[0].Lane, bad, log.Pos{}) {
		want(t, err, log.ErrEpoch)
	}
	want(t, e.Log.Trim(ctx(t), p[0].Lane, bad), log.ErrEpoch)
	want(t, e.Log.Reset(ctx(t), "g", map[log.Lane]log.Pos{p[0].Lane: bad}), log.ErrEpoch)
	if got := vals(read(t, e.Log, p[0].Lane, log.Pos{Off: p[1].Pos.Off}, p[2].Pos)); !slices.Equal(got, []string{"1"}) {
		t.Errorf("%v", got)
	}
}
