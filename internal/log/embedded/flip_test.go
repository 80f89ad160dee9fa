package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/log"
)

// flips is how many bits are flipped, one at a time, in a file of an image: most where most can happen.
func flips(name string) int64 {
	switch {
	case testing.Short():
		return 5
	case strings.HasPrefix(name, "OPTIONS"), name == "reserve":
		return 5
	}
	return 40
}

// content is everything that a log can tell.
type content struct{ text string }

// fill writes records of several sizes to several lanes, with state and positions.
func fill(t *testing.T, l *Log, n int) {
	t.Helper()
	ctx := t.Context()
	if err := l.Create(ctx, log.Topic{Name: "thing.v1", Lanes: 3}, log.Topic{Name: "other.v1", Lanes: 2}); err != nil {
		t.Fatal(err)
	}
	m, err := l.Join(ctx, log.Group{Name: "g", Input: "thing.v1", State: "st.v1", Mode: log.ExactlyOnce})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(ctx)
	events, err := m.Poll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for _, name := range []string{"thing.v1", "other.v1"} {
			r := log.Rec{Lane: log.Lane{Topic: name}, Key: fmt.Append(nil, i), Val: bytes.Repeat([]byte{byte(i)}, i*37%900)}
			if _, err := l.Publish(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		g := events[i%3].(log.Gained)
		put := []log.KV{{Key: fmt.Append(nil, i%17), Val: fmt.Append(nil, i)}}
		if err := m.Step(ctx, log.Step{Lane: g.Lane, Gen: g.Gen, Put: put}); err != nil {
			t.Fatal(err)
		}
	}
}

// tell reads everything, and fails where the log says that something is wrong.
func tell(l *Log) (content, error) {
	var b strings.Builder
	ctx := context.Background()
	topics, err := l.Topics(ctx)
	if err != nil {
		return content{}, err
	}
	for _, tp := range topics {
		for n := range tp.Lanes {
			at := log.Lane{Topic: tp.Name, N: n}
			bounds, err := l.Bounds(ctx, at)
			if err != nil {
				return content{}, err
			}
			fmt.Fprintln(&b, bounds)
			for r, err := range l.Read(ctx, at, log.Pos{}, bounds[0].End) {
				if err != nil {
					return content{}, err
				}
				fmt.Fprintf(&b, "%v %s %x\n", r.Pos, r.Key, r.Val)
			}
		}
	}
	for n := range int32(3) {
		st, err := l.restore("st.v1", &lane{n: n})
		if err != nil {
			return content{}, err
		}
		for k, v := range st.All() {
			fmt.Fprintf(&b, "%d %s %s\n", n, k, v)
		}
	}
	return content{b.String()}, nil
}

// errKilled fails a store to leave its directory as a killed process would: nothing reaches it any more.
var errKilled = errors.New("killed by the test")

func nothing(*testing.T, *Log) {}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBits flips one bit after the other in images of a data directory, and demands an error, or
// every record, position and state exactly as it was.
func TestFlippedBits(t *testing.T) {
	for _, c := range []struct {
		name           string
		prepare, leave func(t *testing.T, l *Log) // before and after the truth is read
	}{
		{"killed at once", nothing, nothing},
		{"killed after a rest", nothing, func(t *testing.T, l *Log) { check(t, l.store.writeSeals()) }},
		{"killed after a flush", func(t *testing.T, l *Log) {
			for range 4 { // the WAL file is one that was used before, then
				check(t, l.store.db.Flush())
				fill(t, l, 10)
			}
		}, nothing},
		{"closed", nothing, func(t *testing.T, l *Log) { check(t, l.Close()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			o := Options{Dir: dir, Reserve: 1 << 10, segment: 16 << 10}
			l := open(t, o)
			fill(t, l, 60)
			c.prepare(t, l)
			truth, err := tell(l)
			if err != nil {
				t.Fatal(err)
			}
			c.leave(t, l)
			l.store.fail(errKilled)
			flipAll(t, dir, o, truth)
		})
	}
}

func flipAll(t *testing.T, dir string, o Options, truth content) {
	image := filepath.Join(t.TempDir(), "image")
	copyDir(t, dir, image)
	rng := rand.New(rand.NewPCG(1, 2))
	noticed := map[string]int{}
	for _, name := range listFiles(t, image) {
		for _, bit := range pick(t, rng, filepath.Join(image, name)) {
			work := filepath.Join(t.TempDir(), "work")
			copyDir(t, image, work)
			flip(t, filepath.Join(work, name), bit)
			o.Dir = work
			got, err := reopenAndTell(o)
			if err == nil && got != truth {
				t.Errorf("%s, bit %d: silently wrong", name, bit)
			}
			if err != nil {
				noticed[filepath.Ext(name)]++
				if !errors.Is(err, log.ErrDamaged) {
					t.Errorf("%s, bit %d: %v", name, bit, err)
				}
			}
			os.RemoveAll(work)
		}
	}
	t.Logf("noticed: %v", noticed)
}

func reopenAndTell(o Options) (content, error) {
	l, err := Open(o)
	if err != nil {
		return content{}, err
	}
	defer l.Close()
	return tell(l)
}

// pick chooses bits of a file: the first, the last and others.
func pick(t *testing.T, rng *rand.Rand, path string) (bits []int64) {
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	used := st.Size()
	if filepath.Ext(path) == ".log" {
		used = usedBytes(t, path)
	}
	if used == 0 {
		return nil
	}
	for range flips(filepath.Base(path)) {
		bits = append(bits, rng.Int64N(used*8))
	}
	return append(bits, used*8-1, 0)
}

// usedBytes is a file without the zeros at its end.
func usedBytes(t *testing.T, path string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(bytes.TrimRight(b, "\x00")))
}

func flip(t *testing.T, path string, bit int64) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, bit/8); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (bit % 8)
	if _, err := f.WriteAt(b, bit/8); err != nil {
		t.Fatal(err)
	}
}

func listFiles(t *testing.T, dir string) (names []string) {
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, p)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func copyDir(t *testing.T, from, to string) {
	for _, name := range listFiles(t, from) {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
