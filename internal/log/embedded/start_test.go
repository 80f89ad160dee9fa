package embedded

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// startLimit is generous: a start takes a third of it on a quiet machine.
const startLimit = 1500 * time.Millisecond

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
	quickStart(t, "killed", killed)
	l = open(t, Options{Dir: dir})
	check(t, l.Close())
	quickStart(t, "closed", dir)
}

// quickStart opens a copy of a directory, and again where something else kept the machine busy.
func quickStart(t *testing.T, name, image string) {
	t.Helper()
	best := time.Hour
	for try := 0; try < 4 && best > startLimit; try++ {
		dir := filepath.Join(t.TempDir(), "log")
		copyDir(t, image, dir)
		at := time.Now()
		l, err := Open(Options{Dir: dir})
		check(t, err)
		best = min(best, time.Since(at))
		check(t, l.Close())
	}
	t.Logf("%s: %v", name, best)
	if best > startLimit {
		t.Errorf("%s: a start takes %v", name, best)
	}
}
