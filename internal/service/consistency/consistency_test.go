package consistency

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
)

var both = []check.Medium{check.Document, check.Back}

// cover hides a payload from a search for its words, as sealing does, and uncovers it again.
func cover(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out
}

// decode opens what cover hid, as the runtime opens what it sealed.
func decode(r log.Rec) (*stream.Message, error) {
	var e envelopev1.Envelope
	if err := proto.Unmarshal(r.Val, &e); err != nil {
		return nil, err
	}
	var f factv1.Fact
	err := proto.Unmarshal(cover(e.GetSealed()), &f)
	return &stream.Message{Envelope: &e, Payload: &f}, err
}

func fact(id string, k envelopev1.Kind, f *factv1.Fact) *envelopev1.Envelope {
	raw, _ := proto.Marshal(f)
	return &envelopev1.Envelope{Id: id, VerificationId: "v", ClientId: "demo", Kind: k, Sealed: cover(raw)}
}

func opened(o *factv1.Opened) *envelopev1.Envelope {
	e := fact("opened", envelopev1.Kind_KIND_OPENED, &factv1.Fact{What: &factv1.Fact_Opened{Opened: o}})
	e.Wants = both
	return e
}

// finding is what text says of one line of a paper; media came a second before noon.
func finding(id, text string) *envelopev1.Envelope {
	value := &factv1.Value{What: &factv1.Value_Text{Text: text}}
	if strings.Contains(id, "_date") {
		value.What = &factv1.Value_Date{Date: text}
	}
	e := fact("text/"+id, envelopev1.Kind_KIND_FINDING, &factv1.Fact{What: &factv1.Fact_Finding{Finding: &factv1.Finding{Value: value}}})
	e.Source, e.Check, e.Medium, e.Outcome = "text", id, check.Document, stream.Pass
	if back, ok := strings.CutPrefix(id, "back:"); ok {
		e.Check, e.Medium = back, check.Back
	}
	e.MediaAt = timestamppb.New(today.Add(12*time.Hour - time.Second))
	return e
}

// findings are all that text says of a paper, also of what is not on it.
func (p paper) findings() []*envelopev1.Envelope {
	var out []*envelopev1.Envelope
	d := p.doc(nil)
	for _, id := range inputsOfRules() {
		e := finding(id, p[id])
		if r := d.look(check.Key{Check: e.Check, Medium: e.Medium}); r.status != present {
			e.Outcome = map[status]envelopev1.Outcome{absent: stream.NotApplicable, unread: stream.Inconclusive, unperformed: stream.NotPerformed}[r.status]
			e.Reason = r.reason
		}
		out = append(out, e)
	}
	return out
}

func newFold(t testing.TB) stream.Fold[State] {
	f, err := New(Config{Decode: decode})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// run drives the fold as the runtime does: state and position are saved now and then, and a crash goes back to them.
type run struct {
	fold    stream.Fold[State]
	lane    []*envelopev1.Envelope
	pos     int
	state   []byte
	savedAt int
	saved   []byte
	answers map[check.Key]verdict // as they were said first
}

func (r *run) at() time.Time { return today.Add(12*time.Hour + time.Duration(r.pos)*time.Millisecond) }

// step reads one fact and says what follows from it.
func (r *run) step(t *rapid.T) {
	var s State
	if err := json.Unmarshal(r.state, &s); err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		r.fold.Apply(&s, &stream.Message{Envelope: r.lane[r.pos], At: r.at()})
	}
	r.pos++
	r.state, _ = json.Marshal(s)
	secret(t, r.state)
	outs, again, err := r.fold.Say(context.Background(), &s, r.at())
	if err != nil || !again.IsZero() {
		t.Fatalf("again %s, %v", again, err)
	}
	for _, o := range outs {
		r.hear(t, o)
	}
}

func (r *run) hear(t *rapid.T, o stream.Output) {
	k, v := check.Key{Check: o.Check, Medium: o.Medium}, verdict{true, o.Outcome, o.Reason}
	was, said := r.answers[k]
	if said && was != v {
		t.Fatalf("%s was %s and is %s", k, in(was), in(v))
	}
	if !said {
		r.answers[k] = v
		r.lane = append(r.lane, &envelopev1.Envelope{Id: k.String(), Source: name, Kind: envelopev1.Kind_KIND_FINDING, Check: o.Check, Medium: o.Medium,
			Outcome: o.Outcome, Reason: o.Reason})
	}
}

// However the facts are ordered, repeated and interrupted by crashes, each check is answered once, as all facts together answer it.
func TestFold(t *testing.T) {
	fold := newFold(t)
	rapid.Check(t, func(t *rapid.T) {
		whole := draw(t)
		request := &factv1.Opened{MinimumAge: 18, Declared: &factv1.Declared{Surname: "Muller", BirthDate: "1974-08-12"}}
		r := &run{fold: fold, state: []byte("{}"), saved: []byte("{}"), answers: map[check.Key]verdict{}}
		r.lane = rapid.Permutation(append(whole.findings(), opened(request))).Draw(t, "lane")
		for r.pos < len(r.lane) {
			r.step(t)
			switch rapid.IntRange(0, 19).Draw(t, "event") {
			case 0:
				r.savedAt, r.saved = r.pos, r.state
			case 1:
				r.pos, r.state = r.savedAt, r.saved
			}
		}
		for _, k := range check.Owed(name, both) {
			if want := whole.doc(request).decide(k); r.answers[k] != want {
				t.Fatalf("%s is %s, want %s", k, in(r.answers[k]), in(want))
			}
		}
		var s State
		if err := json.Unmarshal(r.state, &s); err != nil || len(s.Inputs) > 0 || s.Request != nil {
			t.Fatalf("values are kept although all is answered: %s (%v)", r.state, err)
		}
	})
}

// told is a state that was told facts a second apart, from noon on.
func told(facts ...*envelopev1.Envelope) *State {
	var s State
	for i, e := range facts {
		apply(&s, &stream.Message{Envelope: e, At: today.Add(12*time.Hour + time.Duration(i)*time.Second)})
	}
	return &s
}

func said(t *testing.T, s *State) map[string]stream.Output {
	t.Helper()
	outs, _, err := newFold(t).Say(context.Background(), s, today)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]stream.Output{}
	for _, o := range outs {
		all[o.Check] = o
	}
	return all
}

// What needs nothing of the document is answered at once; the rest waits for no more than it needs.
func TestAnswersAtOnce(t *testing.T) {
	first := said(t, told(opened(&factv1.Opened{MinimumAge: 18})))
	if len(first) != 4 || first["doc.consistency.declared_vs_doc.surname"].Reason != notDeclared {
		t.Errorf("at first %d answers: %v", len(first), first)
	}
	zone := said(t, told(opened(&factv1.Opened{MinimumAge: 18}), finding(inZone+"birth_date", "2001-01-01"), finding("doc.mrz.check.birth", "")))
	age, ok := zone["doc.validity.minimum_age"]
	if !ok || age.Outcome != stream.Pass {
		t.Errorf("with a zone whose digit holds: %v", age)
	}
	if len(age.Also) != 2 || age.Also[0].GetId() != "text/"+inZone+"birth_date" || age.Also[0].GetMediaAt() == nil {
		t.Errorf("rests on %v", age.Also)
	}
}

// Today is the day of opening, not of asking.
func TestTodayIsTheDayOfOpening(t *testing.T) {
	s := told(opened(&factv1.Opened{}), finding(inZone+"expiry_date", "2026-11-25"), finding("doc.mrz.check.expiry", ""))
	outs, _, err := newFold(t).Say(context.Background(), s, today.AddDate(10, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outs {
		if o.Check == "doc.validity.expired" && o.Outcome != stream.Pass {
			t.Errorf("%s(%s)", o.Outcome, o.Reason)
		}
	}
}

// A correction of a field counts until the field is used; a second opinion without it does not.
func TestCorrections(t *testing.T) {
	wrong, right, other := finding(inZone+"expiry_date", "2020-01-31"), finding(inZone+"expiry_date", "2030-01-31"), finding(inZone+"expiry_date", "2020-01-30")
	right.Id, right.Supersedes, other.Id = "correction", wrong.Id, "other"
	all := said(t, told(opened(&factv1.Opened{}), wrong, right, other, finding("doc.mrz.check.expiry", "")))
	if o := all["doc.validity.expired"]; o.Outcome != stream.Pass {
		t.Errorf("expired is %s(%s)", o.Outcome, o.Reason)
	}
}

// Once nobody waits any more nothing is said, and nothing kept.
func TestClosed(t *testing.T) {
	for _, k := range []envelopev1.Kind{envelopev1.Kind_KIND_DEADLINE, envelopev1.Kind_KIND_EXPIRED, envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED} {
		s := told(opened(&factv1.Opened{}), finding(inPrint+"surname", "MORGAN"), &envelopev1.Envelope{Id: "c", Kind: k}, finding(inZone+"surname", "MORGAN"))
		if outs := said(t, s); len(outs) != 0 || s.Inputs != nil || s.Request != nil {
			t.Errorf("after %s: %v, %+v", k, outs, s)
		}
		if at := leave(s); !at.Equal(today.Add(12*time.Hour + 2*time.Second + 24*time.Hour)) {
			t.Errorf("after %s it leaves at %s", k, at)
		}
	}
	if at := leave(told(finding(inPrint+"surname", "MORGAN"), finding(inZone+"surname", "MORGAN"))); !at.Equal(today.Add(12*time.Hour + time.Second + 24*time.Hour)) {
		t.Errorf("what was never opened leaves at %s", at)
	}
	if at := leave(told(opened(&factv1.Opened{}))); !at.IsZero() {
		t.Errorf("an open verification leaves at %s", at)
	}
}

// secret fails if anything of a document stands in a state.
func secret(t *rapid.T, state []byte) {
	for _, word := range []string{"MORGAN", "ller", "1974", "1994", "123456789", "ANNA", "PETER"} {
		if bytes.Contains(state, []byte(word)) {
			t.Fatalf("%q stands in the state: %s", word, state)
		}
	}
}

func TestErased(t *testing.T) {
	fold, err := New(Config{Decode: func(log.Rec) (*stream.Message, error) { return nil, seal.ErrErased }})
	if err != nil {
		t.Fatal(err)
	}
	var s State
	fold.Apply(&s, &stream.Message{Envelope: opened(nil), At: today})
	if outs, _, err := fold.Say(context.Background(), &s, today); len(outs) != 0 || !errors.Is(err, seal.ErrErased) {
		t.Errorf("said %d, %v", len(outs), err)
	}
	fold.Apply(&s, &stream.Message{Envelope: &envelopev1.Envelope{Id: "e", Kind: envelopev1.Kind_KIND_ERASED}, At: today})
	if outs, _, err := fold.Say(context.Background(), &s, today); len(outs) != 0 || err != nil {
		t.Errorf("after erased: said %d, %v", len(outs), err)
	}
}
