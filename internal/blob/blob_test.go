package blob

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

type keys map[string][]byte

func (k keys) Get(key []byte) ([]byte, error) { return k[string(key)], nil }
func (k keys) Put(key, val []byte) error      { k[string(key)] = bytes.Clone(val); return nil }
func (k keys) Delete(key []byte) error        { delete(k, string(key)); return nil }

func dependency(t *testing.T, name string) *resilience.Dependency {
	refuse := resilience.Decision{Action: resilience.Refuse, After: time.Minute}
	d, err := resilience.New(resilience.Config{Name: name, Decisions: resilience.Decisions{Down: refuse, Slow: refuse, Unreliable: refuse}, Report: func(resilience.Incident) {}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func open(t *testing.T, clock func() time.Time) (*Store, *seal.Keyring) {
	t.Helper()
	dir := t.TempDir()
	ring, err := seal.Open(seal.Config{Store: keys{}, MasterFile: filepath.Join(dir, "master"), Dependency: dependency(t, "key service")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Create(t.Context(), "c", "v"); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Dir: dir, Keys: ring, Dependency: dependency(t, "blob store"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s, ring
}

func TestBlobsComeBackSealed(t *testing.T) {
	s, _ := open(t, nil)
	for _, durable := range []bool{true, false} {
		for _, size := range []int{0, 1, 200_000} {
			data := bytes.Repeat([]byte("ERIKA MUSTERMANN "), size/17+1)[:size]
			sha, err := s.Put(t.Context(), "c", "v", data, durable)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := s.Get(t.Context(), "c", "v", sha); err != nil || !bytes.Equal(back, data) {
				t.Errorf("%d bytes: got %d, %v", size, len(back), err)
			}
			onDisk, _ := os.ReadFile(fileOf(t, s, "c", "v", sha))
			if bytes.Contains(onDisk, []byte("ERIKA")) {
				t.Error("a blob stands on the disk in clear")
			}
		}
	}
	if left, _ := os.ReadDir(s.temp()); len(left) != 0 {
		t.Errorf("%d temporary files are left", len(left))
	}
}

func TestDamageIsNoticed(t *testing.T) {
	s, ring := open(t, nil)
	if _, err := ring.Create(t.Context(), "c", "w"); err != nil {
		t.Fatal(err)
	}
	sha, _ := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
	other, _ := s.Put(t.Context(), "c", "v", []byte("another"), true)
	whole, _ := os.ReadFile(fileOf(t, s, "c", "v", sha))
	for name, bad := range map[string][]byte{
		"flipped": append([]byte{whole[0] ^ 1}, whole[1:]...),
		"cut":     whole[:len(whole)-1],
		"empty":   {},
	} {
		if err := os.WriteFile(fileOf(t, s, "c", "v", sha), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "c", "v", sha); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is damaged is made whole by who has the bytes, even when that one does not wait for the disk.
	if _, err := s.Put(t.Context(), "c", "v", []byte("a picture"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "c", "v", sha); err != nil {
		t.Errorf("after mending: %v", err)
	}
	if err := os.Rename(fileOf(t, s, "c", "v", other), fileOf(t, s, "c", "v", sha)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "c", "v", sha); !errors.Is(err, ErrDamaged) {
		t.Errorf("under another's name: %v", err)
	}
}

// A sealed blob opens for its own verification only, also when it is put, under its own name, where another's are.
func TestBlobsOpenForTheirVerificationOnly(t *testing.T) {
	s, ring := open(t, nil)
	for _, to := range [][2]string{{"c", "w"}, {"d", "v"}} {
		if _, err := ring.Create(t.Context(), to[0], to[1]); err != nil {
			t.Fatal(err)
		}
		sha, err := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), to[0], to[1], sha); !errors.Is(err, ErrNotFound) {
			t.Errorf("asked of %v: %v", to, err)
		}
		sealed, _ := os.ReadFile(fileOf(t, s, "c", "v", sha))
		if _, err := s.Put(t.Context(), to[0], to[1], []byte("another"), false); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(fileOf(t, s, to[0], to[1], sha), sealed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), to[0], to[1], sha); !errors.Is(err, ErrDamaged) {
			t.Errorf("moved to %v: %v", to, err)
		}
	}
	if _, err := s.Get(t.Context(), "c", "unknown", strings.Repeat("0", 64)); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("of a verification that never was: %v", err)
	}
}

// Wherever a blob of several sealed segments is cut, changed or lengthened, it is damaged, and nothing of it is given out.
func TestDamageAnywhereIsNoticed(t *testing.T) {
	s, _ := open(t, nil)
	const segment = 64 << 10
	sha, err := s.Put(t.Context(), "c", "v", bytes.Repeat([]byte("ERIKA"), 40_000), true)
	if err != nil {
		t.Fatal(err)
	}
	path := fileOf(t, s, "c", "v", sha)
	whole, _ := os.ReadFile(path)
	var bad [][]byte
	for _, at := range []int{0, 1, 39, 40, segment - 1, segment, segment + 1, 2 * segment, 3 * segment, len(whole) - 16, len(whole) - 1} {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x80
		bad = append(bad, whole[:at], flipped)
	}
	swapped := bytes.Clone(whole)
	copy(swapped[segment:], whole[2*segment:3*segment])
	copy(swapped[2*segment:], whole[segment:2*segment])
	for i, b := range append(bad, swapped, append(bytes.Clone(whole), 0), append(bytes.Clone(whole), whole...)) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), "c", "v", sha); !errors.Is(err, ErrDamaged) || got != nil {
			t.Errorf("damage %d: %d bytes, %v", i, len(got), err)
		}
	}
}

// A blob that the disk does not read is not a damaged one: another try may read it.
func TestUnreadableIsNotDamaged(t *testing.T) {
	s, _ := open(t, nil)
	sha, err := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
	if err != nil {
		t.Fatal(err)
	}
	path := fileOf(t, s, "c", "v", sha)
	if err := errors.Join(os.Rename(path, path+".away"), os.Mkdir(path, 0o700)); err != nil { // reading it gives EISDIR
		t.Fatal(err)
	}
	var taken *resilience.Taken
	if _, err := s.Get(t.Context(), "c", "v", sha); errors.Is(err, ErrDamaged) || !errors.As(err, &taken) || !errors.Is(err, syscall.EISDIR) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(os.Remove(path), os.Rename(path+".away", path)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "c", "v", sha); err != nil {
		t.Errorf("once the disk reads again: %v", err)
	}
}

// What is to be durable is flushed before Commit returns, with the directories that name it; what can be made again is not waited for.
func TestDurableIsFlushed(t *testing.T) {
	s, ring := open(t, nil)
	var flushed []string
	s.flush = func(f *os.File) error { flushed = append(flushed, f.Name()); return nil }
	if _, err := s.Put(t.Context(), "c", "v", []byte("a page"), false); err != nil || len(flushed) != 0 {
		t.Errorf("%v, flushed %v", err, flushed)
	}
	for i, v := range []string{"v", "w", "w"} {
		if _, err := ring.Create(t.Context(), "c", v); err != nil {
			t.Fatal(err)
		}
		flushed = nil
		if _, err := s.Put(t.Context(), "c", v, []byte{byte(i)}, true); err != nil {
			t.Fatal(err)
		}
		want := []string{filepath.Join(s.root(), "c", v), filepath.Join(s.root(), "c")}
		if i == 0 {
			want = append(want, s.root())
		}
		if len(flushed) == 0 || filepath.Dir(flushed[0]) != s.temp() || !slices.Equal(flushed[1:], want) {
			t.Errorf("blob %d: flushed %v, want a temporary file and %v", i, flushed, want)
		}
	}
}

// Whichever flush fails, nobody is told that the blob is kept, and nothing half written is left; a flush that failed is not tried again.
func TestFailedFlushIsNoSuccess(t *testing.T) {
	for nth := 1; nth <= 4; nth++ {
		s, _ := open(t, nil)
		n := 0
		s.flush = func(*os.File) error {
			if n++; n == nth {
				return errors.New("input/output error")
			}
			return nil
		}
		w, err := s.Writer(t.Context(), "c", "v")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("a picture")); err != nil {
			t.Fatal(err)
		}
		if sha, _, err := w.Commit(true); err == nil || sha != "" {
			t.Errorf("flush %d failed: %q, %v", nth, sha, err)
		}
		if nth == 1 && n != 1 {
			t.Errorf("a failed flush was followed by %d others", n-1)
		}
		if left, _ := os.ReadDir(s.temp()); len(left) != 0 {
			t.Errorf("flush %d failed: %d temporary files are left", nth, len(left))
		}
		if _, err := s.Put(t.Context(), "c", "v", []byte("a picture"), true); err != nil {
			t.Errorf("after flush %d failed: %v", nth, err)
		}
	}
}

func TestNamesCannotClimb(t *testing.T) {
	s, _ := open(t, nil)
	for _, bad := range []string{"", ".", "..", "../x", "a/b", "a\x00b"} {
		if _, err := s.Get(t.Context(), "c", "v", bad); !errors.Is(err, ErrBadName) {
			t.Errorf("digest %q: %v", bad, err)
		}
		if _, err := s.Writer(t.Context(), bad, "v"); !errors.Is(err, ErrBadName) {
			t.Errorf("client %q: %v", bad, err)
		}
		if err := s.Remove(t.Context(), "c", bad); !errors.Is(err, ErrBadName) {
			t.Errorf("verification %q: %v", bad, err)
		}
	}
}

func TestErasedAndRemoved(t *testing.T) {
	s, ring := open(t, nil)
	sha, _ := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
	if err := ring.Erase(t.Context(), "c", "v"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "c", "v", sha); !errors.Is(err, seal.ErrErased) {
		t.Errorf("erased: %v", err)
	}
	for range 2 {
		if err := s.Remove(t.Context(), "c", "v"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(s.root(), "c", "v")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestAbortAndRestartLeaveNothing(t *testing.T) {
	s, ring := open(t, nil)
	w, err := s.Writer(t.Context(), "c", "v")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("half")); err != nil || w.Abort() != nil {
		t.Fatal(err)
	}
	if _, err := s.Writer(t.Context(), "c", "v"); err != nil { // a process that was killed here
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: s.dir, Keys: ring, Dependency: s.dep}); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.temp()); len(left) != 0 {
		t.Errorf("%d temporary files are left", len(left))
	}
}

func TestOldIsWhatWasNotWrittenToForADay(t *testing.T) {
	now := time.Now()
	s, _ := open(t, func() time.Time { return now })
	if _, err := s.Put(t.Context(), "c", "v", []byte("x"), true); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context(), "d", "empty"); err != nil {
		t.Fatal(err)
	}
	old := func() (out []Owner) {
		for o, err := range s.Old() {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, o)
		}
		return out
	}
	if got := old(); len(got) != 0 {
		t.Errorf("old a moment after it was written: %v", got)
	}
	now = now.Add(25 * time.Hour)
	if diff := cmp.Diff([]Owner{{"c", "v"}, {"d", "empty"}}, old()); diff != "" {
		t.Error(diff)
	}
	later := now.Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(s.root(), "d", "empty"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "c", "v"); err != nil {
		t.Fatal(err)
	}
	if got := old(); len(got) != 0 {
		t.Errorf("old, though removed or written to an hour ago: %v", got)
	}
	for range s.Old() { // nobody asks for the rest
		break
	}
}

func TestPixelsAreDecodedOnce(t *testing.T) {
	s, _ := open(t, nil)
	sha, _ := s.Put(t.Context(), "c", "v", []byte("jpeg"), true)
	synctest.Test(t, func(t *testing.T) {
		decoded := 0
		decode := func([]byte) (*pix.RGB, error) { decoded++; time.Sleep(time.Second); return pix.NewRGB(4, 4), nil }
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if m, err := s.Pixels(t.Context(), "c", "v", sha, decode); err != nil || m.W != 4 {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, err := s.Pixels(t.Context(), "c", "v", sha, decode); err != nil || decoded != 1 {
			t.Errorf("decoded %d times, %v", decoded, err)
		}
	})
}

func TestPixelsOutliveAnImpatientCaller(t *testing.T) {
	s, _ := open(t, nil)
	sha, _ := s.Put(t.Context(), "c", "v", []byte("jpeg"), true)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		slow := func([]byte) (*pix.RGB, error) { <-ctx.Done(); return nil, ctx.Err() }
		go func() { _, _ = s.Pixels(ctx, "c", "v", sha, slow) }()
		synctest.Wait()
		m, err := s.Pixels(t.Context(), "c", "v", sha, func([]byte) (*pix.RGB, error) { return pix.NewRGB(1, 1), nil })
		if err != nil || m == nil {
			t.Errorf("another's deadline became ours: %v", err)
		}
	})
}

func TestPixelsAreBounded(t *testing.T) {
	s, _ := open(t, nil)
	s.pixels.limit = 100
	s.KeepPixels("c", "v", "a", pix.NewRGB(4, 4)) // 48 bytes
	s.KeepPixels("c", "v", "b", pix.NewRGB(4, 4))
	s.KeepPixels("c", "v", "b", pix.NewRGB(4, 4))
	s.KeepPixels("c", "v", "d", pix.NewRGB(4, 4))
	if s.pixels.get(name{"c", "v", "a"}) != nil || s.pixels.get(name{"c", "v", "d"}) == nil || s.pixels.bytes != 96 {
		t.Errorf("%d bytes held", s.pixels.bytes)
	}
	s.KeepPixels("c", "v", "huge", pix.NewRGB(10, 10))
	if len(s.pixels.at) != 0 || s.pixels.bytes != 0 {
		t.Errorf("more than the limit is held: %d", s.pixels.bytes)
	}
	s.KeepPixels("c", "v", "a", pix.NewRGB(1, 1))
	if err := s.Remove(t.Context(), "c", "v"); err != nil || len(s.pixels.at) != 0 {
		t.Error("pixels survive the removal of their verification")
	}
}

func fileOf(t *testing.T, s *Store, client, verification, sha string) string {
	t.Helper()
	path, err := s.file(client, verification, sha)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The names on the disk tell nobody what was sent, nor that it was sent twice.
func TestNamesTellNothing(t *testing.T) {
	s, ring := open(t, nil)
	if _, err := ring.Create(t.Context(), "c", "w"); err != nil {
		t.Fatal(err)
	}
	sha, err := s.Put(t.Context(), "c", "v", []byte("a picture"), true)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Put(t.Context(), "c", "w", []byte("a picture"), true); err != nil || again != sha {
		t.Fatal(again, err)
	}
	a, b := filepath.Base(fileOf(t, s, "c", "v", sha)), filepath.Base(fileOf(t, s, "c", "w", sha))
	if a == b || a == sha || b == sha {
		t.Errorf("%s lies as %s and %s", sha, a, b)
	}
}
