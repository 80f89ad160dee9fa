package stream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/split"
	"github.com/bonafide-id/bonafide/internal/topic"
)

var focus = check.Key{Check: "doc.image.focus", Medium: check.Document}

// looker is a worker that says one finding about each medium, and more where the test says so.
func looker(handle func(context.Context, Input, Emit) error) Worker {
	return Worker{Name: "looker", Version: 1, Input: topic.Media, Parallel: 4, Handle: handle,
		Owes: func(Input) []check.Key { return []check.Key{focus} }}
}

func sayFocus(ctx context.Context, _ Input, emit Emit) error {
	return emit(ctx, Finding(focus, Pass, "", nil))
}

// crashes gives the logs that everything must pass on: whole steps, split steps, and split steps that break off ever again.
func crashes() map[string]func(split.Point) bool {
	var n atomic.Int64
	return map[string]func(split.Point) bool{
		"whole":  nil,
		"split":  func(split.Point) bool { return false },
		"broken": func(split.Point) bool { return n.Add(1)%5 == 0 },
	}
}

func TestWorkerSaysOncePerMessage(t *testing.T) {
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, crash)
			for i := range 40 {
				e.media(fmt.Sprintf("v%d", i%10), check.Document, i)
			}
			e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, looker(sayFocus)) })
			e.until("all committed", e.lagZero("looker", topic.Media))
			said := ofSource(e.all(topic.Fact), "looker")
			if ids := distinct(said); len(ids) != 40 {
				t.Errorf("%d different findings, want 40", len(ids))
			}
			for _, m := range said {
				if m.GetClientId() != "acme" || m.GetCorrelationId() == "" || m.GetMediaAt() == nil || len(m.GetInputIds()) != 1 ||
					m.GetCausationId() != m.GetInputIds()[0] {
					t.Fatalf("ancestry is lost: %v", m.Envelope)
				}
			}
			if extra := len(said) - 40; crash == nil && extra != 0 {
				t.Errorf("%d findings were said twice without a crash", extra)
			}
		})
	}
}

func TestWorkerKeepsTheOrderWithinAVerificationOnly(t *testing.T) {
	e := newEnv(t, nil)
	for i := range 20 {
		e.media("slow", check.Document, i)
		e.media(fmt.Sprintf("quick%d", i), check.Document, i)
	}
	block, quick := make(chan struct{}), make(chan struct{}, 20)
	var mu sync.Mutex
	var order []uint64
	e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			if in.GetVerificationId() != "slow" {
				quick <- struct{}{}
				return sayFocus(ctx, in, emit)
			}
			<-block
			mu.Lock()
			order = append(order, in.Payload.(*mediav1.Media).GetBytes())
			mu.Unlock()
			return sayFocus(ctx, in, emit)
		}))
	})
	for range 20 {
		select {
		case <-quick:
		case <-time.After(patience):
			t.Fatal("a slow verification delays the others")
		}
	}
	lane := log.Lane{Topic: topic.Media, N: log.LaneOf([]byte("slow"), 4)}
	first := slices.IndexFunc(e.all(topic.Media), func(m *Message) bool { return m.GetVerificationId() == "slow" })
	pos, err := e.log.Committed(t.Context(), "looker.v1", lane)
	e.must(err)
	if at := e.all(topic.Media)[first].Pos; pos[0].Off > at.Off {
		t.Errorf("committed %d, beyond the unfinished %d", pos[0].Off, at.Off)
	}
	close(block)
	e.until("all committed", e.lagZero("looker", topic.Media))
	if !slices.IsSorted(order) || len(order) != 20 {
		t.Errorf("handled in the order %v", order)
	}
}

func TestEmittedIsThereBeforeTheHandlerEnds(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	seen := make(chan int, 1)
	e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			err := sayFocus(ctx, in, emit)
			seen <- len(ofSource(e.all(topic.Fact), "looker"))
			return err
		}))
	})
	if n := <-seen; n != 1 {
		t.Errorf("%d findings are in the log while the handler goes on", n)
	}
}

func TestRepeatsAreSuppressedAlsoAfterARestart(t *testing.T) {
	e := newEnv(t, nil)
	var handled atomic.Int64
	count := looker(func(ctx context.Context, in Input, emit Emit) error { handled.Add(1); return sayFocus(ctx, in, emit) })
	run := func(ctx context.Context) error { return RunWorker(ctx, e.rt, count) }
	e.media("v", check.Document, 1)
	e.media("v", check.Document, 1)
	stop := e.start(run)
	e.until("all committed", e.lagZero("looker", topic.Media))
	stop()
	e.media("v", check.Document, 1)
	e.media("v", check.Document, 2)
	e.start(run)
	e.until("all committed", e.lagZero("looker", topic.Media))
	if n := handled.Load(); n != 2 {
		t.Errorf("handled %d times, want 2", n)
	}
}

func TestAFailedMessageDoesNotCountAsSeen(t *testing.T) {
	e := newEnv(t, nil)
	var tries atomic.Int64
	e.media("v", check.Document, 1)
	e.media("v", check.Document, 1)
	e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			if tries.Add(1) == 1 {
				e.clock.add(time.Hour)
				return busy // and then the time is up
			}
			return sayFocus(ctx, in, emit)
		}))
	})
	e.until("all committed", e.lagZero("looker", topic.Media))
	found := slices.ContainsFunc(e.all(topic.Fact), func(m *Message) bool { return m.GetOutcome() == Pass })
	if !found || tries.Load() != 2 {
		t.Errorf("the repetition was taken for done; %d tries", tries.Load())
	}
}

// pausing is a log that notes which lanes are paused.
type pausing struct {
	log.Log
	mu   sync.Mutex
	held map[int32]bool
}

type pausingMember struct {
	log.Member
	of *pausing
}

func (p *pausing) Join(ctx context.Context, g log.Group) (log.Member, error) {
	m, err := p.Log.Join(ctx, g)
	return pausingMember{m, p}, err
}

func (p *pausing) note(on bool, lanes []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range lanes {
		p.held[n] = on
	}
}

func (p *pausing) paused(lane int32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held[lane]
}

func (m pausingMember) Pause(lanes ...int32)  { m.of.note(true, lanes); m.Member.Pause(lanes...) }
func (m pausingMember) Resume(lanes ...int32) { m.of.note(false, lanes); m.Member.Resume(lanes...) }

func TestALaneIsReadOnlySoFarAhead(t *testing.T) {
	synctest.Test(t, aLaneIsReadOnlySoFarAhead)
}

func aLaneIsReadOnlySoFarAhead(t *testing.T) {
	e := newEnv(t, nil)
	watched := &pausing{Log: e.log, held: make(map[int32]bool)}
	rt, err := New(Config{Log: watched, Keys: e.keys, Dependency: e.rt.dep, Clock: e.clock.now})
	e.must(err)
	block := make(chan struct{})
	var handled atomic.Int64
	e.media("stuck", check.Document, 0)
	lane := log.LaneOf([]byte("stuck"), 4)
	n := 0
	for i := 0; n < 5; i++ {
		if v := fmt.Sprintf("v%d", i); log.LaneOf([]byte(v), 4) == lane {
			e.clock.add(20 * time.Second)
			e.media(v, check.Document, 0)
			n++
		}
	}
	stop := e.start(func(ctx context.Context) error {
		return RunWorker(ctx, rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			if in.GetVerificationId() == "stuck" {
				<-block
			} else {
				handled.Add(1)
			}
			return sayFocus(ctx, in, emit)
		}))
	})
	time.Sleep(10 * time.Second) // the bubble's time: it passes when all there is to do is done
	if got := handled.Load(); got != 3 {
		t.Errorf("%d were handled, want the three within a minute", got)
	}
	if !watched.paused(lane) {
		t.Error("the lane is not paused: what is read waits in memory")
	}
	close(block)
	e.until("all committed", e.lagZero("looker", topic.Media))
	e.media("stuck", check.Document, 1)
	e.until("read on", e.lagZero("looker", topic.Media))
	if watched.paused(lane) {
		t.Error("the lane is still paused")
	}
	stop()
	rt.Close()
}

// As many messages are in hand as may be, of different verifications, and never one more.
func TestParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		var now, most atomic.Int64
		w := looker(func(ctx context.Context, in Input, emit Emit) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			return sayFocus(ctx, in, emit)
		})
		w.Parallel = 3
		for i := range 12 {
			e.media(fmt.Sprintf("v%d", i), check.Document, i)
		}
		stop := e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, w) })
		time.Sleep(4500 * time.Millisecond)
		if n := len(ofSource(e.all(topic.Fact), "looker")); most.Load() != 3 || n != 12 {
			t.Errorf("%d at once, %d done in the time of four turns", most.Load(), n)
		}
		stop()
	})
}

func TestTwoOwnersShareTheWork(t *testing.T) {
	e := newEnv(t, nil)
	var handled atomic.Int64
	w := looker(func(ctx context.Context, in Input, emit Emit) error { handled.Add(1); return sayFocus(ctx, in, emit) })
	run := func(ctx context.Context) error { return RunWorker(ctx, e.rt, w) }
	stop := e.start(run)
	for i := range 100 {
		e.media(fmt.Sprintf("v%d", i), check.Document, i)
		if i == 50 {
			e.start(run)
		}
		if i == 80 {
			stop()
		}
	}
	e.until("all committed", e.lagZero("looker", topic.Media))
	if ids := distinct(ofSource(e.all(topic.Fact), "looker")); len(ids) != 100 {
		t.Errorf("%d different findings", len(ids))
	}
}

func TestDrainCommitsWhatIsInHand(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	inHand := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- RunWorker(ctx, e.rt, looker(func(hctx context.Context, in Input, emit Emit) error {
			close(inHand)
			<-ctx.Done()
			return sayFocus(hctx, in, emit)
		}))
	}()
	<-inHand
	cancel()
	e.must(<-done)
	if !e.lagZero("looker", topic.Media)() || len(ofSource(e.all(topic.Fact), "looker")) != 1 {
		t.Error("what was in hand when it was told to stop was thrown away")
	}
}

// What was finished a moment before the end is committed, not done again.
func TestDrainCommitsWhatIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		e.media("v", check.Document, 1)
		stop := e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, looker(sayFocus)) })
		synctest.Wait()
		if e.lagZero("looker", topic.Media)() {
			t.Fatal("it was committed already: the test shows nothing")
		}
		stop()
		if !e.lagZero("looker", topic.Media)() {
			t.Error("it will be done again")
		}
	})
}

// A handler that does not listen is waited for, and that it was too late for its position is no failure of the service.
func TestDrainEndsWithAHandlerThatDoesNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		e.media("v", check.Document, 1)
		stop := e.start(func(ctx context.Context) error {
			return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
				err := sayFocus(ctx, in, emit)
				time.Sleep(drainTime + 2*time.Second)
				return err
			}))
		})
		synctest.Wait()
		from := time.Now()
		stop()
		if took := time.Since(from); took != drainTime+2*time.Second {
			t.Errorf("stopped after %s", took)
		}
		stop = e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, looker(sayFocus)) })
		e.until("all committed", e.lagZero("looker", topic.Media))
		stop()
		if n := len(distinct(ofSource(e.all(topic.Fact), "looker"))); n != 1 {
			t.Errorf("%d different findings", n)
		}
	})
}
