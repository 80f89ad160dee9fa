package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	deadv1 "github.com/bonafide-id/bonafide/gen/bonafide/dead/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/topic"
)

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
		"poison": {func(context.Context, Input, Emit) error { return Poison("bad_pixels", errors.New("no")) }, "bad_pixels", "poison", 1},
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
		"twice":  {Key: make([]byte, log.MaxRecord*2/3), Val: []byte{0xff}}, // as the key of the letter and in it
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
	said = slices.DeleteFunc(said, func(m *Message) bool { return m.GetKind() != envelopev1.Kind_KIND_FINDING })
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
			e.rt.Close()
			if said := e.all(topic.Fact); len(said) != 1 || said[0].GetOutcome() != Pass || len(e.all(topic.Incident)) != 0 {
				t.Errorf("said %v after %d tries, %d incidents", said, tries.Load(), len(e.all(topic.Incident)))
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
