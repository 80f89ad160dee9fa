package index

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
)

const topic = "feed.v1.test"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fixture struct {
	log *embedded.Log
	kv  *embedded.KV
}

func open(t testing.TB, dir string) fixture {
	t.Helper()
	l, err := embedded.Open(embedded.Options{Dir: filepath.Join(dir, "log"), Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	kv, err := embedded.OpenKV(embedded.Options{Dir: filepath.Join(dir, "index"), Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); kv.Close() })
	if err := l.Create(t.Context(), log.Topic{Name: topic, Lanes: 2}); err != nil {
		t.Fatal(err)
	}
	return fixture{l, kv}
}

func (f fixture) index(t testing.TB, c Config) *Index {
	t.Helper()
	store, err := NewStore(f.kv, resiliencetest.Refusing(t, "index"))
	if err != nil {
		t.Fatal(err)
	}
	c.Log, c.Store, c.Topic = f.log, store, topic
	x, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// run follows until the returned function is called, which waits for the end.
func run(t testing.TB, x *Index) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func (f fixture) publish(t testing.TB, key, val string) log.Pos {
	t.Helper()
	recs, err := f.log.Publish(t.Context(), log.Rec{Lane: log.Lane{Topic: topic}, Key: []byte(key), Val: []byte(val)})
	if err != nil {
		t.Fatal(err)
	}
	return recs[0].Pos
}

func values(t testing.TB, x *Index, key string) []string {
	t.Helper()
	var out []string
	for r, err := range x.Records(t.Context(), key, false) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(r.Val))
	}
	return out
}

// However appends, runs of the index, writes to the store and restarts are mixed: what is read is what was written.
func TestSameAsTheLane(t *testing.T) {
	f := open(t, t.TempDir())
	want := map[string][]string{}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		x := f.index(t, Config{Every: time.Hour})
		stop := run(t, x)
		defer func() { stop() }()
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				key := fmt.Sprint("k", rapid.IntRange(0, 5).Draw(rt, "key"))
				n++
				f.publish(t, key, fmt.Sprint(n))
				want[key] = append(want[key], fmt.Sprint(n))
			},
			"write": func(rt *rapid.T) {
				if err := x.write(); err != nil {
					rt.Fatal(err)
				}
			},
			"restart": func(rt *rapid.T) {
				stop()
				x = f.index(t, Config{Every: time.Hour})
				stop = run(t, x)
			},
			"": func(rt *rapid.T) {
				for k, v := range want {
					if got := values(t, x, k); !cmp.Equal(got, v) {
						rt.Fatalf("%s: %s", k, cmp.Diff(v, got))
					}
				}
			},
		})
	})
}

// A killed process leaves the store behind the log, or ahead of what it knew: it is read again without doubling.
func TestLostWrites(t *testing.T) {
	f := open(t, t.TempDir())
	x := f.index(t, Config{})
	for i := range 5 {
		f.publish(t, "k", fmt.Sprint(i))
	}
	stop := run(t, x)
	eventually(t, func() bool { return x.lanes[log.LaneOf([]byte("k"), 2)].position().Off == 5 })
	stop()
	again := f.index(t, Config{})
	for _, l := range again.lanes {
		l.next.Off = 0 // as if the position had been lost and the entries not
	}
	stop = run(t, again)
	defer stop()
	eventually(t, func() bool { return again.lanes[log.LaneOf([]byte("k"), 2)].position().Off == 5 })
	if err := again.write(); err != nil {
		t.Fatal(err)
	}
	if got := values(t, again, "k"); len(got) != 5 {
		t.Errorf("got %v", got)
	}
}

func TestFirstOnly(t *testing.T) {
	f := open(t, t.TempDir())
	keep := func(r log.Rec) bool { return r.Val[0] == 'o' }
	for i, v := range []string{"x", "o1", "x", "o2"} {
		if i == 3 {
			x := f.index(t, Config{Keep: keep, First: true})
			run(t, x)()
		}
		f.publish(t, "k", v)
	}
	for r, err := range f.index(t, Config{Keep: keep, First: true}).Records(t.Context(), "k", false) {
		if err != nil || string(r.Val) != "o1" {
			t.Errorf("first is %q, %v", r.Val, err)
		}
		break
	}
}

func TestFollow(t *testing.T) {
	f := open(t, t.TempDir())
	x := f.index(t, Config{})
	defer run(t, x)()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f.publish(t, "k", "0")
	var got []string
	for r, err := range x.Records(ctx, "k", true) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, string(r.Val)); len(got) == 4 {
			break
		}
		f.publish(t, "other", "x")
		f.publish(t, "k", fmt.Sprint(len(got)))
	}
	if !slices.Equal(got, []string{"0", "1", "2", "3"}) {
		t.Errorf("got %v", got)
	}
}

func TestTrimmed(t *testing.T) {
	f := open(t, t.TempDir())
	var at []log.Pos
	for i := range 6 {
		at = append(at, f.publish(t, "k", fmt.Sprint(i)))
	}
	x := f.index(t, Config{})
	run(t, x)()
	if err := f.log.Trim(t.Context(), log.Lane{Topic: topic, N: log.LaneOf([]byte("k"), 2)}, at[4]); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*Index{"running": x, "restarted": f.index(t, Config{})} {
		if got := values(t, x, "k"); !slices.Equal(got, []string{"4", "5"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func (f fixture) entries(t testing.TB, x *Index, key string) (names []string) {
	t.Helper()
	lane := log.LaneOf([]byte(key), 2)
	for kv, err := range f.kv.Iterate(x.entry(lane, "")) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, string(kv.Key[len(x.entry(lane, "")):]))
	}
	return names
}

// Retention takes records away for ever; their entries go after them, those of a key that goes on stay, and nothing that is kept is lost.
func TestTrimmedEntriesGo(t *testing.T) {
	f := open(t, t.TempDir())
	var old []string
	for i := 0; len(old) < 2*pageSize+10; i++ {
		if k := fmt.Sprint("old", i); log.LaneOf([]byte(k), 2) == log.LaneOf([]byte("k"), 2) {
			old = append(old, k)
		}
	}
	for _, k := range append([]string{"k"}, old...) {
		f.publish(t, k, "1")
	}
	first := f.publish(t, "k", "2")
	x := f.index(t, Config{Every: time.Millisecond, Trim: time.Hour})
	stop := run(t, x)
	eventually(t, func() bool { return len(f.entries(t, x, "k")) == len(old)+1 })
	stop()
	if err := f.log.Trim(t.Context(), log.Lane{Topic: topic, N: log.LaneOf([]byte("k"), 2)}, first); err != nil {
		t.Fatal(err)
	}
	x = f.index(t, Config{Every: time.Millisecond, Trim: time.Millisecond})
	stop = run(t, x)
	defer stop()
	eventually(t, func() bool { return slices.Equal(f.entries(t, x, "k"), []string{"k"}) })
	if got := values(t, x, "k"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %v", got)
	}
	last := f.publish(t, old[0], "3")
	if err := f.log.Trim(t.Context(), log.Lane{Topic: topic, N: log.LaneOf([]byte("k"), 2)}, last); err != nil { // while it runs
		t.Fatal(err)
	}
	eventually(t, func() bool { return slices.Equal(f.entries(t, x, "k"), old[:1]) })
}

// What grew after it was looked at is not removed.
func TestGrownEntriesStay(t *testing.T) {
	f := open(t, t.TempDir())
	x := f.index(t, Config{})
	at := x.entry(0, "k")
	if err := f.kv.Put(at, encode([]int64{3, 9})); err != nil {
		t.Fatal(err)
	}
	for _, first := range []int64{9, 10} {
		if err := x.remove([]log.KV{{Key: at, Val: encode([]int64{3})}, {Key: x.entry(0, "gone"), Val: encode([]int64{3})}}, first); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := f.kv.Get(at); ok != (first == 9) || err != nil {
			t.Errorf("first %d: there %v, %v", first, ok, err)
		}
	}
}

// Another log under the same store: offsets mean other records now.
func TestAnotherLog(t *testing.T) {
	f := open(t, t.TempDir())
	f.publish(t, "k", "old")
	f.publish(t, "k", "old")
	run(t, f.index(t, Config{}))()
	g := open(t, t.TempDir())
	g.publish(t, "other", "new")
	g.publish(t, "k", "new")
	g.kv = f.kv
	x := g.index(t, Config{})
	run(t, x)()
	if got := values(t, x, "k"); !slices.Equal(got, []string{"new"}) {
		t.Errorf("got %v", got)
	}
}

func eventually(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

// away is a store that fails while it is told to.
type away struct {
	KV
	off atomic.Bool
}

func (a *away) Write(changes ...log.KV) error {
	if a.off.Load() {
		return errors.New("input/output error")
	}
	return a.KV.Write(changes...)
}

// A store that is away stops nothing: what was read waits in memory and is found, and it is written when the store is back.
func TestStoreAway(t *testing.T) {
	f := open(t, t.TempDir())
	kv := &away{KV: f.kv}
	store, err := NewStore(kv, resiliencetest.Refusing(t, "index"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(t.Context(), Config{Log: f.log, Store: store, Topic: topic, Every: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	kv.off.Store(true)
	stop := run(t, x)
	f.publish(t, "k", "1")
	l := x.lanes[log.LaneOf([]byte("k"), 2)]
	eventually(t, func() bool { return l.position().Off == 1 })
	if err := x.write(); !putOff(err) {
		t.Errorf("writing: %v", err)
	}
	if got := values(t, x, "k"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("got %v", got)
	}
	kv.off.Store(false)
	eventually(t, func() bool { return slices.Equal(f.entries(t, x, "k"), []string{"k"}) })
	stop()
}

func TestStoreNeedsItsDecisions(t *testing.T) {
	if _, err := NewStore(&away{}, nil); err == nil {
		t.Error("a store without its decisions was made")
	}
}
