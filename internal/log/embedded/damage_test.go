package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/log"
)

// harms are what may happen to a file beside a flipped bit.
func harms(rng *rand.Rand) map[string]func(b []byte) []byte {
	return map[string]func([]byte) []byte{
		"gone":    func([]byte) []byte { return nil },
		"emptied": func([]byte) []byte { return []byte{} },
		"halved":  func(b []byte) []byte { return b[:len(b)/2] },
		"cut":     func(b []byte) []byte { return b[:len(b)-1] },
		"zeroed": func(b []byte) []byte {
			at := rng.IntN(len(b))
			clear(b[at:min(at+512, len(b))])
			return b
		},
		"doubled": func(b []byte) []byte { return append(b, b...) },
		"moved":   func(b []byte) []byte { return append(make([]byte, 7), b...) },
	}
}

// harm does it to a file of a directory; false where it changes nothing.
func harm(t *testing.T, path string, do func([]byte) []byte) bool {
	b, err := os.ReadFile(path)
	check(t, err)
	if len(b) == 0 {
		return false
	}
	after := do(append([]byte{}, b...))
	if after == nil {
		check(t, os.Remove(path))
		return true
	}
	check(t, os.WriteFile(path, after, 0o600))
	return string(after) != string(b)
}

// harmAll harms one file after the other of an image, in every way, and demands that telling what is there says
// that it is damaged, or says what it said before.
func harmAll(t *testing.T, image, truth string, tell func(dir string) (string, error)) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	noticed, work := 0, filepath.Join(t.TempDir(), "work")
	for _, name := range listFiles(t, image) {
		for how, do := range harms(rng) {
			check(t, os.RemoveAll(work))
			copyDir(t, image, work)
			if !harm(t, filepath.Join(work, name), do) {
				continue
			}
			got, err := tell(work)
			switch {
			case err == nil && got != truth:
				t.Errorf("%s %s: silently wrong", name, how)
			case err != nil && !errors.Is(err, log.ErrDamaged):
				t.Errorf("%s %s: %v", name, how, err)
			case err != nil:
				noticed++
				if d := (*log.DamagedError)(nil); errors.As(err, &d) && d.File == "" && d.Topic == "" {
					t.Errorf("%s %s: it is not said what is affected: %v", name, how, err)
				}
			}
		}
	}
	t.Logf("%d noticed", noticed)
}

// TestHarmedFiles takes files of a log away, cuts them, and writes zeros into them.
func TestHarmedFiles(t *testing.T) {
	for _, name := range []string{"killed", "closed"} {
		t.Run(name, func(t *testing.T) {
			dir, image := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "image")
			o := Options{Dir: dir, Reserve: 1 << 10, segment: 16 << 10}
			l := open(t, o)
			fill(t, l, 40)
			truth, err := tell(l)
			check(t, err)
			if name == "closed" {
				check(t, l.Close())
			}
			l.store.fail(errKilled)
			copyDir(t, dir, image)
			harmAll(t, image, truth.text, func(dir string) (string, error) {
				o.Dir = dir
				got, err := reopenAndTell(o)
				return got.text, err
			})
		})
	}
}

// TestHarmedKeys does all that to a store of keys, and flips bits in it.
func TestHarmedKeys(t *testing.T) {
	for _, name := range []string{"killed", "closed"} {
		t.Run(name, func(t *testing.T) {
			dir, image := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "image")
			kv := openKV(t, dir)
			for i := range 30 {
				check(t, kv.Put(fmt.Appendf(nil, "key/%02d", i), make([]byte, i*13%200)))
			}
			check(t, kv.Delete([]byte("key/07")))
			check(t, kv.Put([]byte("key/last"), []byte("x")))
			truth, err := tellKV(kv)
			check(t, err)
			if name == "closed" {
				check(t, kv.Close())
			}
			kv.store.fail(errKilled)
			copyDir(t, dir, image)
			reopen := func(dir string) (string, error) {
				kv, err := OpenKV(Options{Dir: dir, Reserve: 1 << 10})
				if err != nil {
					return "", err
				}
				defer kv.Close()
				return tellKV(kv)
			}
			harmAll(t, image, truth, reopen)
			flipKeys(t, image, truth, reopen)
		})
	}
}

func flipKeys(t *testing.T, image, truth string, tell func(dir string) (string, error)) {
	rng := rand.New(rand.NewPCG(5, 6))
	work := filepath.Join(t.TempDir(), "flipped")
	for _, name := range listFiles(t, image) {
		bits := pick(t, rng, filepath.Join(image, name))
		for _, bit := range bits[max(0, len(bits)-10):] {
			check(t, os.RemoveAll(work))
			copyDir(t, image, work)
			flip(t, filepath.Join(work, name), bit)
			if got, err := tell(work); err == nil && got != truth || err != nil && !errors.Is(err, log.ErrDamaged) {
				t.Errorf("%s, bit %d: %v, or silently wrong", name, bit, err)
			}
		}
	}
}

func tellKV(kv *KV) (string, error) {
	var b strings.Builder
	for p, err := range kv.Iterate(nil) {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %x\n", p.Key, p.Val)
	}
	return b.String(), nil
}

// TestDamageIsSaidInOneLine damages a table under an open log: log and errors name the file, once in a line, without stack traces.
func TestDamageIsSaidInOneLine(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10, ring: 1}
	l := open(t, o)
	check(t, l.Create(t.Context(), log.Topic{Name: "a.v1", Lanes: 1}))
	for range 20 {
		recs := make([]log.Rec, 100)
		for i := range recs {
			recs[i] = big("a.v1", i)
		}
		_, err := l.Publish(t.Context(), recs...)
		check(t, err)
	}
	check(t, l.Close())
	var said bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	l, err := Open(o)
	check(t, err)
	tables, err := filepath.Glob(filepath.Join(o.Dir, "db", "*.sst"))
	if check(t, err); len(tables) == 0 {
		t.Fatal("no tables")
	}
	for _, name := range tables {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		check(t, err)
		_, err = f.Write(make([]byte, 100_000)) // in place: the table is open
		check(t, errors.Join(err, f.Close()))
	}
	var read error
	for _, read = range l.Read(t.Context(), log.Lane{Topic: "a.v1"}, log.Pos{}, log.Pos{Off: 2000}) {
		if read != nil {
			break
		}
	}
	fails := l.store.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false)
	check(t, l.Close())
	if !errors.Is(read, log.ErrDamaged) || fails == nil || l.store.err() == nil {
		t.Fatalf("reading: %v, compacting: %v, stopped: %v", read, fails, l.store.err())
	}
	for _, text := range []string{read.Error(), l.store.err().Error(), said.String()} {
		if !strings.Contains(text, ".sst") || strings.Contains(text, "carrier") || strings.Contains(text, "stack trace") || strings.Contains(text, ".go:") {
			t.Errorf("said: %s", text)
		}
	}
	if text := read.Error(); strings.Contains(text, "\n") || !strings.Contains(text, "topic a.v1 lane 0") {
		t.Errorf("reading: %s", text)
	}
}
