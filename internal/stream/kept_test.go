package stream

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

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

func TestKeptRecordsSurviveEncoding(t *testing.T) {
	rec := log.Rec{Key: []byte("v"), Val: []byte{1, 2}, Head: []log.Header{{Key: "ce_id", Val: []byte("x")}, {Key: "e", Val: []byte{}}},
		Lane: log.Lane{Topic: topic.Media, N: 3}, Pos: log.Pos{Epoch: 7, Off: 9}, At: time.Unix(5, 6).UTC()}
	b := encodeKept(rec)
	back, err := decodeKept(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rec, back); diff != "" {
		t.Error(diff)
	}
	for cut := range b {
		_, _ = decodeKept(b[:cut]) // must not panic
	}
}
