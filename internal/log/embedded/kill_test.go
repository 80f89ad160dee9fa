package embedded

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// childDir names the data directory for a child process that appends until it is killed.
const childDir = "BONAFIDE_TEST_APPEND_TO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		appendForEver(dir)
	}
	os.Exit(m.Run())
}

// appendForEver has eight writers append numbers, and prints each that was answered.
func appendForEver(dir string) {
	l, err := Open(Options{Dir: dir, Reserve: 1 << 10, segment: 64 << 10})
	if err == nil {
		err = l.Create(context.Background(), log.Topic{Name: "thing.v1", Lanes: 4})
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	next, err := ends(l)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("open")
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := next[w]; ; i++ {
				r := log.Rec{Lane: log.Lane{Topic: "thing.v1"}, Key: fmt.Append(nil, w), Val: fmt.Append(nil, i)}
				r.Val = append(r.Val, make([]byte, i*61%3000)...)
				if _, err := l.Publish(context.Background(), r); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println("done", w, i)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// ends reads the whole log and returns how many numbers each writer has there; they must be dense.
func ends(l *Log) (next [8]int, err error) {
	for lane := range int32(4) {
		b, err := l.Bounds(context.Background(), log.Lane{Topic: "thing.v1", N: lane})
		if err != nil {
			return next, err
		}
		for r, err := range l.Read(context.Background(), b[0].Lane, log.Pos{}, b[0].End) {
			if err != nil {
				return next, err
			}
			var w, i int
			fmt.Sscan(string(r.Key), &w)
			fmt.Sscan(string(r.Val[:min(len(r.Val), 9)]), &i)
			if i != next[w] {
				return next, fmt.Errorf("writer %d: %d, want %d", w, i, next[w])
			}
			next[w]++
		}
	}
	return next, nil
}

// TestKill kills a process that appends, again and again: whatever it had answered is there, once and in
// order, and the next one goes on where it stopped.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var acked [8]int
	for round := range rounds {
		runAndKill(t, dir, time.Duration(rng.IntN(150))*time.Millisecond, &acked)
		l := open(t, Options{Dir: dir, Reserve: 1 << 10})
		if len(l.table()) == 0 {
			continue // killed before it made the topic
		}
		next, err := ends(l)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for w, n := range acked {
			if next[w] < n {
				t.Fatalf("round %d, writer %d: %d answered, %d there", round, w, n, next[w])
			}
		}
		check(t, l.Close())
	}
	if acked == [8]int{} {
		t.Error("nothing was answered at all")
	}
	t.Logf("answered: %v", acked)
}

func runAndKill(t *testing.T, dir string, after time.Duration, acked *[8]int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	kill := time.AfterFunc(2*time.Second, func() { cmd.Process.Kill() })
	defer kill.Stop()
	for s := bufio.NewScanner(out); s.Scan(); {
		var w, i int
		switch line := s.Text(); {
		case line == "open":
			kill.Reset(after)
		case len(line) > 5 && line[:5] == "error":
			t.Errorf("child: %s", line)
		default:
			if n, _ := fmt.Sscanf(line, "done %d %d", &w, &i); n == 2 {
				acked[w] = max(acked[w], i+1)
			}
		}
	}
	cmd.Wait()
}
