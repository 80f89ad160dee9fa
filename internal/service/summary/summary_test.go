package summary

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		o    envelopev1.Outcome
		k    check.Kind
		want string
	}{
		{stream.Pass, check.Fraud, "clear"},
		{stream.NotApplicable, check.Quality, "clear"},
		{stream.Fail, check.Quality, "unprocessable"},
		{stream.Fail, check.Mismatch, "caution"},
		{stream.Fail, check.Fraud, "suspected"},
		{stream.Inconclusive, check.Fraud, "unchecked"},
		{stream.NotPerformed, check.Fraud, "unchecked"},
	} {
		if got := status(c.o, c.k); got != c.want {
			t.Errorf("status(%s, %d) = %s, want %s", c.o, c.k, got, c.want)
		}
	}
}

// told is a state that was told facts a second apart.
func told(facts ...*envelopev1.Envelope) (*State, time.Time) {
	var s State
	at := start
	for _, e := range facts {
		apply(&s, &stream.Message{Envelope: e, At: at})
		at = at.Add(time.Second)
	}
	return &s, at
}

func opened() *envelopev1.Envelope {
	return &envelopev1.Envelope{Id: "o", Kind: envelopev1.Kind_KIND_OPENED, Wants: []check.Medium{check.Document, check.Selfie}, DeadlineMs: 10000}
}

func find(k check.Key, o envelopev1.Outcome) *envelopev1.Envelope {
	return &envelopev1.Envelope{Id: k.String(), Kind: envelopev1.Kind_KIND_FINDING, Source: "text", Check: k.Check, Medium: k.Medium, Outcome: o}
}

func kindsOf(outs []stream.Output) []string {
	var out []string
	for _, o := range outs {
		out = append(out, id(o))
	}
	return out
}

// A group is pending while anything of it is open, even where something of it has failed; one changed group makes one summary of all.
func TestPendingHidesTheRest(t *testing.T) {
	class := []string{"type", "country", "region", "side", "supported", "located", "orientation"}
	facts := []*envelopev1.Envelope{opened()}
	for i, c := range class {
		s, now := told(facts...)
		if outs, _ := s.due(now); len(outs) != 0 {
			t.Fatalf("after %d of %d answers: %v", i, len(class), kindsOf(outs))
		}
		o := stream.Pass
		if c == "type" {
			o = stream.Fail
		}
		facts = append(facts, find(check.Key{Check: "doc.class." + c, Medium: check.Document}, o))
	}
	s, now := told(facts...)
	outs, _ := s.due(now)
	if d := cmp.Diff([]string{"KIND_SUMMARY/0"}, kindsOf(outs)); d != "" {
		t.Fatal(d)
	}
	if got := outs[0].Groups; got["doc.class"] != "unprocessable" || got["doc.mrz"] != "pending" {
		t.Errorf("groups %v", got)
	}
}

// The deadline counts from the append of complete, and until then Say asks to be asked again.
func TestDeadlineCountsFromComplete(t *testing.T) {
	s, _ := told(opened(), &envelopev1.Envelope{Kind: envelopev1.Kind_KIND_INCIDENT}, &envelopev1.Envelope{Id: "c", Kind: envelopev1.Kind_KIND_COMPLETE})
	due := start.Add(12 * time.Second)
	outs, again, err := say(context.Background(), s, due.Add(-1))
	if err != nil || len(outs) != 0 || !again.Equal(due) {
		t.Errorf("before: %v, again %s, %v", kindsOf(outs), again, err)
	}
	outs, again, err = say(context.Background(), s, due)
	if d := cmp.Diff([]string{"KIND_DEADLINE/0"}, kindsOf(outs)); d != "" || !again.IsZero() || err != nil {
		t.Errorf("%s again %s, %v", d, again, err)
	}
}

func TestErasedIsSilent(t *testing.T) {
	s, now := told(opened(), &envelopev1.Envelope{Id: "c", Kind: envelopev1.Kind_KIND_COMPLETE}, &envelopev1.Envelope{Id: "e", Kind: envelopev1.Kind_KIND_ERASED})
	if outs, again := s.due(now.Add(time.Hour)); len(outs) != 0 || !again.IsZero() {
		t.Errorf("said %v, again %s", kindsOf(outs), again)
	}
	if at := leave(s); !at.Equal(start.Add(2*time.Second + keepFor)) {
		t.Errorf("leaves %s", at)
	}
}

// Complete may say that fewer media came than were announced: nobody answers for the others.
func TestCompleteWithFewerMedia(t *testing.T) {
	s, _ := told(opened(), &envelopev1.Envelope{Id: "c", Kind: envelopev1.Kind_KIND_COMPLETE, Wants: []check.Medium{check.Selfie}})
	if d := cmp.Diff(check.Expected([]check.Medium{check.Selfie}), s.unanswered()); d != "" {
		t.Error(d)
	}
}

func TestLeave(t *testing.T) {
	s, _ := told(opened())
	if at := leave(s); !at.IsZero() {
		t.Errorf("an open verification leaves at %s", at)
	}
	s, _ = told(find(check.Key{Check: "doc.class.type", Medium: check.Document}, stream.Pass))
	if at := leave(s); !at.Equal(start.Add(keepFor)) {
		t.Errorf("what was never opened leaves at %s", at)
	}
}

// The state of the largest verification stays small, and nothing of a payload is in it.
func TestStateIsSmall(t *testing.T) {
	wants := []check.Medium{check.Document, check.Back, check.Selfie}
	s, _ := told(&envelopev1.Envelope{Id: "o", Kind: envelopev1.Kind_KIND_OPENED, Wants: wants})
	for _, k := range check.Expected(wants) {
		e := find(k, stream.Pass)
		e.Id, e.Sealed = "0123456789abcdef0123456789abcdef", make([]byte, 1000)
		s.apply(e, start)
	}
	raw, err := json.Marshal(s)
	if err != nil || len(raw) > 32<<10 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	t.Logf("%d answers, %d bytes", len(s.Answers), len(raw))
	for _, k := range []envelopev1.Kind{envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED} {
		over := *s
		over.apply(of(k), start)
		over.apply(find(check.Key{Check: "doc.class.type", Medium: check.Document}, stream.Fail), start.Add(time.Hour))
		if raw, err := json.Marshal(over); err != nil || len(raw) > 200 {
			t.Errorf("after %s %d bytes, %v", k, len(raw), err)
		}
	}
}

// all answers everything that is expected of a selfie with a pass.
func all() []*envelopev1.Envelope {
	var out []*envelopev1.Envelope
	for _, k := range check.Expected([]check.Medium{check.Selfie}) {
		out = append(out, find(k, stream.Pass))
	}
	return out
}

func of(k envelopev1.Kind) *envelopev1.Envelope { return &envelopev1.Envelope{Id: k.String(), Kind: k} }

// Edges of a life that the order of the lane decides.
func TestEdges(t *testing.T) {
	selfie := &envelopev1.Envelope{Id: "o", Kind: envelopev1.Kind_KIND_OPENED, Wants: []check.Medium{check.Selfie}, DeadlineMs: 1000}
	complete, deadline, expired, ended := of(envelopev1.Kind_KIND_COMPLETE), of(envelopev1.Kind_KIND_DEADLINE), of(envelopev1.Kind_KIND_EXPIRED), of(envelopev1.Kind_KIND_ENDED)
	groups := map[string]string{"face.challenge": clear, "face.image": clear, "face.match": clear, "face.pad": clear}
	last := &envelopev1.Envelope{Id: "s", Kind: envelopev1.Kind_KIND_SUMMARY, Groups: groups}
	worse := find(check.Key{Check: "face.pad.passive", Medium: check.Selfie}, stream.Fail)
	worse.Id, worse.Supersedes = "correction", check.Key{Check: "face.pad.passive", Medium: check.Selfie}.String()
	second := find(check.Key{Check: "face.pad.passive", Medium: check.Selfie}, stream.Pass)
	second.Id = "second"
	ofSecond := find(check.Key{Check: "face.pad.passive", Medium: check.Selfie}, stream.Fail)
	ofSecond.Id, ofSecond.Supersedes = "correction", "second"
	lane := func(parts ...[]*envelopev1.Envelope) (out []*envelopev1.Envelope) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	one := func(e ...*envelopev1.Envelope) []*envelopev1.Envelope { return e }
	for _, c := range []struct {
		name   string
		facts  []*envelopev1.Envelope
		want   []string
		reason string
	}{
		{"everything answered before the deadline needs none", lane(one(selfie, complete), all()), []string{"KIND_SUMMARY/0"}, ""},
		{"a deadline that found nothing open does not count", lane(one(selfie, complete), all(), one(deadline, last)), []string{"KIND_ENDED/0"}, "complete"},
		{"a correction before the end is said", lane(one(selfie, complete), all(), one(worse, last)), []string{"KIND_SUMMARY/1"}, ""},
		{"a correction of the last word comes too late", lane(one(selfie, complete), all(), one(last, worse)), []string{"KIND_ENDED/0"}, "complete"},
		{"a correction after the deadline comes too late", lane(one(selfie, complete), all(), one(deadline, worse, last)), []string{"KIND_ENDED/0"}, "complete"},
		{"a correction of what does not count does not count", lane(one(selfie, complete), all(), one(second, ofSecond, last)), []string{"KIND_ENDED/0"}, "complete"},
		{"answers without complete do not end it", lane(one(selfie), all(), one(last)), nil, ""},
		{"complete after it expired comes too late", lane(one(selfie), all(), one(expired, complete, last)), []string{"KIND_ENDED/0"}, "expired"},
		{"expired after complete does not count", lane(one(selfie, complete), all(), one(expired, last)), []string{"KIND_ENDED/0"}, "complete"},
		{"nothing is said after the end", lane(one(selfie, complete, ended), all()), nil, ""},
		{"what expects nothing ends all the same", one(of(envelopev1.Kind_KIND_OPENED), complete), []string{"KIND_SUMMARY/0"}, ""},
	} {
		s, now := told(c.facts...)
		outs, _ := s.due(now.Add(time.Hour))
		if d := cmp.Diff(c.want, kindsOf(outs)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		} else if len(outs) == 1 && outs[0].Reason != c.reason {
			t.Errorf("%s: reason %q, want %q", c.name, outs[0].Reason, c.reason)
		}
	}
	s, _ := told(lane(one(selfie, complete, ended), all())...)
	if len(s.Answers) != 0 {
		t.Errorf("%d findings counted after the end", len(s.Answers))
	}
	s, _ = told(selfie, expired, complete)
	if !s.Complete.IsZero() {
		t.Error("complete counts although it expired")
	}
}
