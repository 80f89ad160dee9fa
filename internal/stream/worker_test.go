package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	deadv1 "github.com/bonafide-id/bonafide/gen/bonafide/dead/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/split"
	"github.com/bonafide-id/bonafide/internal/resilience"
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

// What fails is tried again; that nobody knows why is an incident, that a dependency has decided to wait is its own.
func TestTakenAndUnknownAreTriedAgain(t *testing.T) {
	e := newEnv(t, nil)
	e.media("bad", check.Document, 1)
	e.media("good", check.Document, 1)
	var tries atomic.Int64
	e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			if in.GetVerificationId() == "bad" {
				switch tries.Add(1) {
				case 1:
					return busy
				case 2:
					return errors.New("never seen that")
				}
			}
			return sayFocus(ctx, in, emit)
		}))
	})
	e.until("all committed", e.lagZero("looker", topic.Media))
	e.rt.Close()
	if n := len(ofSource(e.all(topic.Fact), "looker")); n != 2 || tries.Load() != 3 {
		t.Errorf("%d facts of the worker (one is the incident's), %d tries", n, tries.Load())
	}
}

// busy is what a dependency says that has decided to wait.
var busy = fmt.Errorf("reading a picture: %w", &resilience.Taken{Dependency: "blobs", Condition: resilience.Down,
	Decision: resilience.Decision{Action: resilience.Wait, For: time.Second}, Err: errors.New("busy")})

func TestPoisonAndPanicsEndAsDeadLetters(t *testing.T) {
	for name, c := range map[string]struct {
		handle         func(context.Context, Input, Emit) error
		reason, closed string
		incidents      int
	}{
		"poison": {func(context.Context, Input, Emit) error { return Poison("bad_pixels", errors.New("no")) }, "bad_pixels", "poison", 0},
		"panic":  {func(context.Context, Input, Emit) error { panic("index out of range") }, "bug", "internal", 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, nil)
			e.media("v", check.Document, 1)
			stop := e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, looker(c.handle)) })
			e.until("all committed", e.lagZero("looker", topic.Media))
			stop()
			e.rt.Close()
			dead := e.all(topic.Dead)
			if len(dead) != 1 || dead[0].GetReason() != c.reason {
				t.Fatalf("dead letters: %v", dead)
			}
			p, err := dead[0].Open(t.Context())
			e.must(err)
			letter := p.(*deadv1.DeadLetter)
			original := e.all(topic.Media)[0]
			want, _ := proto.Marshal(original.Envelope)
			back := new(envelopev1.Envelope)
			e.must(proto.Unmarshal(letter.GetValue(), back))
			if got, _ := proto.Marshal(back); string(got) != string(want) || letter.GetOffset() != original.Pos.Off || len(letter.GetHeaders()) == 0 {
				t.Error("the original is not in the dead letter as it was")
			}
			var findings []*Message
			for _, m := range e.all(topic.Fact) {
				if m.GetKind() == envelopev1.Kind_KIND_FINDING {
					findings = append(findings, m)
				}
			}
			if len(findings) != 1 || findings[0].GetOutcome() != NotPerformed || findings[0].GetReason() != c.closed {
				t.Errorf("closed as %v", findings)
			}
			if n := len(e.all(topic.Incident)); n != c.incidents {
				t.Errorf("%d incidents, want %d", n, c.incidents)
			}
		})
	}
}

func TestWhatIsOwedAndNotSaidIsClosed(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	stop := e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(context.Context, Input, Emit) error { return nil }))
	})
	e.until("all committed", e.lagZero("looker", topic.Media))
	stop()
	e.rt.Close()
	var reasons []string
	for _, m := range e.all(topic.Fact) {
		if m.GetKind() == envelopev1.Kind_KIND_FINDING {
			reasons = append(reasons, m.GetReason())
		}
	}
	if !slices.Equal(reasons, []string{"internal"}) || len(e.all(topic.Incident)) != 1 {
		t.Errorf("closed as %v, %d incidents", reasons, len(e.all(topic.Incident)))
	}
}

func TestUndecodableRecordDelaysNobody(t *testing.T) {
	e := newEnv(t, nil)
	whole, err := proto.Marshal(&envelopev1.Envelope{Id: "whole", VerificationId: "v", ClientId: "acme", Sealed: []byte("sealed")})
	e.must(err)
	for _, bad := range [][]byte{{0xff, 0xff}, whole[:len(whole)-1], {}} {
		_, err := e.log.Publish(t.Context(), log.Rec{Lane: log.Lane{Topic: topic.Media}, Key: []byte("v"), Val: bad})
		e.must(err)
	}
	e.media("v", check.Document, 1)
	e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, looker(sayFocus)) })
	e.until("all committed", e.lagZero("looker", topic.Media))
	if n := len(e.all(topic.Dead)); n != 3 || len(ofSource(e.all(topic.Fact), "looker")) != 1 {
		t.Errorf("%d dead letters", n)
	}
	for _, m := range e.all(topic.Dead) {
		if m.GetReason() != "undecodable" {
			t.Errorf("a dead letter because of %s", m.GetReason())
		}
	}
}

// A record that is as large as may be does not fit into a dead letter, which then says where it stands.
func TestTheLargestRecordBecomesADeadLetter(t *testing.T) {
	for name, bad := range map[string]log.Rec{
		"value":  {Key: []byte("v"), Val: bytes.Repeat([]byte{0xff}, log.MaxRecord-1)},
		"header": {Key: []byte("v"), Val: []byte{0xff}, Head: []log.Header{{Key: "h", Val: make([]byte, log.MaxRecord-9)}}},
		"key":    {Key: make([]byte, log.MaxRecord-9), Val: []byte{0xff}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, nil)
			bad.Lane.Topic = topic.Fact
			_, err := e.log.Publish(t.Context(), bad)
			e.must(err)
			stop := e.start(func(ctx context.Context) error { return RunChain(ctx, e.rt, numbering()) })
			e.until("all committed", e.lagZero("number", topic.Fact))
			stop()
			if dead := e.all(topic.Dead); len(dead) != 1 || dead[0].GetReason() != "undecodable" {
				t.Errorf("dead letters %v", dead)
			}
		})
	}
}

// What cannot be opened is never handled: what was changed is poison, and its checks are closed.
func TestAChangedPayloadIsPoison(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	for rec, err := range e.log.Read(t.Context(), log.Lane{Topic: topic.Media, N: log.LaneOf([]byte("v"), 4)}, log.Pos{}, log.Pos{}) {
		e.must(err)
		var env envelopev1.Envelope
		e.must(proto.Unmarshal(rec.Val, &env))
		env.Id, env.Sealed[len(env.Sealed)-1] = "another", env.Sealed[len(env.Sealed)-1]^1
		rec.Val, err = proto.Marshal(&env)
		e.must(err)
		_, err = e.log.Publish(t.Context(), rec)
		e.must(err)
		break
	}
	var handled atomic.Int64
	stop := e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error { handled.Add(1); return sayFocus(ctx, in, emit) }))
	})
	e.until("all committed", e.lagZero("looker", topic.Media))
	stop()
	dead := e.all(topic.Dead)
	if len(dead) != 1 || dead[0].GetReason() != "tampered" || handled.Load() != 1 {
		t.Fatalf("%d dead letters, handled %d times", len(dead), handled.Load())
	}
	said := ofSource(e.all(topic.Fact), "looker")
	if len(said) != 2 || said[1].GetOutcome() != NotPerformed || said[1].GetReason() != "poison" {
		t.Errorf("said %v", said)
	}
}

func TestWithoutAKeyIsSilentlyDone(t *testing.T) {
	for name, lose := range map[string]func(*env) error{
		"erased":       func(e *env) error { return e.keys.Erase(t.Context(), "acme", "v") },
		"never opened": func(e *env) error { return e.keys.Discard(t.Context(), "acme", "v") },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, nil)
			e.media("v", check.Document, 1)
			e.must(lose(e))
			e.start(func(ctx context.Context) error {
				return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
					t.Error("what has no key was handled")
					return sayFocus(ctx, in, emit)
				}))
			})
			e.until("all committed", e.lagZero("looker", topic.Media))
			e.rt.Close()
			if len(e.all(topic.Fact))+len(e.all(topic.Dead))+len(e.all(topic.Incident)) != 0 {
				t.Error("something was said about a verification without a key")
			}
		})
	}
}

func TestWithoutTheKeyServiceNothingIsLost(t *testing.T) {
	e := newEnv(t, nil)
	for i := range 3 {
		e.media(fmt.Sprintf("v%d", i), check.Document, i)
	}
	e.media("another", check.Document, 0) // the only key that stays cached
	e.store.refuse(errors.New("away"))
	stop := e.start(func(ctx context.Context) error { return RunWorker(ctx, e.rt, looker(sayFocus)) })
	e.until("the cached one done", func() bool { return len(ofSource(e.all(topic.Fact), "looker")) == 1 })
	e.store.refuse(nil)
	e.until("all committed", e.lagZero("looker", topic.Media))
	stop()
	if n := len(ofSource(e.all(topic.Fact), "looker")); n != 4 || len(e.all(topic.Dead)) != 0 {
		t.Errorf("%d findings, %d dead letters", n, len(e.all(topic.Dead)))
	}
}

// A dependency that stays away stops no lane: past the deadline the work is dropped, whatever was decided for it.
func TestGivenUpAtTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		err       error
		incidents int
	}{"waited for": {busy, 1}, "unknown": {errors.New("never seen that"), 2}} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, nil)
			e.media("v", check.Document, 1)
			var tries atomic.Int64
			e.start(func(ctx context.Context) error {
				return RunWorker(ctx, e.rt, looker(func(context.Context, Input, Emit) error {
					if tries.Add(1) == 3 {
						e.clock.add(time.Minute)
					}
					return c.err
				}))
			})
			e.until("all committed", e.lagZero("looker", topic.Media))
			e.rt.Close()
			if n := tries.Load(); n != 3 || len(e.all(topic.Incident)) != c.incidents {
				t.Errorf("%d tries, %d incidents", n, len(e.all(topic.Incident)))
			}
		})
	}
}

// The log and the key service are waited for, however long that takes: without them nobody closes the checks.
func TestLogAndKeysAreWaitedForBeyondTheDeadline(t *testing.T) {
	for _, name := range []string{"log", "key service"} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, nil)
			e.media("v", check.Document, 1)
			var tries atomic.Int64
			e.start(func(ctx context.Context) error {
				return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
					if tries.Add(1) > 3 {
						return sayFocus(ctx, in, emit)
					}
					e.clock.add(time.Hour)
					return fmt.Errorf("reading: %w", &resilience.Taken{Dependency: name, Err: errors.New("away")})
				}))
			})
			e.until("all committed", e.lagZero("looker", topic.Media))
			if n := len(ofSource(e.all(topic.Fact), "looker")); n != 1 {
				t.Errorf("%d findings after %d tries", n, tries.Load())
			}
		})
	}
}

// What no log takes is a dead letter, and the lane goes on.
func TestWhatIsTooLargeIsBuried(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	e.start(func(ctx context.Context) error {
		return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			o := Finding(focus, Pass, "", nil)
			o.Reason = strings.Repeat("x", log.MaxRecord)
			return emit(ctx, o)
		}))
	})
	e.until("all committed", e.lagZero("looker", topic.Media))
	said := ofSource(e.all(topic.Fact), "looker")
	if dead := e.all(topic.Dead); len(dead) != 1 || dead[0].GetReason() != "too_large" || len(said) == 0 || said[0].GetReason() != "internal" {
		t.Errorf("dead letters %v, said %v", dead, said)
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

// joiner keeps documents and answers when the selfie comes.
func joiner(got *sync.Map) Worker {
	return Worker{Name: "joiner", Version: 1, Input: topic.Media, Parallel: 4,
		Keep: func(in Input) []*Message {
			if in.GetMedium() == check.Document {
				return append(in.Kept, in.Message)
			}
			return in.Kept
		},
		Handle: func(ctx context.Context, in Input, emit Emit) error {
			if in.GetMedium() != check.Selfie {
				return nil
			}
			var kept []string
			for _, m := range in.Kept {
				kept = append(kept, strconv.FormatUint(m.Payload.(*mediav1.Media).GetBytes(), 10))
			}
			got.Store(in.GetVerificationId(), fmt.Sprint(kept))
			return emit(ctx, Output{Kind: envelopev1.Kind_KIND_FINDING, Check: "face.match.doc_vs_selfie", Medium: check.Selfie, Outcome: Pass, Also: in.Kept})
		}}
}

func TestKeptMessagesSurviveARestart(t *testing.T) {
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, crash)
			var got sync.Map
			run := func(ctx context.Context) error { return RunWorker(ctx, e.rt, joiner(&got)) }
			for i := range 8 {
				v := fmt.Sprintf("v%d", i)
				e.media(v, check.Document, i)
				e.media(v, check.Document, i+100)
			}
			stop := e.start(run)
			e.until("all committed", e.lagZero("joiner", topic.Media))
			stop()
			for i := range 8 {
				e.media(fmt.Sprintf("v%d", i), check.Selfie, i)
				e.media(fmt.Sprintf("v%d", i), check.Document, i+200)
			}
			stop = e.start(run)
			e.until("all committed", e.lagZero("joiner", topic.Media))
			stop()
			for i := range 8 {
				want := fmt.Sprint([]string{strconv.Itoa(i), strconv.Itoa(i + 100)})
				if v, _ := got.Load(fmt.Sprintf("v%d", i)); v != want {
					t.Errorf("v%d was given %v, want %v", i, v, want)
				}
			}
			for _, m := range ofSource(e.all(topic.Fact), "joiner") {
				if len(m.GetInputIds()) != 3 {
					t.Errorf("rests on %v", m.GetInputIds())
				}
			}
		})
	}
}

// What has waited past its verification's deadline goes, also where the service was restarted meanwhile.
func TestKeptMessagesAreDroppedAfterTheDeadline(t *testing.T) {
	e := newEnv(t, nil)
	var got sync.Map
	run := func(ctx context.Context) error { return RunWorker(ctx, e.rt, joiner(&got)) }
	stop := e.start(run)
	e.mediaUntil("v", check.Document, 1, e.clock.now().Add(time.Hour))
	e.mediaUntil("w", check.Document, 1, e.clock.now().Add(time.Hour))
	e.until("both kept", e.lagZero("joiner", topic.Media))
	e.clock.add(time.Hour)
	e.mediaUntil("v", check.Selfie, 1, e.clock.now())
	e.until("committed", e.lagZero("joiner", topic.Media))
	stop()
	if n := e.keptBy("joiner"); n != 2 {
		t.Fatalf("%d kept messages at the deadline, want 2", n)
	}
	e.clock.add(keepTime + time.Second)
	stop = e.start(run)
	for _, v := range []string{"v", "w"} { // moves the clocks of their lanes
		e.mediaUntil(v, check.Selfie, 2, e.clock.now())
	}
	e.until("committed", e.lagZero("joiner", topic.Media))
	stop()
	if n := e.keptBy("joiner"); n != 0 {
		t.Errorf("%d kept messages after the deadline", n)
	}
}

// keptBy counts the messages that a worker, which is not running, keeps.
func (e *env) keptBy(service string) (n int) {
	e.t.Helper()
	m, err := e.log.Join(e.t.Context(), log.Group{Name: groupName(service, 1), Input: topic.Media, State: stateName(service, 1), Mode: log.AtLeastOnce})
	e.must(err)
	defer m.Close(e.t.Context())
	_, err = m.Poll(e.t.Context())
	e.must(err)
	for lane := range int32(4) {
		for range m.State(lane).All() {
			n++
		}
	}
	return n
}

// matcher answers when the second of document and selfie comes, and keeps nothing beyond that.
func matcher() Worker {
	other := func(in Input) *Message {
		for _, m := range in.Kept {
			if m.GetMedium() != in.GetMedium() {
				return m
			}
		}
		return nil
	}
	return Worker{Name: "matcher", Version: 1, Input: topic.Media, Parallel: 4,
		Keep: func(in Input) []*Message {
			if other(in) != nil {
				return nil
			}
			return append(in.Kept, in.Message)
		},
		Handle: func(ctx context.Context, in Input, emit Emit) error {
			that := other(in)
			if that == nil {
				return nil
			}
			return emit(ctx, Output{Kind: envelopev1.Kind_KIND_FINDING, Check: "face.match.doc_vs_selfie", Medium: check.Selfie, Outcome: Pass, Also: []*Message{that}})
		}}
}

// However often the service is restarted and either side said again, every pair is joined, under one id, and nothing of it is kept after that.
func TestWhatIsJoinedIsNotKept(t *testing.T) {
	for name, crash := range crashes() {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, crash)
			run := func(ctx context.Context) error { return RunWorker(ctx, e.rt, matcher()) }
			stop := e.start(run)
			const pairs = 24
			again := func() {
				e.until("all committed", e.lagZero("matcher", topic.Media))
				stop()
				stop = e.start(run)
			}
			sides := []envelopev1.Medium{check.Document, check.Selfie}
			for turn := range 2 {
				for i := range pairs {
					e.media(fmt.Sprintf("v%d", i), sides[(i+turn)%2], 0)
					if i%8 == 5 {
						again()
					}
				}
			}
			again()
			for i := range pairs {
				e.media(fmt.Sprintf("v%d", i), sides[i%2], 0) // the first side again, after the join
				if i%8 == 5 {
					again()
				}
			}
			again()
			stop()
			said := ofSource(e.all(topic.Fact), "matcher")
			if n := len(distinct(said)); n != pairs {
				t.Errorf("%d pairs were joined, want %d", n, pairs)
			}
			if n := e.keptBy("matcher"); crash == nil && (n != 0 || len(said) != pairs) {
				t.Errorf("%d messages are still kept, %d joins", n, len(said))
			}
			e.clock.add(keepTime + time.Minute)
			stop = e.start(run)
			for i := range 4 * pairs {
				e.media(fmt.Sprintf("late%d", i), check.Document, i)
			}
			again()
			stop()
			if n := e.keptBy("matcher"); n != 4*pairs {
				t.Errorf("%d messages are kept, want those %d that wait", n, 4*pairs)
			}
		})
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

// Nothing stays in memory of what is dropped or has waited too long.
func TestKeptIsEmptiedInMemory(t *testing.T) {
	at := time.Unix(1000, 0)
	side := func(v string, off int64) *task {
		pos := log.Pos{Epoch: 1, Off: off}
		m := &Message{Envelope: &envelopev1.Envelope{VerificationId: v, DeadlineAt: stamp(at.Add(time.Minute))}, Pos: pos, At: at}
		return &task{line: v, msg: m, rec: log.Rec{Pos: pos, At: at}}
	}
	var k kept
	for i := range int64(100) {
		v := strconv.Itoa(int(i))
		first, second := side(v, 2*i), side(v, 2*i+1)
		if puts := k.settle(first, []*Message{first.msg}); len(puts) != 1 || puts[0].Val == nil {
			t.Fatalf("keeping the first changes %v", puts)
		}
		if i%2 == 0 {
			if puts := k.settle(second, nil); len(puts) != 1 || puts[0].Val != nil {
				t.Fatalf("joining changes %v", puts)
			}
		}
	}
	if len(k.by) != 50 || len(k.wakes.queue) != 50 {
		t.Errorf("%d verifications and %d times are held, want the 50 that wait", len(k.by), len(k.wakes.queue))
	}
	if puts := k.expire(at.Add(time.Minute + keepTime - 1)); len(puts) != 0 {
		t.Errorf("%d go before their time", len(puts))
	}
	if puts := k.expire(at.Add(time.Minute + keepTime)); len(puts) != 50 || len(k.by)+len(k.wakes.queue) != 0 {
		t.Errorf("%d go, %d verifications and %d times are held", len(puts), len(k.by), len(k.wakes.queue))
	}
}

// A message that is handled again is not given itself, nor what comes after it.
func TestKeptBefore(t *testing.T) {
	var k kept
	for _, off := range []int64{5, 3, 9, 3} {
		k.add(&Message{Envelope: &envelopev1.Envelope{VerificationId: "v"}}, log.Rec{Pos: log.Pos{Epoch: 1, Off: off}})
	}
	var got []int64
	for _, r := range k.before(&task{line: "v", rec: log.Rec{Pos: log.Pos{Epoch: 1, Off: 9}}}) {
		got = append(got, r.Pos.Off)
	}
	if !slices.Equal(got, []int64{3, 5}) {
		t.Errorf("before 9 stand %v", got)
	}
}
