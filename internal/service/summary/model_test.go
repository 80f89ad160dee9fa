package summary

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

var start = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

const (
	deadline = 10 * time.Second
	expiry   = 30 * time.Minute
)

// lane is the facts of one verification, and the log's clock.
type lane struct {
	facts []*stream.Message
	now   time.Time
}

func (l *lane) append(e *envelopev1.Envelope, f *factv1.Fact) {
	l.now = l.now.Add(time.Millisecond)
	l.facts = append(l.facts, &stream.Message{Envelope: e, Payload: f, At: l.now})
}

// first is the lane as every reader takes it: the first fact of each id.
func (l *lane) first() []*stream.Message {
	var out []*stream.Message
	seen := map[string]bool{}
	for _, m := range l.facts {
		if !seen[m.GetId()] {
			seen[m.GetId()] = true
			out = append(out, m)
		}
	}
	return out
}

// owner runs the fold as the runtime does. It remembers what it said and has not read back only until it crashes.
type owner struct {
	fold      stream.Fold[State]
	pos       int
	state     []byte
	caughtUp  bool
	said      map[string]bool
	savedPos  int
	savedWith []byte
}

func newOwner() *owner {
	return &owner{fold: New(), state: []byte("{}"), savedWith: []byte("{}"), said: map[string]bool{}}
}

func (o *owner) load(t *rapid.T) *State {
	var s State
	if err := json.Unmarshal(o.state, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func (o *owner) read(t *rapid.T, l *lane, n int) {
	s := o.load(t)
	for ; n > 0 && o.pos < len(l.facts); n-- {
		o.fold.Apply(s, l.facts[o.pos])
		o.pos++
	}
	o.caughtUp = o.caughtUp || o.pos == len(l.facts)
	o.state, _ = json.Marshal(s)
}

// id derives as the runtime derives it: from the name of the output and its ordinal.
func id(o stream.Output) string {
	what := o.Kind.String()
	if o.Kind == envelopev1.Kind_KIND_FINDING {
		what = check.Key{Check: o.Check, Medium: o.Medium}.String()
	}
	return fmt.Sprintf("%s/%d", what, o.Ordinal)
}

// say appends what is due, and how many facts that were.
func (o *owner) say(t *rapid.T, l *lane) int {
	if !o.caughtUp {
		return 0
	}
	outs, _, err := o.fold.Say(context.Background(), o.load(t), l.now)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, out := range outs {
		if o.said[id(out)] {
			continue
		}
		o.said[id(out)] = true
		for _, m := range l.facts[:o.pos] {
			if m.GetId() == id(out) {
				t.Fatalf("%s is said again although it was read", id(out))
			}
		}
		l.append(&envelopev1.Envelope{Id: id(out), Source: name, Kind: out.Kind, Check: out.Check, Medium: out.Medium, Outcome: out.Outcome,
			Reason: out.Reason, Groups: out.Groups}, out.Payload.(*factv1.Fact))
		n++
	}
	return n
}

func (o *owner) save() { o.savedPos, o.savedWith = o.pos, o.state }
func (o *owner) crash() {
	o.pos, o.state, o.caughtUp, o.said = o.savedPos, o.savedWith, false, map[string]bool{}
}

var outcomes = []envelopev1.Outcome{stream.Pass, stream.Pass, stream.Pass, stream.Fail, stream.Inconclusive, stream.NotPerformed, stream.NotApplicable}

// world draws what the other services do.
type world struct {
	lane
	t      *rapid.T
	wants  []check.Medium
	owners []*owner
	n      int
}

func (w *world) id() string { w.n++; return fmt.Sprintf("other/%d", w.n) }

func (w *world) opened() {
	w.append(&envelopev1.Envelope{Id: "opened", Kind: envelopev1.Kind_KIND_OPENED, Wants: w.wants, DeadlineMs: uint32(deadline.Milliseconds()),
		ExpiresAt: timestamppb.New(start.Add(expiry))}, nil)
}

func (w *world) complete() {
	w.append(&envelopev1.Envelope{Id: "complete", Kind: envelopev1.Kind_KIND_COMPLETE}, nil)
}

func (w *world) find(k check.Key, supersedes string) {
	w.append(&envelopev1.Envelope{Id: w.id(), Kind: envelopev1.Kind_KIND_FINDING, Source: "text", Check: k.Check, Medium: k.Medium, Supersedes: supersedes,
		Outcome: rapid.SampledFrom(outcomes).Draw(w.t, "outcome")}, nil)
}

// answer gives a run of the expected answers, some of which may have been given already.
func (w *world) answer() {
	keys := check.Expected(w.wants)
	from := rapid.IntRange(0, len(keys)-1).Draw(w.t, "from")
	for _, k := range keys[from:min(len(keys), from+rapid.IntRange(1, len(keys)).Draw(w.t, "many"))] {
		w.find(k, "")
	}
}

func (w *world) step() {
	o := rapid.SampledFrom(w.owners).Draw(w.t, "owner")
	switch rapid.SampledFrom([]string{"answer", "answer", "odd", "repeat", "supersede", "complete", "opened", "wait", "read", "read", "read", "say", "say", "save", "crash"}).Draw(w.t, "step") {
	case "answer":
		w.answer()
	case "odd":
		w.find(check.Key{Check: "face.match.across_images", Medium: check.Selfie}, "")
	case "repeat":
		if len(w.facts) > 0 {
			m := w.facts[rapid.IntRange(0, len(w.facts)-1).Draw(w.t, "which")]
			w.append(m.Envelope, nil)
		}
	case "supersede":
		if len(w.facts) > 0 {
			m := w.facts[rapid.IntRange(0, len(w.facts)-1).Draw(w.t, "which")]
			w.find(check.Key{Check: m.GetCheck(), Medium: m.GetMedium()}, m.GetId())
		}
	case "complete":
		w.complete()
	case "opened":
		w.opened()
	case "wait":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 12).Draw(w.t, "seconds")) * time.Second)
	case "read":
		o.read(w.t, &w.lane, rapid.IntRange(1, 80).Draw(w.t, "many"))
	case "say":
		o.say(w.t, &w.lane)
	case "save":
		o.save()
	case "crash":
		o.crash()
	}
}

// settle lets all the time pass and everybody say all there is to say.
func (w *world) settle() {
	for range 3 {
		w.now = w.now.Add(expiry)
		for said := 1; said > 0; {
			said = 0
			for _, o := range w.owners {
				o.read(w.t, &w.lane, len(w.facts))
				said += o.say(w.t, &w.lane)
			}
		}
	}
}

// verdict is what the specification says of a lane.
type verdict struct {
	Groups   map[string]string
	Reason   string
	Findings uint32
	Took     uint32
}

// model works the verdict out from the lane in the words of the specification. Findings after the last summary do not count.
func model(facts []*stream.Message, wants []check.Medium) verdict {
	counted, by, first := map[check.Key]*stream.Message{}, map[string]bool{}, map[string]time.Time{}
	for _, k := range check.Expected(wants) {
		by[k.String()] = true
	}
	reason, last, end := "", 0, 0
	for i, m := range facts {
		switch m.GetKind() {
		case envelopev1.Kind_KIND_SUMMARY:
			last = i
		case envelopev1.Kind_KIND_ENDED:
			end = i
		}
	}
	var settled time.Time
	for i, m := range facts[:end] {
		switch m.GetKind() {
		case envelopev1.Kind_KIND_OPENED:
			first["opened"] = m.At
		case envelopev1.Kind_KIND_COMPLETE:
			if reason == "" {
				first["complete"] = m.At
			}
		case envelopev1.Kind_KIND_DEADLINE, envelopev1.Kind_KIND_EXPIRED:
			_, complete := first["complete"]
			switch {
			case reason != "" || complete != (m.GetKind() == envelopev1.Kind_KIND_DEADLINE):
			case !settled.IsZero():
				reason = "complete"
			case complete:
				reason, settled = "deadline", m.At
			default:
				reason, settled = "expired", m.At
			}
		case envelopev1.Kind_KIND_FINDING:
			k := check.Key{Check: m.GetCheck(), Medium: m.GetMedium()}
			old := counted[k]
			if i < last && by[k.String()] && (reason == "" || m.GetSource() == "summary") && (old == nil || m.GetSupersedes() == old.GetId()) {
				counted[k] = m
			}
		}
		if _, complete := first["complete"]; complete && settled.IsZero() && len(counted) == len(by) && !first["opened"].IsZero() {
			settled = m.At
		}
	}
	v := verdict{Groups: map[string]string{}, Reason: reason, Findings: uint32(len(counted))}
	if reason == "" {
		v.Reason = "complete"
	}
	since, ok := first["complete"]
	if !ok {
		since = first["opened"]
	}
	v.Took = uint32(settled.Sub(since).Milliseconds())
	for _, word := range []string{"clear", "unchecked", "caution", "unprocessable", "suspected"} {
		for k, m := range counted {
			if c, _ := check.ByID(k.Check); meaning(m.GetOutcome(), c.Kind) == word {
				v.Groups[c.Group] = word
			}
		}
	}
	return v
}

func meaning(o envelopev1.Outcome, k check.Kind) string {
	if o == stream.Fail {
		return [...]string{check.Quality: "unprocessable", check.Mismatch: "caution", check.Fraud: "suspected"}[k]
	}
	return map[envelopev1.Outcome]string{stream.Pass: "clear", stream.NotApplicable: "clear", stream.Inconclusive: "unchecked", stream.NotPerformed: "unchecked"}[o]
}

// Whatever is repeated, reordered, late or lost in a crash, and whoever owns the lane, a verification ends once and as the specification says.
func TestLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, lane: lane{now: start}, owners: []*owner{newOwner(), newOwner()}}
		w.wants = rapid.SampledFrom([][]check.Medium{{check.Selfie}, {check.Selfie}, {check.Document}, {check.Document, check.Back, check.Selfie}}).Draw(rt, "wants")
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			w.step()
		}
		w.opened()
		w.settle()
		examine(rt, w.first(), w.wants)
	})
}

// failer is a test, or one of rapid's.
type failer interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

func examine(t failer, facts []*stream.Message, wants []check.Medium) {
	ended, last := -1, -1
	var before map[string]string
	answered := map[string]int{}
	for i, m := range facts {
		switch m.GetKind() {
		case envelopev1.Kind_KIND_ENDED:
			if ended >= 0 {
				t.Fatal("ended twice")
			}
			ended = i
		case envelopev1.Kind_KIND_SUMMARY:
			if ended >= 0 && i > ended {
				t.Fatal("a summary after the end")
			}
			if last >= 0 && cmp.Equal(before, m.GetGroups()) {
				t.Fatal("a summary that says what the one before it said")
			}
			last, before = i, m.GetGroups()
		case envelopev1.Kind_KIND_FINDING:
			if ended < 0 {
				answered[check.Key{Check: m.GetCheck(), Medium: m.GetMedium()}.String()]++
			}
		}
	}
	if ended < 0 || last < 0 {
		t.Fatalf("%d facts and no end", len(facts))
	}
	for _, k := range check.Expected(wants) {
		if answered[k.String()] == 0 {
			t.Fatalf("%s has no answer before the end", k)
		}
	}
	end, sum := facts[ended].Payload.(*factv1.Fact).GetEnded(), facts[last].Payload.(*factv1.Fact).GetSummary()
	if sum.GetOpen() != 0 || !sum.GetComplete() {
		t.Fatalf("the last summary says %v", sum)
	}
	got := verdict{before, facts[ended].GetReason(), end.GetFindings(), end.GetTookMs()}
	if d := cmp.Diff(model(facts, wants), got); d != "" {
		t.Fatalf("(-model +fold):\n%s", d)
	}
}
