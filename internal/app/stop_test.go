package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A stop in the middle of the work ends streams with a frame that says so, ends with 0, and what was in hand is finished after the next start.
func TestStopsInTheMiddle(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "data")
	c := program(t, ctx, dir)
	web := webOf(t, c)
	resp, err := web.do(ctx, "GET", "/v1/feed/stream?from=earliest", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var accepted []string
	for range 3 {
		r, _, err := web.submit(ctx, pictures{Document: smallDocument(t), Selfie: replay(t)}, []byte(`{"deadline_ms": 120000}`))
		if err != nil {
			t.Fatal(err)
		}
		accepted = append(accepted, r.Verification)
	}
	if err := c.stop(); err != nil {
		t.Errorf("a stop is not a failure: %v", err)
	}
	if end := lastLine(t, bufio.NewScanner(resp.Body)); end.T != "end" || !end.Reconnect {
		t.Errorf("the stream ended with %+v", end)
	}
	again := program(t, ctx, dir)
	frames := wholeFeed(t, ctx, webOf(t, again), accepted)
	holds(t, frames)
	if err := again.stop(); err != nil {
		t.Error(err)
	}
}

type endFrame struct {
	T, Code   string
	Reconnect bool
}

func lastLine(t *testing.T, s *bufio.Scanner) (f endFrame) {
	t.Helper()
	s.Buffer(nil, 2<<20)
	for s.Scan() {
		f = endFrame{}
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// A second process on the same directory is refused, and the first goes on.
func TestOneProcessADirectory(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "data")
	web := webOf(t, program(t, ctx, dir))
	if second, err := startChild(ctx, self(t), dir); err == nil {
		second.kill()
		t.Error("two processes share a data directory")
	}
	resp, err := web.do(ctx, "GET", "/readyz", "", nil)
	if err != nil {
		t.Fatalf("the first one suffered: %v", err)
	}
	resp.Body.Close()
}

// Damage anywhere below the data directory stops the start with a sentence that names the place, or changes nothing of what is served.
func TestDamagedDirectory(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "data")
	c := program(t, ctx, dir)
	r, _, err := webOf(t, c).submit(ctx, pictures{Document: smallDocument(t)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := wholeFeed(t, ctx, webOf(t, c), []string{r.Verification})
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	refused, unharmed := 0, 0
	for i, name := range filesBelow(t, dir) {
		copied := filepath.Join(t.TempDir(), fmt.Sprint("data", i))
		if said, err := exec.CommandContext(ctx, "cp", "-a", dir, copied).CombinedOutput(); err != nil { // with the modes
			t.Fatalf("%v: %s", err, said)
		}
		if !flipBit(t, filepath.Join(copied, name)) {
			continue
		}
		c, err := startChild(ctx, self(t), copied)
		if err != nil {
			refused++
			t.Logf("%s: %s", name, strings.TrimSpace(err.Error()))
			continue
		}
		unharmed++
		same(t, want, wholeFeed(t, ctx, webOf(t, c), []string{r.Verification}))
		c.kill()
		t.Logf("%s: does not matter", name)
	}
	if refused < 6 {
		t.Errorf("%d kinds of damage stopped the start, %d did not matter", refused, unharmed)
	}
}

// flipBit changes one bit in the middle of a file; an empty file has none.
func flipBit(t *testing.T, path string) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 {
		return false
	}
	data[len(data)/2] ^= 0x10
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return true
}

// filesBelow lists what the log, the keys and the indexes are made of; media are only looked at when somebody asks for them.
func filesBelow(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "demo.key" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if !strings.HasPrefix(name, "blobs") {
			out = append(out, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
