package logbench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestRun runs the measurement, short; the floor for the figures stands in the benchmark, which has a
// machine to itself.
func TestRun(t *testing.T) {
	o := Options{Dir: t.TempDir(), Rounds: 2, Round: 50 * time.Millisecond}
	if os.Getenv("BONAFIDE_BENCH") != "" {
		o = Options{Dir: t.TempDir()}
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	if r.Ratio <= 0 || r.Scan <= 0 || r.OpenMs <= 0 || r.WakeP99us < r.WakeP50us {
		t.Error("a figure is missing")
	}
}

// TestPeer checks that the peer writes what it is given: all of it, once.
func TestPeer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wal")
	w, err := newWAL(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				if err := w.append([]byte{byte(i + 1)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var n [17]int
	for _, c := range b[:800] {
		n[c]++
	}
	for i, c := range n[1:] {
		if c != 50 {
			t.Errorf("writer %d has %d of 50", i, c)
		}
	}
}
