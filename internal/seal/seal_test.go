package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
	"pgregory.net/rapid"
)

// memory is a store that can be broken: for good, or at one call.
type memory struct {
	mu    sync.Mutex
	kv    map[string][]byte
	err   error
	calls int
	bad   int // number of the call that fails, from 1; 0: none
}

var errOnce = errors.New("this once")

// call counts a call and says whether it fails.
func (m *memory) call() error {
	if m.calls++; m.calls == m.bad {
		return errOnce
	}
	return m.err
}

func (m *memory) Get(key []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call(); err != nil {
		return nil, err
	}
	time.Sleep(time.Microsecond) // others come in between
	return m.kv[string(key)], nil
}

func (m *memory) Put(key, val []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.call()
	if err == nil {
		m.kv[string(key)] = bytes.Clone(val)
	}
	return err
}

func (m *memory) Delete(key []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.call()
	if err == nil {
		delete(m.kv, string(key))
	}
	return err
}

func service(t testing.TB) *resilience.Dependency {
	refuse := resilience.Decision{Action: resilience.Refuse, After: time.Second, For: time.Second}
	d, err := resilience.New(resilience.Config{Name: "key service", Decisions: resilience.Decisions{Down: refuse, Slow: refuse, Unreliable: refuse}, Report: func(resilience.Incident) {}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func open(t testing.TB, store Store, dir string) *Keyring {
	t.Helper()
	k, err := Open(Config{Store: store, MasterFile: filepath.Join(dir, "keys", "master.json"), Dependency: service(t)})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	k := open(t, &memory{kv: map[string][]byte{}}, t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringN(0, 4, 8)
		place := Place{part.Draw(t, "client"), part.Draw(t, "verification"), part.Draw(t, "topic"), part.Draw(t, "event")}
		other := Place{part.Draw(t, "c"), part.Draw(t, "v"), part.Draw(t, "t"), part.Draw(t, "e")}
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		key, err := k.Create(context.Background(), place.Client, place.Verification)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := key.Seal(plain, place)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := key.Open(sealed, place); err != nil || !bytes.Equal(back, plain) {
			t.Fatalf("got %q, %v", back, err)
		}
		if _, err := key.Open(sealed, other); (err == nil) != (place == other) {
			t.Fatalf("sealed at %q, opened at %q: %v", place, other, err)
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 1
		if _, err := key.Open(sealed, place); !errors.Is(err, ErrTampered) {
			t.Fatalf("changed bytes opened: %v", err)
		}
	})
}

func TestKeysSurviveARestart(t *testing.T) {
	store, dir := &memory{kv: map[string][]byte{}}, t.TempDir()
	k := open(t, store, dir)
	key, err := k.Create(t.Context(), "c", "v")
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := key.Seal([]byte("ERIKA"), Place{Client: "c"})
	mac := k.MAC("cursor", []byte("a"))
	again := open(t, store, dir)
	key, err = again.Key(t.Context(), "c", "v")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := key.Open(sealed, Place{Client: "c"}); err != nil || string(plain) != "ERIKA" {
		t.Errorf("got %q, %v", plain, err)
	}
	if !bytes.Equal(mac, again.MAC("cursor", []byte("a"))) {
		t.Error("keyed digests changed over a restart")
	}
}

func TestCreateIsIdempotent(t *testing.T) {
	k := open(t, &memory{kv: map[string][]byte{}}, t.TempDir())
	a, err := k.Create(t.Context(), "c", "v")
	if err != nil {
		t.Fatal(err)
	}
	k.cache.drop(string(joined("c", "v")))
	b, err := k.Create(t.Context(), "c", "v")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Salt("e"), b.Salt("e")) {
		t.Error("a second Create made another key")
	}
	other, _ := k.Create(t.Context(), "c", "w")
	if bytes.Equal(a.Salt("e"), other.Salt("e")) || bytes.Equal(a.Salt("e"), a.Salt("f")) {
		t.Error("salts do not tell verifications or events apart")
	}
}

func TestErasedStaysErased(t *testing.T) {
	store, dir := &memory{kv: map[string][]byte{}}, t.TempDir()
	k := open(t, store, dir)
	if _, err := k.Key(t.Context(), "c", "v"); !errors.Is(err, ErrNoKey) {
		t.Fatalf("before: %v", err)
	}
	if _, err := k.Create(t.Context(), "c", "v"); err != nil {
		t.Fatal(err)
	}
	if err := k.Erase(t.Context(), "c", "v"); err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*Keyring{"same": k, "restarted": open(t, store, dir)} {
		_, create := ring.Create(t.Context(), "c", "v")
		_, key := ring.Key(t.Context(), "c", "v")
		if !errors.Is(create, ErrErased) || !errors.Is(key, ErrErased) {
			t.Errorf("%s keyring: Create %v, Key %v", name, create, key)
		}
		if taken := (*resilience.Taken)(nil); errors.As(errors.Join(create, key), &taken) {
			t.Errorf("%s keyring: an erased key counts as a failure of the key service: %v", name, taken)
		}
	}
	for at := range store.kv {
		if strings.HasPrefix(at, "key/") {
			t.Error("the wrapped key is still in the store")
		}
	}
}

func TestStoreFailureIsNoAnswer(t *testing.T) {
	store := &memory{kv: map[string][]byte{}}
	k := open(t, store, t.TempDir())
	store.err = errors.New("disk on fire")
	_, err := k.Key(t.Context(), "c", "v")
	var taken *resilience.Taken
	if !errors.As(err, &taken) || errors.Is(err, ErrNoKey) || errors.Is(err, ErrErased) {
		t.Errorf("got %v", err)
	}
}

// Whichever call to the store fails, nobody is told that it went well; tried again it does, and the answers are those of a store that never failed.
func TestEveryCallToTheStoreMayFail(t *testing.T) {
	type step struct {
		name string
		do   func(*Keyring) error
	}
	steps := []step{
		{"create", func(k *Keyring) error { _, err := k.Create(context.Background(), "c", "v"); return err }},
		{"key", func(k *Keyring) error {
			k.cache.drop(string(joined("c", "v")))
			_, err := k.Key(context.Background(), "c", "v")
			return err
		}},
		{"other", func(k *Keyring) error { _, err := k.Create(context.Background(), "c", "w"); return err }},
		{"discard", func(k *Keyring) error { return k.Discard(context.Background(), "c", "w") }},
		{"erase", func(k *Keyring) error { return k.Erase(context.Background(), "c", "v") }},
	}
	for _, s := range steps {
		for nth := 1; ; nth++ {
			store := &memory{kv: map[string][]byte{}}
			k := open(t, store, t.TempDir())
			failed := false
			for _, x := range steps {
				if x.name == s.name {
					store.bad = store.calls + nth
				}
				err := x.do(k)
				hit := store.bad > 0 && store.calls >= store.bad
				store.bad = 0
				if hit != (err != nil) {
					t.Fatalf("%s, its call %d fails: %v", x.name, nth, err)
				} else if hit {
					failed = true
					if err := x.do(k); err != nil {
						t.Fatalf("%s again, after its call %d failed: %v", x.name, nth, err)
					}
				}
			}
			_, v := k.Key(t.Context(), "c", "v")
			_, w := k.Key(t.Context(), "c", "w")
			if !errors.Is(v, ErrErased) || !errors.Is(w, ErrNoKey) {
				t.Fatalf("%s, its call %d failed: then v is %v, w is %v", s.name, nth, v, w)
			}
			for at := range store.kv {
				if strings.HasPrefix(at, "key/") {
					t.Fatalf("%s, its call %d failed: a wrapped key is still in the store", s.name, nth)
				}
			}
			if !failed {
				break
			}
		}
	}
}

// Without randomness there is no key, rather than a bad one.
func TestNoKeyWithoutRandomness(t *testing.T) {
	dir := t.TempDir()
	store := &memory{kv: map[string][]byte{}}
	open(t, store, dir) // draws the secret of keyed digests
	k, err := Open(Config{Store: store, MasterFile: filepath.Join(dir, "keys", "master.json"), Dependency: service(t), Rand: strings.NewReader("too short")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Create(t.Context(), "c", "v"); err == nil {
		t.Error("a key was made of nothing")
	}
	if _, err := k.Key(t.Context(), "c", "v"); !errors.Is(err, ErrNoKey) {
		t.Errorf("after it: %v", err)
	}
}

// A wrapped key that was changed, or put in another's place, opens nothing.
func TestWrappedKeysAreBoundToTheirVerification(t *testing.T) {
	store, dir := &memory{kv: map[string][]byte{}}, t.TempDir()
	k := open(t, store, dir)
	for _, v := range []string{"v", "w"} {
		if _, err := k.Create(t.Context(), "c", v); err != nil {
			t.Fatal(err)
		}
	}
	at := func(v string) string { return "key/" + string(joined("c", v)) }
	store.kv[at("v")] = store.kv[at("w")]
	store.kv[at("w")] = append([]byte{store.kv[at("w")][0] ^ 1}, store.kv[at("w")][1:]...)
	k = open(t, store, dir)
	for _, v := range []string{"v", "w"} {
		if _, err := k.Key(t.Context(), "c", v); !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v", v, err)
		}
	}
	for at := range store.kv {
		if strings.HasPrefix(at, "client/") {
			store.kv[at] = store.kv[at][1:]
		}
	}
	if _, err := open(t, store, dir).Create(t.Context(), "c", "x"); !errors.Is(err, ErrTampered) {
		t.Errorf("under a client's key that was cut: %v", err)
	}
}

// A lost master keyset is not replaced by a new one, under which nothing that there is would open.
func TestLostMasterFile(t *testing.T) {
	store, dir := &memory{kv: map[string][]byte{}}, t.TempDir()
	open(t, store, dir)
	path := filepath.Join(dir, "keys", "master.json")
	kept, err := os.ReadFile(path)
	if err != nil || os.Remove(path) != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{Store: store, MasterFile: path, Dependency: service(t)})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("without it: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("another was put in its place")
	}
	if err := os.WriteFile(path, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, store, dir)
}

func TestMasterFileIsPrivateAndRefusedOtherwise(t *testing.T) {
	store, dir := &memory{kv: map[string][]byte{}}, t.TempDir()
	open(t, store, dir)
	path := filepath.Join(dir, "keys", "master.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Store: store, MasterFile: path, Dependency: service(t)}); err == nil {
		t.Error("a master keyset that others can read was accepted")
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil || os.Chmod(path, 0o600) != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Store: store, MasterFile: path, Dependency: service(t)}); err == nil {
		t.Error("a damaged master keyset was accepted")
	}
}

func TestBlobStreams(t *testing.T) {
	k := open(t, &memory{kv: map[string][]byte{}}, t.TempDir())
	key, _ := k.Create(t.Context(), "c", "v")
	place := Place{Client: "c", Verification: "v", Topic: "blob"}
	for _, size := range []int{0, 1, segment - 1, segment, 3*segment + 7} {
		plain := bytes.Repeat([]byte{7}, size)
		var sealed bytes.Buffer
		w, err := key.Writer(&sealed, place)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		if back, err := readAll(key, sealed.Bytes(), place); err != nil || !bytes.Equal(back, plain) {
			t.Errorf("%d bytes: got %d, %v", size, len(back), err)
		}
		if _, err := readAll(key, sealed.Bytes()[:sealed.Len()-1], place); !errors.Is(err, ErrTampered) {
			t.Errorf("%d bytes, cut: %v", size, err)
		}
		if _, err := readAll(key, sealed.Bytes(), Place{Client: "d"}); !errors.Is(err, ErrTampered) {
			t.Errorf("%d bytes, elsewhere: %v", size, err)
		}
	}
}

// A disk that does not read is not an attack: its error comes back as it is, wherever it happens.
func TestUnreadableIsNotTampered(t *testing.T) {
	k := open(t, &memory{kv: map[string][]byte{}}, t.TempDir())
	key, _ := k.Create(t.Context(), "c", "v")
	var sealed bytes.Buffer
	w, err := key.Writer(&sealed, Place{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3*segment)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	broken := errors.New("input/output error")
	for _, good := range []int{0, 1, 40, segment, segment + 1, 2*segment + 5, sealed.Len() - 1, sealed.Len()} {
		r, err := key.Reader(io.MultiReader(bytes.NewReader(sealed.Bytes()[:good]), iotest.ErrReader(broken)), Place{})
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, broken) || errors.Is(err, ErrTampered) {
			t.Errorf("after %d bytes: %v", good, err)
		}
	}
}

func readAll(k *Key, sealed []byte, p Place) ([]byte, error) {
	r, err := k.Reader(bytes.NewReader(sealed), p)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestMACTellsPurposesAndPartsApart(t *testing.T) {
	k := open(t, &memory{kv: map[string][]byte{}}, t.TempDir())
	seen := map[string]bool{}
	for _, m := range [][]byte{k.MAC("a", []byte("xy")), k.MAC("b", []byte("xy")), k.MAC("a", []byte("x"), []byte("y")), k.MAC("a")} {
		if seen[string(m)] {
			t.Error("two different inputs have the same digest")
		}
		seen[string(m)] = true
	}
}

// Digests are keyed: another installation, with another master, gives others.
func TestMACsOfTwoInstallationsDiffer(t *testing.T) {
	a, b := open(t, &memory{kv: map[string][]byte{}}, t.TempDir()), open(t, &memory{kv: map[string][]byte{}}, t.TempDir())
	if bytes.Equal(a.MAC("cursor", []byte("x")), b.MAC("cursor", []byte("x"))) {
		t.Error("the same digest in two installations")
	}
}

// Whoever asks at the same time gets the same key, or hears that it is erased.
func TestOneKeyForAll(t *testing.T) {
	store := &memory{kv: map[string][]byte{}}
	k := open(t, store, t.TempDir())
	for n := range 20 {
		v := fmt.Sprint("v", n)
		salts := make(chan string, 8)
		var wg sync.WaitGroup
		for range cap(salts) {
			wg.Go(func() {
				key, err := k.Create(t.Context(), "c", v)
				if err != nil {
					t.Error(err)
					return
				}
				salts <- string(key.Salt("e"))
			})
		}
		wg.Wait()
		for first := <-salts; len(salts) > 0; {
			if <-salts != first {
				t.Fatal("two data keys for one verification")
			}
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := cache{limit: 2}
	for _, n := range []string{"a", "b", "a", "c"} {
		c.put(n, &Key{})
	}
	_, a := c.get("a")
	_, b := c.get("b")
	_, see := c.get("c")
	if !a || b || !see || c.order.Len() != 2 {
		t.Errorf("a %v b %v c %v, %d held", a, b, see, c.order.Len())
	}
}
