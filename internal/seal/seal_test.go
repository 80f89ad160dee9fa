package seal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
	"pgregory.net/rapid"
)

// memory is a store that can be broken.
type memory struct {
	mu  sync.Mutex
	kv  map[string][]byte
	err error
}

func (m *memory) Get(key []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kv[string(key)], m.err
}

func (m *memory) Put(key, val []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.kv[string(key)] = bytes.Clone(val)
	}
	return m.err
}

func (m *memory) Delete(key []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kv, string(key))
	return m.err
}

func service(t testing.TB) *resilience.Dependency {
	refuse := resilience.Decision{Action: resilience.Refuse, After: time.Second, For: time.Second}
	d, err := resilience.New("key service", resilience.Decisions{Down: refuse, Slow: refuse, Unreliable: refuse}, func(resilience.Incident) {})
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
