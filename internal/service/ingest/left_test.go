package ingest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/blob"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/testbed"
)

// incidents are those that were reported.
type incidents struct {
	mu  sync.Mutex
	all []resilience.Incident
}

func (i *incidents) report(one resilience.Incident) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.all = append(i.all, one)
}

func decided(t *testing.T, name string, slow time.Duration, report resilience.Reporter) *resilience.Dependency {
	t.Helper()
	refuse := resilience.Decision{Action: resilience.Refuse, For: time.Second}
	d, err := resilience.New(resilience.Config{Name: name, Decisions: resilience.Decisions{Down: refuse, Slow: resilience.Decision{Action: resilience.Wait, After: slow}, Unreliable: refuse}, Report: report})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What is reported during an upload is about the client. The fact of an incident about the verification would be sealed with a key that goes away
// when the upload is refused, and nobody could ever read it.
func TestIncidentsAreNotAboutWhatMayBeRefused(t *testing.T) {
	var seen incidents
	d := newDoor(t, t.TempDir(), func(c *Config) {
		slow, err := blob.Open(blob.Config{Dir: t.TempDir(), Keys: c.Keys, Dependency: decided(t, "blobs", time.Nanosecond, seen.report)})
		if err != nil {
			t.Fatal(err)
		}
		c.Blobs = slow
	})
	for i, parts := range [][]part{{{"document", jpg(t)}, {"selfie", nil}}, {{"document", jpg(t)}}} {
		seen.all = nil
		if a := d.post(parts); (a.status == 202) != (i == 1) {
			t.Fatalf("%d %s", a.status, a.verbatim)
		}
		if len(seen.all) == 0 {
			t.Error("nothing was slow")
		}
		for _, s := range seen.all {
			if s.Client != "demo" || s.Verification != "" {
				t.Errorf("upload %d: an incident about client %q, verification %q", i, s.Client, s.Verification)
			}
		}
	}
}

// tardy does not know what became of its first publication, which happens when it is told so.
type tardy struct {
	to   Publisher
	a    stream.Ancestry
	outs []stream.Output
}

func (p *tardy) Publish(ctx context.Context, a stream.Ancestry, outs ...stream.Output) error {
	if p.outs == nil {
		p.a, p.outs = a, outs
		return log.ErrUnknown
	}
	return p.to.Publish(ctx, a, outs...)
}

// An upload whose outcome nobody knows may turn out to have been accepted: a refused one under the same idempotency key takes nothing from it.
func TestRefusalSparesAnEarlierUpload(t *testing.T) {
	p := &tardy{}
	d := newDoor(t, t.TempDir(), func(c *Config) { p.to, c.Events = c.Events, p })
	body := []part{{"document", jpg(t)}}
	if a := d.post(body, "Idempotency-Key", "k"); a.status != 503 {
		t.Fatalf("%d %s", a.status, a.verbatim)
	}
	before := d.left()
	if a := d.post([]part{body[0], {"selfie", nil}}, "Idempotency-Key", "k"); a.status != 400 {
		t.Fatalf("%d %s", a.status, a.verbatim)
	}
	if after := d.left(); !slices.Equal(before, after) || len(before) != 2 {
		t.Errorf("left %v, then %v", before, after)
	}
	if err := p.to.Publish(t.Context(), p.a, p.outs...); err != nil {
		t.Fatal(err)
	}
	if a := d.post(body, "Idempotency-Key", "k"); a.status != 200 {
		t.Errorf("it was accepted after all: %d %s", a.status, a.verbatim)
	}
	for _, m := range d.medias() {
		if _, err := d.Blobs.Get(t.Context(), "demo", m.VerificationId, m.Payload.(*mediav1.Media).Sha256); err != nil {
			t.Error(err)
		}
	}
}

// age makes the place of a verification, and what stands there, as if written at a time.
func age(t *testing.T, place string, at time.Time) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(place, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, place) {
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *door) places() []string {
	all, err := filepath.Glob(filepath.Join(d.Dir, "blobs", "blobs", "*", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// The sweep takes what is old and was never accepted, all of it, and nothing else.
func TestSweep(t *testing.T) {
	p := &tardy{}
	d := newDoor(t, t.TempDir(), func(c *Config) { p.to, c.Events = c.Events, p })
	if a := d.post([]part{{"document", jpg(t)}}, "Idempotency-Key", "unknown"); a.status != 503 {
		t.Fatalf("%d %s", a.status, a.verbatim)
	}
	accepted := d.post([]part{{"document", jpg(t)}})
	// Killed between the key and the blob.
	if err := d.Blobs.Prepare(t.Context(), "demo", "v_killed"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Keys.Create(t.Context(), "demo", "v_killed"); err != nil {
		t.Fatal(err)
	}
	sweep := func(old time.Duration, want int) {
		t.Helper()
		for _, dir := range d.places() {
			age(t, dir, time.Now().Add(-old))
		}
		if n, err := d.service.Sweep(t.Context()); err != nil || n != want {
			t.Errorf("after %v: swept %d (%v), want %d", old, n, err, want)
		}
	}
	sweep(23*time.Hour, 0)
	sweep(25*time.Hour, 2)
	sweep(25*time.Hour, 0)
	left := d.left()
	for _, l := range left {
		if !strings.Contains(l, accepted.Receipt.Verification) {
			t.Errorf("left: %s", l)
		}
	}
	if len(left) != 2 || len(d.places()) != 1 {
		t.Errorf("left of what was accepted: %v in %v", left, d.places())
	}
	if a := d.post([]part{{"document", pngOf(t)}}, "Idempotency-Key", "unknown"); a.status != 202 {
		t.Errorf("the swept key cannot be used: %d %s", a.status, a.verbatim)
	}
	d.facts() // each opens
}

// A verification whose upload is in hand is looked at when that is over: it may have been accepted meanwhile, or left something new.
func TestSweepWaitsForItsTurn(t *testing.T) {
	for name, meanwhile := range map[string]func(*door, *tardy) error{
		"accepted": func(d *door, p *tardy) error { return p.to.Publish(t.Context(), p.a, p.outs...) },
		"uploaded again, with an outcome that nobody knows": func(d *door, _ *tardy) error {
			age(t, d.places()[0], time.Now())
			return nil
		},
	} {
		p := &tardy{}
		d := newDoor(t, t.TempDir(), func(c *Config) { p.to, c.Events = c.Events, p })
		if a := d.post([]part{{"document", jpg(t)}}); a.status != 503 {
			t.Fatalf("%d %s", a.status, a.verbatim)
		}
		age(t, d.places()[0], time.Now().Add(-25*time.Hour))
		done, err := d.service.turns.take(t.Context(), p.a.Verification)
		if err != nil {
			t.Fatal(err)
		}
		swept := make(chan int, 1)
		go func() {
			n, _ := d.service.Sweep(t.Context())
			swept <- n
		}()
		for end := time.Now().Add(20 * time.Second); d.waiting(p.a.Verification) < 2; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the sweep does not wait for its turn")
			}
		}
		if err := meanwhile(d, p); err != nil {
			t.Fatal(err)
		}
		done()
		if n := <-swept; n != 0 || len(d.left()) != 2 {
			t.Errorf("%s: swept %d, left %v", name, n, d.left())
		}
	}
}

// waiting is how many have a turn or wait for it.
func (d *door) waiting(verification string) int {
	d.service.turns.mu.Lock()
	defer d.service.turns.mu.Unlock()
	if x := d.service.turns.open[verification]; x != nil {
		return x.waiting
	}
	return 0
}

// watched is a store of keys that is looked at when a data key comes, and may refuse to let one go.
type watched struct {
	testbed.Store
	keyed func()
	stuck *error
}

func (w watched) Put(k, v []byte) error {
	if strings.HasPrefix(string(k), "key/") {
		w.keyed()
	}
	return w.Store.Put(k, v)
}

func (w watched) Delete(k []byte) error {
	if *w.stuck != nil {
		return *w.stuck
	}
	return w.Store.Delete(k)
}

// watch gives a service another keyring over the same keys.
func (d *door) watch(keyed func(), stuck *error) {
	d.t.Helper()
	keys, err := seal.Open(seal.Config{Store: watched{testbed.Store{KV: d.Secrets}, keyed, stuck}, MasterFile: filepath.Join(d.Dir, "master.key"),
		Dependency: decided(d.t, "keys", time.Minute, func(resilience.Incident) {})})
	if err != nil {
		d.t.Fatal(err)
	}
	d.service.Keys = keys
}

// Before there is a data key there is a place by which a sweep finds it, should the process be killed right after it.
func TestPlaceBeforeKey(t *testing.T) {
	seen := 0
	d := newDoor(t, t.TempDir())
	d.watch(func() { seen = len(d.places()) }, new(error))
	if a := d.post([]part{{"document", jpg(t)}}); a.status != 202 || seen != 1 {
		t.Errorf("%d %s; when the key was made there were %d places", a.status, a.verbatim, seen)
	}
}

// What a refusal could not remove is found by a sweep.
func TestWhatRefusalCannotRemoveIsSwept(t *testing.T) {
	stuck := errors.New("stuck")
	d := newDoor(t, t.TempDir())
	d.watch(func() {}, &stuck)
	if a := d.post([]part{{"document", jpg(t)}, {"selfie", nil}}); a.status != 400 {
		t.Fatalf("%d %s", a.status, a.verbatim)
	}
	age(t, d.places()[0], time.Now().Add(-25*time.Hour))
	if n, err := d.service.Sweep(t.Context()); n != 0 || !errors.Is(err, stuck) || len(d.left()) != 1 {
		t.Errorf("swept %d, %v; left %v", n, err, d.left())
	}
	stuck = nil
	if n, err := d.service.Sweep(t.Context()); n != 1 || err != nil || len(d.left())+len(d.places()) != 0 {
		t.Errorf("swept %d, %v; left %v", n, err, d.left())
	}
}

// shelf is a store of keys in memory.
type shelf map[string][]byte

func (s shelf) Get(k []byte) ([]byte, error) { return s[string(k)], nil }
func (s shelf) Put(k, v []byte) error        { s[string(k)] = v; return nil }
func (s shelf) Delete(k []byte) error        { delete(s, string(k)); return nil }

// never finds nothing.
type never struct{}

func (never) Find(context.Context, string, string) (opened.Opened, error) {
	return opened.Opened{}, opened.ErrNotFound
}
func (never) Has(context.Context, string, string) (bool, error) { return false, nil }

// It is swept soon after the start, and every hour from then on.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		keys, err := seal.Open(seal.Config{Store: shelf{}, MasterFile: filepath.Join(dir, "master.key"), Dependency: decided(t, "keys", time.Minute, func(resilience.Incident) {})})
		if err != nil {
			t.Fatal(err)
		}
		blobs, err := blob.Open(blob.Config{Dir: dir, Keys: keys, Dependency: decided(t, "blobs", time.Minute, func(resilience.Incident) {})})
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{Blobs: blobs, Keys: keys, Events: failing{}, Opened: never{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		orphan := func() string {
			if err := blobs.Prepare(t.Context(), "demo", "v"); err != nil {
				t.Fatal(err)
			}
			place := filepath.Join(dir, "blobs", "demo", "v")
			age(t, place, time.Now().Add(-48*time.Hour))
			return place
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		for _, wait := range []time.Duration{firstSweep, sweepEvery, sweepEvery} {
			place := orphan()
			time.Sleep(wait - time.Second)
			if _, err := os.Stat(place); err != nil {
				t.Errorf("swept before %v: %v", wait, err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if _, err := os.Stat(place); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("after %v it is still there: %v", wait, err)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
