package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
)

var start = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

type memory map[string][]byte

func (m memory) Get(key []byte) ([]byte, error) { return m[string(key)], nil }
func (m memory) Put(key, val []byte) error      { m[string(key)] = bytes.Clone(val); return nil }
func (m memory) Delete(key []byte) error        { delete(m, string(key)); return nil }

func keyring(t testing.TB) *seal.Keyring {
	t.Helper()
	refuse := resilience.Decision{Action: resilience.Refuse, After: time.Second, For: time.Second}
	dep, err := resilience.New(resilience.Config{Name: "key service", Decisions: resilience.Decisions{Down: refuse, Slow: refuse, Unreliable: refuse}, Report: func(resilience.Incident) {}})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Open(seal.Config{Store: memory{}, MasterFile: filepath.Join(t.TempDir(), "keys", "master.json"), Dependency: dep})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// feed is a client's feed as the log holds it; every lane of every topic is the one list.
type feed struct {
	recs  []log.Rec
	asked int
	fails string // the call that fails, by name
}

var errAway = errors.New("the feed is away")

func (f *feed) call(name string) error {
	f.asked++
	if f.fails == name {
		return errAway
	}
	return nil
}

func (f *feed) Lanes(context.Context, string) (int32, error) {
	if len(f.recs) == 0 {
		return 0, log.ErrNoTopic
	}
	return 1, f.call("lanes")
}

func (f *feed) Bounds(context.Context, ...log.Lane) ([]log.Bound, error) {
	return []log.Bound{{End: log.Pos{Epoch: 1, Off: int64(len(f.recs))}}}, f.call("bounds")
}

func (f *feed) Read(_ context.Context, _ log.Lane, _, to log.Pos) iter.Seq2[log.Rec, error] {
	return func(yield func(log.Rec, error) bool) {
		for _, r := range f.recs[:to.Off] {
			if !yield(r, nil) {
				return
			}
		}
		if err := f.call("read"); err != nil {
			yield(log.Rec{}, err)
		}
	}
}

// world runs the chain as the runtime does: from a committed state, with outputs and state written in one step or, after a crash, only the outputs.
type world struct {
	chain stream.Chain[State]
	ring  *seal.Keyring
	feed  feed
	saved map[string][]byte   // committed states, as they survive a restart
	seen  map[string][]string // ids of the facts of a verification that are committed; the runtime keeps them with the state
	outs  map[string][]stream.Output
	ids   map[string]bool // of the records of the feed
}

func newWorld(t testing.TB, ring *seal.Keyring) *world {
	w := &world{ring: ring, saved: map[string][]byte{}, seen: map[string][]string{}, outs: map[string][]stream.Output{}, ids: map[string]bool{}}
	chain, err := New(Config{Keys: ring, Feed: &w.feed})
	if err != nil {
		t.Fatal(err)
	}
	w.chain = chain
	return w
}

type crash int

const (
	none crash = iota
	beforeOutputs
	beforeState
)

// step handles one fact; it says whether the fact is committed.
func (w *world) step(m *stream.Message, c crash) (bool, error) {
	v := m.GetVerificationId()
	if slices.Contains(w.seen[v], m.GetId()) {
		return true, nil
	}
	var s State
	if raw := w.saved[v]; raw != nil {
		if err := json.Unmarshal(raw, &s); err != nil {
			return false, err
		}
	}
	outs, err := w.chain.Next(context.Background(), &s, m)
	if err != nil || c == beforeOutputs {
		return false, err
	}
	for _, o := range outs {
		if id := o.Name + m.GetId(); !w.ids[id] {
			w.ids[id] = true
			w.outs[v] = append(w.outs[v], o)
			val, _ := proto.Marshal(&envelopev1.Envelope{Chain: o.Chain, Reason: o.Reason, InputIds: []string{m.GetId()}})
			w.feed.recs = append(w.feed.recs, log.Rec{Key: []byte(v), Val: val})
		}
	}
	if c == beforeState {
		return false, nil
	}
	w.saved[v], err = json.Marshal(s)
	w.seen[v] = append(w.seen[v], m.GetId())
	return true, err
}

func fact(id, verification string, k envelopev1.Kind, source string, n int) *stream.Message {
	e := &envelopev1.Envelope{Id: id, VerificationId: verification, ClientId: "demo", Kind: k, Source: source, Check: "doc.image.focus"}
	if k == envelopev1.Kind_KIND_ENDED {
		e.Reason = "complete"
	}
	p := &factv1.Fact{What: &factv1.Fact_Finding{Finding: &factv1.Finding{TookMs: uint32(n)}}}
	return &stream.Message{Envelope: e, Payload: p, At: start.Add(time.Duration(n) * time.Millisecond)}
}

var kinds = []envelopev1.Kind{envelopev1.Kind_KIND_OPENED, envelopev1.Kind_KIND_COMPLETE, envelopev1.Kind_KIND_FINDING, envelopev1.Kind_KIND_FINDING,
	envelopev1.Kind_KIND_FINDING, envelopev1.Kind_KIND_SUMMARY, envelopev1.Kind_KIND_DEADLINE, envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_INCIDENT,
	envelopev1.Kind_KIND_EXPIRED, envelopev1.Kind_KIND_ERASED, envelopev1.Kind_KIND_DECISION}

// lane draws the facts of two verifications, with repeats: the same id, other milliseconds. Nothing is opened that has ended.
func lane(t *rapid.T) []*stream.Message {
	var out []*stream.Message
	over := map[string]bool{}
	for i := range rapid.IntRange(1, 40).Draw(t, "facts") {
		m := fact(fmt.Sprintf("%032x", i), rapid.SampledFrom([]string{"v1", "v2"}).Draw(t, "verification"), rapid.SampledFrom(kinds).Draw(t, "kind"),
			rapid.SampledFrom([]string{"text", "summary"}).Draw(t, "source"), i)
		if len(out) > 0 && rapid.IntRange(0, 3).Draw(t, "repeat") == 0 {
			was := out[rapid.IntRange(0, len(out)-1).Draw(t, "which")]
			m = fact(was.GetId(), was.GetVerificationId(), was.GetKind(), was.GetSource(), i)
		}
		v, k := m.GetVerificationId(), m.GetKind()
		if over[v] && k == envelopev1.Kind_KIND_OPENED {
			continue
		}
		over[v] = over[v] || k == envelopev1.Kind_KIND_ENDED || k == envelopev1.Kind_KIND_ERASED
		out = append(out, m)
	}
	return out
}

type placed struct {
	ID   string
	Late bool
}

// model says, in the words of the specification, which frames a verification has.
func model(lane []*stream.Message, v string) []placed {
	var out []placed
	seen, deadline, ended := map[string]bool{}, false, false
	for _, m := range lane {
		if m.GetVerificationId() != v || seen[m.GetId()] {
			continue
		}
		seen[m.GetId()] = true
		late := ended || deadline && m.GetKind() == envelopev1.Kind_KIND_FINDING && m.GetSource() != "summary"
		switch m.GetKind() {
		case envelopev1.Kind_KIND_DEADLINE:
			deadline = true
		case envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED:
			ended = true
		}
		switch m.GetKind() {
		case envelopev1.Kind_KIND_COMPLETE, envelopev1.Kind_KIND_DEADLINE, envelopev1.Kind_KIND_EXPIRED:
			continue
		case envelopev1.Kind_KIND_INCIDENT:
			if len(out) == 0 {
				continue
			}
		}
		out = append(out, placed{m.GetId(), late})
	}
	return out
}

// frames are the frames of a verification as a client gets them.
func (w *world) frames(v string) (lines [][]byte, got []placed, err error) {
	for _, o := range w.outs[v] {
		f, ok := o.Payload.(*feedv1.Frame)
		if !ok {
			return nil, nil, errors.New("a frame without a body")
		}
		line, err := frame.Splice(frame.Head{T: "msg", PrevHash: o.Chain.PrevHash, Hash: o.Chain.Hash, Salt: hex.EncodeToString(f.Salt)}, f.Body)
		if err != nil {
			return nil, nil, err
		}
		m, err := frame.Parse(line)
		if err != nil {
			return nil, nil, err
		}
		if m.Seq != o.Chain.Seq {
			return nil, nil, fmt.Errorf("seq is %d in the body and %d in the envelope", m.Seq, o.Chain.Seq)
		}
		lines, got = append(lines, line), append(got, placed{m.ID, m.Late})
	}
	return lines, got, nil
}

// Whatever repeats and wherever it crashes or forgets, each verification's frames are dense, chained, and those that the specification names.
func TestSequence(t *testing.T) {
	ring := keyring(t)
	for _, v := range []string{"v1", "v2"} {
		if _, err := ring.Create(context.Background(), "demo", v); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, ring)
		facts := lane(rt)
		for i := 0; i < len(facts); {
			done, err := w.step(facts[i], crash(rapid.IntRange(0, 2).Draw(rt, "crash")))
			if err != nil {
				rt.Fatal(err)
			}
			if done {
				v := facts[i].GetVerificationId()
				i++
				w.forget(rapid.Bool().Draw(rt, "forget") && !incidents(facts[i:], v), v)
			}
		}
		for _, v := range []string{"v1", "v2"} {
			lines, got, err := w.frames(v)
			if err != nil {
				rt.Fatal(err)
			}
			if d := cmp.Diff(model(facts, v), got); d != "" {
				rt.Fatalf("%s (-want +got):\n%s", v, d)
			}
			if err := frame.Verify(lines); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// incidents reports whether there are any about a verification: of one that is forgotten they are not framed.
func incidents(facts []*stream.Message, v string) bool {
	return slices.ContainsFunc(facts, func(m *stream.Message) bool {
		return m.GetVerificationId() == v && m.GetKind() == envelopev1.Kind_KIND_INCIDENT
	})
}

// forget drops the state of a verification if it has frames and its time has come.
func (w *world) forget(now bool, v string) {
	var s State
	if json.Unmarshal(w.saved[v], &s) == nil && now && !Leave(&s).IsZero() && s.Seq > 0 {
		delete(w.saved, v)
		delete(w.seen, v)
	}
}

// An erasure takes the bodies and nothing else: numbers go on, prev_hash meets hash, and nothing is in the way of the other facts.
func TestErasedKeepsItsPlace(t *testing.T) {
	w := newWorld(t, keyring(t))
	ctx := context.Background()
	if _, err := w.ring.Create(ctx, "demo", "v1"); err != nil {
		t.Fatal(err)
	}
	for i, k := range []envelopev1.Kind{envelopev1.Kind_KIND_OPENED, envelopev1.Kind_KIND_FINDING, envelopev1.Kind_KIND_FINDING, envelopev1.Kind_KIND_ENDED} {
		if i == 2 {
			if err := w.ring.Erase(ctx, "demo", "v1"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.step(fact(fmt.Sprintf("%032x", i), "v1", k, "text", i), none); err != nil {
			t.Fatal(err)
		}
	}
	prev := frame.Genesis
	for i, o := range w.outs["v1"] {
		if (o.Payload == nil) != (i >= 2) {
			t.Errorf("frame %d: payload %v", i+1, o.Payload)
		}
		if o.Chain.Seq != uint64(i+1) || o.Chain.PrevHash != prev {
			t.Errorf("frame %d is %v, want prev_hash %s", i+1, o.Chain, prev)
		}
		prev = o.Chain.Hash
	}
	if len(w.outs["v1"]) != 4 {
		t.Errorf("%d frames, want 4", len(w.outs["v1"]))
	}
}

type noKeys struct{}

func (noKeys) Key(context.Context, string, string) (*seal.Key, error) { return nil, errAway }

// A fact that cannot be read for another reason must not be numbered.
func TestKeyServiceAway(t *testing.T) {
	w := newWorld(t, keyring(t))
	var err error
	if w.chain, err = New(Config{Keys: noKeys{}, Feed: &w.feed}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.step(fact("a", "v1", envelopev1.Kind_KIND_OPENED, "ingest", 0), none); !errors.Is(err, errAway) {
		t.Errorf("error is %v", err)
	}
	if len(w.feed.recs) != 0 || w.saved["v1"] != nil {
		t.Error("something was said all the same")
	}
}

// An upload that was refused leaves an incident and no key. It has no feed, is not looked for in the feed, and is forgotten after a day.
func TestIncidentsOfTheRefused(t *testing.T) {
	w := newWorld(t, keyring(t))
	for i := range 3 {
		if _, err := w.step(fact(fmt.Sprint(i), "v1", envelopev1.Kind_KIND_INCIDENT, "runtime", i), none); err != nil {
			t.Fatal(err)
		}
	}
	var s State
	if err := json.Unmarshal(w.saved["v1"], &s); err != nil {
		t.Fatal(err)
	}
	if w.feed.asked != 0 || len(w.outs["v1"]) != 0 || !Leave(&s).Equal(start.Add(2*time.Millisecond+keepFor)) {
		t.Errorf("the feed was asked %d times, %d frames, forgotten at %s", w.feed.asked, len(w.outs["v1"]), Leave(&s))
	}
	// the same id is accepted in a second attempt
	if _, err := w.ring.Create(t.Context(), "demo", "v1"); err != nil {
		t.Fatal(err)
	}
	for i, k := range []envelopev1.Kind{envelopev1.Kind_KIND_OPENED, envelopev1.Kind_KIND_INCIDENT, envelopev1.Kind_KIND_FINDING} {
		if _, err := w.step(fact(fmt.Sprint("later", i), "v1", k, "text", i), none); err != nil {
			t.Fatal(err)
		}
	}
	_, got, err := w.frames("v1")
	if d := cmp.Diff([]placed{{"later0", false}, {"later1", false}, {"later2", false}}, got); err != nil || d != "" || w.feed.asked != 0 {
		t.Errorf("%v, the feed was asked %d times\n%s", err, w.feed.asked, d)
	}
	s = State{}
	if err := json.Unmarshal(w.saved["v1"], &s); err != nil || !Leave(&s).IsZero() {
		t.Errorf("what was opened is forgotten at %s, %v", Leave(&s), err)
	}
}

// Whose key is lost keeps its place, as whose key was destroyed does.
func TestWithoutAKeyItKeepsItsPlace(t *testing.T) {
	w := newWorld(t, keyring(t))
	for i, k := range []envelopev1.Kind{envelopev1.Kind_KIND_OPENED, envelopev1.Kind_KIND_FINDING} {
		if _, err := w.step(fact(fmt.Sprint(i), "v1", k, "text", i), none); err != nil {
			t.Fatal(err)
		}
	}
	for i, o := range w.outs["v1"] {
		if o.Payload != nil || o.Chain.GetSeq() != uint64(i+1) {
			t.Errorf("frame %d is %v", i+1, o)
		}
	}
	if len(w.outs["v1"]) != 2 {
		t.Errorf("%d frames", len(w.outs["v1"]))
	}
}

// After a day an incident is no reason to read a feed, and does not begin the numbers anew for what comes behind it.
func TestIncidentsOfTheForgotten(t *testing.T) {
	w := life(t)
	w.forget(true, "v1")
	for i, k := range []envelopev1.Kind{envelopev1.Kind_KIND_INCIDENT, envelopev1.Kind_KIND_DEADLINE} {
		if _, err := w.step(fact(fmt.Sprint("late", i), "v1", k, "text", 9+i), none); err != nil || w.feed.asked != 0 || len(w.outs["v1"]) != 3 {
			t.Fatalf("%v, the feed was asked %d times, %d frames", err, w.feed.asked, len(w.outs["v1"]))
		}
	}
	if _, err := w.step(fact("gone", "v1", envelopev1.Kind_KIND_ERASED, "ingest", 12), none); err != nil || w.outs["v1"][3].Chain.Seq != 4 {
		t.Errorf("%v, %v", err, w.outs["v1"])
	}
}

// life is a world in which a verification has lived and was forgotten.
func life(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, keyring(t))
	if _, err := w.ring.Create(t.Context(), "demo", "v1"); err != nil {
		t.Fatal(err)
	}
	for i, k := range []envelopev1.Kind{envelopev1.Kind_KIND_OPENED, envelopev1.Kind_KIND_FINDING, envelopev1.Kind_KIND_ENDED} {
		if _, err := w.step(fact(fmt.Sprintf("%032x", i), "v1", k, "text", i), none); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// The feed is read for who was forgotten, and for nobody else: a lane of it may hold millions of frames.
func TestOnlyTheForgottenAreLookedUp(t *testing.T) {
	w := life(t)
	if w.feed.asked != 0 {
		t.Errorf("the feed was asked %d times in a plain life", w.feed.asked)
	}
	w.forget(true, "v1")
	if _, err := w.step(fact("late", "v1", envelopev1.Kind_KIND_DECISION, "text", 9), none); err != nil {
		t.Fatal(err)
	}
	if w.feed.asked == 0 || w.outs["v1"][3].Chain.Seq != 4 {
		t.Errorf("asked %d times, a late fact is frame %d", w.feed.asked, w.outs["v1"][3].Chain.Seq)
	}
}

// While the feed cannot be read nothing is numbered: the chain would begin anew.
func TestFeedAway(t *testing.T) {
	for _, call := range []string{"lanes", "bounds", "read"} {
		w := life(t)
		w.forget(true, "v1")
		w.feed.fails = call
		late := fact("late", "v1", envelopev1.Kind_KIND_DECISION, "text", 9)
		if _, err := w.step(late, none); !errors.Is(err, errAway) || len(w.outs["v1"]) != 3 {
			t.Errorf("without %s: %v, %d frames", call, err, len(w.outs["v1"]))
		}
		w.feed.fails = ""
		if _, err := w.step(late, none); err != nil || w.outs["v1"][3].Chain.Seq != 4 {
			t.Errorf("after %s came back: %v, %v", call, err, w.outs["v1"])
		}
	}
	w := life(t)
	w.forget(true, "v1")
	w.feed.recs[1].Val = []byte{0xff}
	if _, err := w.step(fact("late", "v1", envelopev1.Kind_KIND_DECISION, "text", 9), none); err == nil || len(w.outs["v1"]) != 3 {
		t.Errorf("a frame that cannot be read: %v", err)
	}
}

func TestLeave(t *testing.T) {
	var s State
	if at := Leave(&s); !at.IsZero() {
		t.Errorf("an open verification leaves at %s", at)
	}
	s, _ = s.take(&envelopev1.Envelope{Id: "e", Kind: envelopev1.Kind_KIND_ENDED}, start)
	s, _ = s.take(&envelopev1.Envelope{Id: "f", Kind: envelopev1.Kind_KIND_ERASED}, start.Add(time.Hour))
	if at := Leave(&s); !at.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("leaves at %s", at)
	}
}

func TestNewNeedsItsConfig(t *testing.T) {
	for _, c := range []Config{{}, {Keys: keyring(t)}, {Feed: &feed{}}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is enough", c)
		}
	}
}

// What is pending in the same step is not in the feed yet.
func TestRelinkDoesNotGoBack(t *testing.T) {
	s := State{Seq: 9, Hash: "h"}.relink(&envelopev1.Envelope{Chain: &envelopev1.Chain{Seq: 7, Hash: "g"}}, start)
	if s.Seq != 9 || s.Hash != "h" {
		t.Errorf("went back to %d %s", s.Seq, s.Hash)
	}
}
