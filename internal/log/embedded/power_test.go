package embedded

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/bonafide-id/bonafide/internal/log"
)

// cut is what a power cut leaves of a file system: all that was synced, and some of the blocks and names
// that were not.
func cut(fs *vfs.MemFS, rng *rand.Rand) *vfs.MemFS {
	percent := []int{0, 20, 50, 80, 100}[rng.IntN(5)]
	return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
}

// inMemory are options for a log on a file system in memory.
func inMemory(fs vfs.FS) Options {
	return Options{Dir: "log", Reserve: 1 << 10, fs: fs, segment: 16 << 10}
}

// TestPowerCut cuts the power under a log at work: whatever was answered is there, once and in order, steps
// are there whole or not at all, and the next owner goes on.
func TestPowerCut(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 5
	}
	rng := rand.New(rand.NewPCG(7, 8))
	var total int64
	for round := range rounds {
		fs := vfs.NewCrashableMem()
		for range 1 + rng.IntN(3) {
			l, err := Open(inMemory(fs))
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			next, err := ends(l)
			if err != nil && len(l.table()) > 0 {
				t.Fatalf("round %d: %v", round, err)
			}
			w := working(t, l, next)
			time.Sleep(time.Duration(rng.IntN(15)) * time.Millisecond)
			if rng.IntN(4) == 0 {
				check(t, l.store.writeSeals())
			}
			answered := w.answered()
			left := cut(fs, rng)
			w.stop()
			check(t, l.Close())
			fs = left
			total += examine(t, fs, answered, round)
		}
	}
	if total == 0 {
		t.Error("nothing was answered at all")
	}
	t.Logf("%d answered", total)
}

// work is writers that publish numbers and one member that steps: every number that it writes stands in its state too.
type work struct {
	done  [8]atomic.Int64
	ended atomic.Bool
	wg    sync.WaitGroup
}

const stepper = 3 // the writer that steps

func working(t *testing.T, l *Log, next [8]int) *work {
	w := &work{}
	check(t, l.Create(t.Context(), log.Topic{Name: "thing.v1", Lanes: 4}))
	m, err := l.Join(t.Context(), log.Group{Name: "g", Input: "thing.v1", State: "st.v1", Mode: log.ExactlyOnce})
	check(t, err)
	events, err := m.Poll(t.Context())
	check(t, err)
	for i := range 4 {
		w.done[i].Store(int64(next[i]))
		w.wg.Go(func() {
			for n := next[i]; !w.ended.Load(); n++ {
				r := log.Rec{Lane: log.Lane{Topic: "thing.v1"}, Key: fmt.Append(nil, i), Val: fmt.Appendf(nil, "%-9d%s", n, make([]byte, n*31%700))}
				var err error
				if i == stepper {
					g := events[0].(log.Gained)
					err = m.Step(t.Context(), log.Step{Lane: g.Lane, Gen: g.Gen, Out: []log.Rec{r}, Put: []log.KV{{Key: []byte("n"), Val: fmt.Append(nil, n+1)}}})
				} else {
					_, err = l.Publish(t.Context(), r)
				}
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
				w.done[i].Store(int64(n + 1))
			}
		})
	}
	return w
}

func (w *work) answered() (n [8]int) {
	for i := range w.done {
		n[i] = int(w.done[i].Load())
	}
	return n
}

func (w *work) stop() {
	w.ended.Store(true)
	w.wg.Wait()
}

func examine(t *testing.T, fs *vfs.MemFS, answered [8]int, round int) (total int64) {
	t.Helper()
	l, err := Open(inMemory(fs))
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer l.Close()
	next, err := ends(l)
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	for i, n := range answered {
		if total += int64(n); next[i] < n {
			t.Errorf("round %d, writer %d: %d answered, %d there", round, i, n, next[i])
		}
	}
	st, err := l.restore("st.v1", &lane{})
	check(t, err)
	if n, _ := st.Get([]byte("n")); string(n) != fmt.Sprint(next[stepper]) && next[stepper] > 0 {
		t.Errorf("round %d: %d numbers in the log, %s in the state", round, next[stepper], n)
	}
	return total
}

// TestPowerCutAtTheFirstStart cuts the power while a log is made: what is left can be opened.
func TestPowerCutAtTheFirstStart(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	rng := rand.New(rand.NewPCG(9, 10))
	for round := range rounds {
		fs := vfs.NewCrashableMem()
		opened := make(chan *Log)
		go func() {
			l, err := Open(inMemory(fs))
			if err != nil {
				t.Error(err)
			}
			opened <- l
		}()
		time.Sleep(time.Duration(rng.IntN(3_000)) * time.Microsecond)
		left := cut(fs, rng)
		(<-opened).Close()
		l, err := Open(inMemory(left))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		check(t, l.Create(t.Context(), log.Topic{Name: "thing.v1", Lanes: 4}))
		_, err = l.Publish(t.Context(), one("x"))
		check(t, err)
		check(t, l.Close())
	}
}

// TestFirstStartWithoutAMark: a watermark that was made and never written is no damage while there is no
// database yet, and is damage beside one.
func TestFirstStartWithoutAMark(t *testing.T) {
	for _, size := range []int{0, slotSize, 2 * slotSize} {
		fs := vfs.NewMem()
		check(t, fs.MkdirAll("log", 0o700))
		spoil := func() {
			f, err := fs.Create("log/watermark", vfs.WriteCategoryUnspecified)
			check(t, err)
			_, err = f.Write(make([]byte, size))
			check(t, errors.Join(err, f.Close()))
		}
		spoil()
		l, err := Open(inMemory(fs))
		check(t, err)
		check(t, l.Close())
		spoil()
		names, err := fs.List("log/db")
		check(t, err)
		for _, marker := range append([]string{""}, names...) { // then also without the file that names the MANIFEST
			if strings.HasPrefix(marker, "marker.manifest") {
				check(t, fs.Remove("log/db/"+marker))
			}
			if l, err := Open(inMemory(fs)); !errors.Is(err, log.ErrDamaged) {
				t.Errorf("%d bytes beside a database, without %q: %v, %v", size, marker, l, err)
			}
		}
	}
}
