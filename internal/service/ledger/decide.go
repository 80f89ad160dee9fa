package ledger

import (
	"encoding/hex"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/frame"
)

// summary is the one service that may still answer for others once a deadline has passed.
const summary = "summary"

// keepFor is how long a state is kept after the verification ended.
const keepFor = 24 * time.Hour

// State is where the chain of one verification stands.
type State struct {
	Seq      uint64    `json:"seq"`
	Hash     string    `json:"hash,omitempty"` // of the last frame
	Deadline bool      `json:"deadline,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`     // append time of ended, or of erased without it
	Recalled bool      `json:"recalled,omitempty"` // it was forgotten: which facts have a frame is known by the feed alone
	Strayed  time.Time `json:"strayed,omitzero"`   // append time of the last fact that came before the first frame and has none
}

// place is what a fact becomes in the feed.
type place struct {
	framed, late bool
}

// take takes a fact that was appended at the given time into the state. A fact that clients do not see is not framed.
func (s State) take(e *envelopev1.Envelope, at time.Time) (State, place) {
	p := place{framed: s.frames(e.GetKind()), late: s.late(e)}
	if s.Seq == 0 && !p.framed {
		s.Strayed = at
	}
	switch e.GetKind() {
	case envelopev1.Kind_KIND_DEADLINE:
		s.Deadline = true
	case envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED:
		if s.Ended.IsZero() {
			s.Ended = at
		}
	}
	return s, p
}

// frames: an incident begins no feed. One that comes first is of an upload that may be refused yet, or of a verification that is forgotten.
func (s State) frames(k envelopev1.Kind) bool {
	return frame.Framed(k) && (s.Seq > 0 || k != envelopev1.Kind_KIND_INCIDENT)
}

// late: after ended everything is; after the deadline every finding that is not summary's own word for a check that nobody answered.
func (s State) late(e *envelopev1.Envelope) bool {
	if !s.Ended.IsZero() {
		return true
	}
	return s.Deadline && e.GetKind() == envelopev1.Kind_KIND_FINDING && e.GetSource() != summary
}

// link puts the next body at the end of the chain.
func (s State) link(salt, body []byte) (State, *envelopev1.Chain) {
	prev := s.Hash
	if s.Seq == 0 {
		prev = frame.Genesis
	}
	s.Seq, s.Hash = s.Seq+1, frame.Hash(prev, hex.EncodeToString(salt), body)
	return s, &envelopev1.Chain{Seq: s.Seq, PrevHash: prev, Hash: s.Hash}
}

// Leave says when a state may be forgotten: a day after the end, or after the last fact of what never began.
func Leave(s *State) time.Time {
	switch {
	case !s.Ended.IsZero():
		return s.Ended.Add(keepFor)
	case s.Seq == 0 && !s.Strayed.IsZero():
		return s.Strayed.Add(keepFor)
	}
	return time.Time{}
}
