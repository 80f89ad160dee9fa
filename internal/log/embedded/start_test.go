package embedded

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// mostReplayed bounds the journals that a start may have to replay: how long it takes follows from that, and `bonafide bench log` measures it.
const mostReplayed = 64 << 20

// TestStart opens 100 MB: closed properly, and as a killed process leaves it.
func TestStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	o := Options{Dir: dir}
	l := open(t, o)
	for i := range 10 {
		check(t, l.Create(t.Context(), log.Topic{Name: fmt.Sprintf("t%d.v1", i), Lanes: 64}))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 1000 {
		var recs []log.Rec
		for j := range 25 {
			val := make([]byte, 4000)
			for k := 0; k < len(val); k += 8 {
				copy(val[k:], u64(nil, rng.Uint64()))
			}
			recs = append(recs, log.Rec{Lane: log.Lane{Topic: fmt.Sprintf("t%d.v1", j%10)}, Key: fmt.Append(nil, i, j), Val: val})
		}
		if _, err := l.Publish(t.Context(), recs...); err != nil {
			t.Fatal(err)
		}
	}
	l.store.fail(errKilled)
	check(t, l.Close())
	killed := filepath.Join(t.TempDir(), "killed")
	copyDir(t, dir, killed)
	startOf(t, "killed", killed)
	l = open(t, Options{Dir: dir})
	check(t, l.Close())
	startOf(t, "closed", dir)
}

// startOf opens a directory and looks whether everything is there, and how much had to be replayed for that.
func startOf(t *testing.T, name, dir string) {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(dir, "db", "*.log"))
	check(t, err)
	var bytes int64
	for _, j := range journals {
		info, err := os.Stat(j)
		check(t, err)
		bytes += info.Size()
	}
	if bytes > mostReplayed {
		t.Errorf("%s: %d bytes of journals", name, bytes)
	}
	at := time.Now()
	l := open(t, Options{Dir: dir})
	t.Logf("%s: %d bytes of journals, a start takes %v", name, bytes, time.Since(at))
	records := int64(0)
	for i := range 10 {
		var lanes []log.Lane
		for n := range int32(64) {
			lanes = append(lanes, log.Lane{Topic: fmt.Sprintf("t%d.v1", i), N: n})
		}
		bounds, err := l.Bounds(t.Context(), lanes...)
		check(t, err)
		for _, b := range bounds {
			records += b.End.Off - b.First.Off
		}
	}
	if records != 25000 {
		t.Errorf("%s: %d records, want 25000", name, records)
	}
	check(t, l.Close())
}
