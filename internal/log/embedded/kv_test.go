package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

func openKV(t *testing.T, dir string) *KV {
	t.Helper()
	kv, err := OpenKV(Options{Dir: dir, Reserve: 1 << 10})
	check(t, err)
	t.Cleanup(func() { kv.Close() })
	return kv
}

func TestKV(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	kv := openKV(t, dir)
	for i := range 20 {
		check(t, kv.Put(fmt.Appendf(nil, "a/%02d", i), fmt.Append(nil, i)))
	}
	check(t, kv.Put([]byte("b"), nil))
	check(t, kv.Put([]byte("a/03"), []byte("again")))
	check(t, kv.Delete([]byte("a/07")))
	check(t, kv.Delete([]byte("a/never")))
	check(t, kv.Close())
	if _, _, err := kv.Get([]byte("b")); !errors.Is(err, log.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	kv = openKV(t, dir)
	v, ok, err := kv.Get([]byte("a/03"))
	if string(v) != "again" || !ok || err != nil {
		t.Errorf("%q %v %v", v, ok, err)
	}
	if _, ok, err := kv.Get([]byte("a/07")); ok || err != nil {
		t.Errorf("deleted, and there: %v", err)
	}
	if v, ok, err := kv.Get([]byte("b")); !ok || len(v) != 0 || err != nil {
		t.Errorf("an empty value: %q %v %v", v, ok, err)
	}
	n := 0
	for p, err := range kv.Iterate([]byte("a/")) {
		check(t, err)
		if !bytes.HasPrefix(p.Key, []byte("a/")) {
			t.Errorf("key %s", p.Key)
		}
		n++
	}
	if n != 19 {
		t.Errorf("%d keys", n)
	}
}

// TestErase deletes values in every place where they may lie (memory, WAL, young and old tables, after a
// start) and looks for their bytes in all files.
func TestErase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	kv := openKV(t, dir)
	rng := rand.New(rand.NewPCG(5, 6))
	secret := func(i int) []byte { // does not compress, so that it stands in the files as it is
		r := rand.New(rand.NewPCG(uint64(i), 9))
		b := make([]byte, 64)
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		return b
	}
	for i := range 60 {
		check(t, kv.Put(fmt.Append(nil, i), secret(i)))
		switch i % 20 {
		case 10:
			check(t, kv.store.db.Flush())
		case 15:
			check(t, kv.Close())
			kv = openKV(t, dir)
		}
	}
	if !bytes.Contains(everything(t, dir), secret(59)) {
		t.Fatal("the test cannot find a value that is there")
	}
	var spent time.Duration
	perm := rng.Perm(60)
	for _, i := range perm[:12] {
		at := time.Now()
		check(t, kv.Delete(fmt.Append(nil, i)))
		spent += time.Since(at)
		if bytes.Contains(everything(t, dir), secret(i)) {
			t.Errorf("value %d is still on disk", i)
		}
	}
	t.Logf("a deletion takes %v", spent/12)
	for _, i := range perm[12:] {
		if v, ok, err := kv.Get(fmt.Append(nil, i)); !ok || err != nil || !bytes.Equal(v, secret(i)) {
			t.Fatalf("%d: %v %v", i, ok, err)
		}
	}
}

func everything(t *testing.T, dir string) (all []byte) {
	for _, name := range listFiles(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		check(t, err)
		all = append(all, b...)
	}
	return all
}

// TestIterateByPieces goes through more than one piece while keys come and go.
func TestIterateByPieces(t *testing.T) {
	for _, n := range []int{0, 1, piece - 1, piece, piece + 1, 2 * piece, 2*piece + 1} {
		kv := openKV(t, filepath.Join(t.TempDir(), "keys"))
		var all []log.KV
		for i := range n {
			all = append(all, log.KV{Key: fmt.Appendf(nil, "a/%05d", i), Val: []byte{byte(i)}})
		}
		check(t, kv.Write(append(all, log.KV{Key: []byte("b"), Val: []byte{}}, log.KV{Key: []byte("0"), Val: []byte{}})...))
		got := 0
		for p, err := range kv.Iterate([]byte("a/")) {
			check(t, err)
			if string(p.Key) != fmt.Sprintf("a/%05d", got) || p.Val[0] != byte(got) {
				t.Fatalf("of %d: pair %d is %s", n, got, p.Key)
			}
			got++
			check(t, kv.Write(log.KV{Key: p.Key})) // what was seen may go
		}
		if got != n {
			t.Errorf("%d pairs of %d", got, n)
		}
	}
}
