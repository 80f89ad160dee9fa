package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// sighted is one frame as a client saw it.
type sighted struct {
	Off          int64  `json:"o"`
	ID           string `json:"id"`
	Verification string `json:"verification"`
	Seq          int    `json:"seq"`
	Prev         string `json:"prev_hash"`
	Hash         string `json:"hash"`
	Type         string `json:"type"`
}

// wholeFeed reads the demo client's feed until everything named has ended.
func wholeFeed(t *testing.T, ctx context.Context, c *client, ids []string) []sighted {
	t.Helper()
	resp, err := c.do(ctx, "GET", "/v1/feed/stream?from=earliest&heartbeat_s=1", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	open := slices.Clone(ids)
	var out []sighted
	errAll := fmt.Errorf("all ended")
	err = lines(resp.Body, func(line []byte) error {
		var f sighted
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		out = append(out, f)
		if f.Type == "ended" {
			open = slices.DeleteFunc(open, func(id string) bool { return id == f.Verification })
		}
		if len(open) == 0 {
			return errAll
		}
		return nil
	})
	if err != errAll {
		t.Fatalf("the feed stopped with %d verifications open: %v", len(open), err)
	}
	return out
}

// holds checks what every feed promises: positions and numbers dense, one ended each, every link of every chain in place, no id twice.
func holds(t *testing.T, frames []sighted) {
	t.Helper()
	last, ids, ended := map[string]sighted{}, map[string]bool{}, map[string]int{}
	for i, f := range frames {
		if f.Off != int64(i) {
			t.Fatalf("frame %d of the feed stands at %d", i, f.Off)
		}
		before, known := last[f.Verification]
		if !known {
			before.Hash = fmt.Sprintf("%064d", 0)
		}
		if f.Seq != before.Seq+1 || f.Prev != before.Hash {
			t.Errorf("%s: frame %d follows frame %d, prev_hash fits: %v", f.Verification, f.Seq, before.Seq, f.Prev == before.Hash)
		}
		if ids[f.ID] {
			t.Errorf("%s: %s stands twice", f.Verification, f.ID)
		}
		ids[f.ID], last[f.Verification] = true, f
		if f.Type == "ended" {
			ended[f.Verification]++
		}
	}
	for id, n := range ended {
		if n != 1 {
			t.Errorf("%s ended %d times", id, n)
		}
	}
}

// Killed without warning again and again while 30 verifications are sent: every accepted one ends, and what a client read before a
// crash it reads again after it, frame for frame.
func TestKilledAgainAndAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "data")
	document, selfie := smallDocument(t), still(t)
	random := rand.New(rand.NewPCG(1, 2))
	var accepted []string
	var before []sighted
	inUpload, inWork := 0, 0 // kills that fell into either
	for len(accepted) < 30 {
		c := program(t, ctx, dir)
		web := webOf(t, c)
		last := 1500
		if random.IntN(2) == 0 {
			last = 100 // while pictures are sent
		}
		dead := time.AfterFunc(time.Duration(random.IntN(last))*time.Millisecond, c.kill)
		for range 3 {
			if len(accepted) == 30 {
				break
			}
			p := pictures{Document: document}
			if len(accepted)%5 == 0 {
				p.Selfie = selfie
			}
			r, _, err := web.submitAs(ctx, fmt.Sprintf("order-%d", len(accepted)), p, nil)
			if err != nil {
				inUpload++
				break // killed; whether it was accepted is unknown, so the next round sends it again under its key
			}
			accepted = append(accepted, r.Verification)
		}
		now := watch(ctx, web) // until it is killed
		dead.Stop()
		c.kill()
		if someOpen(now, accepted) {
			inWork++
		}
		same(t, before, now)
		if len(now) > len(before) {
			before = now
		}
	}
	c := program(t, ctx, dir)
	frames := wholeFeed(t, ctx, webOf(t, c), accepted)
	if err := c.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	same(t, before, frames)
	holds(t, frames)
	t.Logf("killed %d times while sending and %d times at work, %d verifications, %d frames", inUpload, inWork, len(accepted), len(frames))
	if inUpload < 2 || inWork < 4 {
		t.Errorf("killed %d times while sending and %d times at work: too few to test anything", inUpload, inWork)
	}
}

// someOpen says whether one of the verifications has not ended in what was seen.
func someOpen(frames []sighted, ids []string) bool {
	ended := map[string]bool{}
	for _, f := range frames {
		ended[f.Verification] = ended[f.Verification] || f.Type == "ended"
	}
	return slices.ContainsFunc(ids, func(id string) bool { return !ended[id] })
}

// watch reads the feed for as long as the server lives.
func watch(ctx context.Context, c *client) []sighted {
	resp, err := c.do(ctx, "GET", "/v1/feed/stream?from=earliest", "", nil)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var out []sighted
	_ = lines(resp.Body, func(line []byte) error {
		var f sighted
		if json.Unmarshal(line, &f) != nil || f.Type == "" {
			return nil // the last line may be cut
		}
		out = append(out, f)
		return nil
	})
	return out
}

// same demands that what was read twice is the same.
func same(t *testing.T, a, b []sighted) {
	t.Helper()
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("frame %d was %+v and is now %+v", i, a[i], b[i])
		}
	}
}
