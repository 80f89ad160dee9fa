package consistency

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// State is what the lane said so far about one verification. Nothing personal stands in it in clear.
type State struct {
	Opened  time.Time        `json:"opened,omitzero"`
	Wants   []check.Medium   `json:"wants,omitempty"`
	Request []byte           `json:"request,omitempty"` // the opened event, its payload sealed
	Inputs  map[string]input `json:"inputs,omitempty"`  // what rules look at, by check.Key
	Said    []string         `json:"said,omitempty"`    // own answers in the lane, by check.Key
	Closed  bool             `json:"closed,omitempty"`  // nobody waits for answers any more
	Last    time.Time        `json:"last,omitzero"`
}

// input is the finding that counts for one check about one medium.
type input struct {
	ID      string             `json:"id"`
	Outcome envelopev1.Outcome `json:"outcome"`
	Reason  string             `json:"reason,omitempty"`
	Media   time.Time          `json:"media,omitzero"` // append time of the last medium it rests on
	Event   []byte             `json:"event,omitempty"`
}

// apply takes one fact into the state. It may see any fact again.
func (s *State) apply(e *envelopev1.Envelope, at time.Time) {
	if s.Closed {
		return
	}
	s.Last = at
	switch e.GetKind() {
	case envelopev1.Kind_KIND_OPENED:
		if s.Opened.IsZero() {
			s.Opened, s.Wants, s.Request = at, e.GetWants(), sealed(e)
		}
	case envelopev1.Kind_KIND_FINDING:
		s.find(e)
	case envelopev1.Kind_KIND_DEADLINE, envelopev1.Kind_KIND_EXPIRED, envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED:
		*s = State{Opened: s.Opened, Closed: true, Last: at}
	}
	if !s.Opened.IsZero() && len(s.unanswered()) == 0 {
		s.Inputs, s.Request = nil, nil
	}
}

// find keeps a finding that rules look at: the first of its check and medium, or one that supersedes the one that counts.
func (s *State) find(e *envelopev1.Envelope) {
	key := check.Key{Check: e.GetCheck(), Medium: e.GetMedium()}.String()
	if c, ok := check.ByID(e.GetCheck()); ok && c.Service == name {
		if !slices.Contains(s.Said, key) {
			s.Said = append(s.Said, key)
		}
		return
	}
	had, taken := s.Inputs[key]
	if !looksAt(e.GetCheck()) || taken && (e.GetSupersedes() == "" || e.GetSupersedes() != had.ID) {
		return
	}
	in := input{ID: e.GetId(), Outcome: e.GetOutcome(), Reason: e.GetReason()}
	if e.GetMediaAt() != nil {
		in.Media = e.GetMediaAt().AsTime()
	}
	if e.GetOutcome() == stream.Pass {
		in.Event = sealed(e)
	}
	if s.Inputs == nil {
		s.Inputs = map[string]input{}
	}
	s.Inputs[key] = in
}

// unanswered lists the checks that this service owes and that have no answer in the lane yet.
func (s *State) unanswered() []check.Key {
	if s.Closed {
		return nil
	}
	return slices.DeleteFunc(check.Owed(name, s.Wants), func(k check.Key) bool { return slices.Contains(s.Said, k.String()) })
}

// looksAt says whether any rule asks for a check.
func looksAt(id string) bool {
	switch id {
	case "doc.class.type", "doc.class.country", checkOf["document_number"], checkOf["birth_date"], checkOf["expiry_date"]:
		return true
	}
	for _, source := range []string{inPrint, inZone, inBarcode} {
		if field, ok := strings.CutPrefix(id, source); ok {
			return slices.Contains(fieldNames, field)
		}
	}
	return false
}

// sealed is what must be kept of an event to open it later.
func sealed(e *envelopev1.Envelope) []byte {
	raw, err := proto.Marshal(&envelopev1.Envelope{Id: e.GetId(), VerificationId: e.GetVerificationId(), ClientId: e.GetClientId(), Kind: e.GetKind(),
		Sealed: e.GetSealed()})
	if err != nil {
		return nil // an envelope that was decoded is one that can be encoded
	}
	return raw
}

// message is an input as something that an answer rests on.
func (in input) message() *stream.Message {
	e := &envelopev1.Envelope{Id: in.ID}
	if !in.Media.IsZero() {
		e.MediaAt = timestamppb.New(in.Media)
	}
	return &stream.Message{Envelope: e}
}
