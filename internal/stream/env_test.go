package stream

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/log/split"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/topic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take that has to come; nothing is decided by it.
const patience = 20 * time.Second

// keyStore is a store of keys in memory that can be taken away.
type keyStore struct {
	mu sync.Mutex
	kv map[string][]byte
	no error
}

func (s *keyStore) Get(k []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kv[string(k)], s.no
}

func (s *keyStore) Put(k, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kv[string(k)] = bytes.Clone(v)
	return s.no
}

func (s *keyStore) Delete(k []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kv, string(k))
	return s.no
}

func (s *keyStore) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.no = err
}

// clock is the clock of log and runtime; it moves as the real one does, and by what a test adds.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// env is a log in a directory with what a runtime needs.
type env struct {
	t     *testing.T
	log   log.Log
	keys  *seal.Keyring
	store *keyStore
	clock *clock
	rt    *Runtime
	crash func(split.Point) bool
}

func newEnv(t *testing.T, crash func(split.Point) bool) *env {
	t.Helper()
	e := &env{t: t, store: &keyStore{kv: make(map[string][]byte)}, clock: &clock{}, crash: crash}
	inner, err := embedded.Open(embedded.Options{Dir: t.TempDir(), Now: e.clock.now, Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := inner.Close(); err != nil {
			t.Error(err)
		}
	})
	e.log = inner
	if crash != nil {
		e.log = split.Wrap(split.Options{Log: inner, Crash: crash})
	}
	refuse := resilience.Decision{Action: resilience.Refuse, After: time.Minute}
	dep := func(name string) *resilience.Dependency {
		d, err := resilience.New(resilience.Config{Name: name, Decisions: resilience.Decisions{Down: refuse, Slow: refuse, Unreliable: refuse}, Report: func(resilience.Incident) {}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	e.keys, err = seal.Open(seal.Config{Store: e.store, MasterFile: filepath.Join(t.TempDir(), "master"), CachedKeys: 1, Dependency: dep("key service")})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range topic.Table() {
		if log.CheckName(row.Name) == nil {
			e.must(inner.Create(t.Context(), log.Topic{Name: row.Name, Lanes: min(row.Lanes, 4)}))
		}
	}
	e.rt, err = New(Config{Log: e.log, Keys: e.keys, Dependency: dep("log"), Clock: e.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.rt.Close)
	return e
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// media publishes a medium of a verification.
func (e *env) media(verification string, m envelopev1.Medium, ordinal int) {
	e.t.Helper()
	e.mediaUntil(verification, m, ordinal, time.Time{})
}

// mediaUntil publishes a medium of a verification that has a deadline.
func (e *env) mediaUntil(verification string, m envelopev1.Medium, ordinal int, deadline time.Time) {
	e.t.Helper()
	_, err := e.keys.Create(e.t.Context(), "acme", verification)
	e.must(err)
	a := Ancestry{Source: "ingest", Version: 1, Client: "acme", Verification: verification, Correlation: "r-" + verification, DeadlineAt: deadline}
	e.must(e.rt.Publish(e.t.Context(), a, Output{Topic: topic.Media, Kind: envelopev1.Kind_KIND_MEDIUM, Medium: m, Ordinal: ordinal,
		Payload: &mediav1.Media{Sha256: "feed", Bytes: uint64(ordinal)}}))
}

// fact publishes a fact of a verification.
func (e *env) fact(verification string, o Output) {
	e.t.Helper()
	_, err := e.keys.Create(e.t.Context(), "acme", verification)
	e.must(err)
	if o.Payload == nil {
		o.Payload = &factv1.Fact{What: &factv1.Fact_Complete{Complete: &factv1.Complete{}}}
	}
	e.must(e.rt.Publish(e.t.Context(), Ancestry{Source: "ingest", Version: 1, Client: "acme", Verification: verification}, o))
}

// start runs a service in the background; stop ends it and waits.
func (e *env) start(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(e.t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				e.t.Errorf("the service ended with %v", err)
			}
		})
	}
	e.t.Cleanup(stop)
	return stop
}

// all reads every message of a topic, lane by lane.
func (e *env) all(name string) []*Message {
	e.t.Helper()
	n, err := e.log.Lanes(e.t.Context(), name)
	if errors.Is(err, log.ErrNoTopic) {
		return nil
	}
	e.must(err)
	var out []*Message
	for i := range n {
		l := log.Lane{Topic: name, N: i}
		b, err := e.log.Bounds(e.t.Context(), l)
		e.must(err)
		for rec, err := range e.log.Read(e.t.Context(), l, b[0].First, b[0].End) {
			if b[0].End == b[0].First {
				break
			}
			e.must(err)
			m, err := e.rt.Decode(rec)
			e.must(err)
			out = append(out, m)
		}
	}
	return out
}

// until waits for a condition that must come true.
func (e *env) until(what string, ok func() bool) {
	e.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			e.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// lagZero reports whether a service has committed all of its input.
func (e *env) lagZero(service, input string) func() bool {
	return func() bool {
		lag, err := e.rt.lag(e.t.Context(), log.Group{Name: groupName(service, 1), Input: input})
		e.must(err)
		return lag == 0
	}
}

func ofSource(ms []*Message, source string) (out []*Message) {
	for _, m := range ms {
		if m.GetSource() == source {
			out = append(out, m)
		}
	}
	return out
}

// distinct counts messages by id.
func distinct(ms []*Message) map[string]int {
	n := make(map[string]int)
	for _, m := range ms {
		n[m.GetId()]++
	}
	return n
}

// stored lists the verifications of which a service that reads facts, and is not running, has stored a state.
func (e *env) stored(service string) (names []string) {
	e.t.Helper()
	m, err := e.log.Join(e.t.Context(), log.Group{Name: groupName(service, 1), Input: topic.Fact, State: stateName(service, 1), Mode: log.AtLeastOnce})
	e.must(err)
	defer m.Close(e.t.Context())
	_, err = m.Poll(e.t.Context())
	e.must(err)
	for lane := range int32(4) {
		for name := range m.State(lane).All() {
			names = append(names, string(name))
		}
	}
	return names
}
