// Package consistency asks whether a document agrees with itself, with the calendar and with what the applicant declared.
//
// It sees no pixels. It is a fold over fact.v1 that waits for the fields that text has read, and answers each of its checks the moment the fields
// that the rule needs are final: what the print says against the machine-readable zone, against the barcode, the front against the back, the
// declared against the document; whether the document has expired, was issued before it expires, the birth date is possible, the holder old enough, and
// the number has the structure of its issuer.
//
// A zone or a barcode outranks print where its check digits hold, because print is what is misread and what is forged. A contradiction
// that a misreading explains is inconclusive and not held against anybody.
//
// Values are personal, so the state holds the events as they were sealed, and a rule opens them when it decides.
// "Today" is the day on which the verification was opened, by the log's clock: the same facts give the same answers at any time.
package consistency

import (
	"context"
	"errors"
	"time"

	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

const (
	name    = "consistency"
	version = 1
)

// Config of the service.
type Config struct {
	Decode func(log.Rec) (*stream.Message, error) // stream.Runtime.Decode: opens the events that the state keeps
}

// New gives the fold.
func New(c Config) (stream.Fold[State], error) {
	if c.Decode == nil {
		return stream.Fold[State]{}, errors.New("consistency: decode is needed")
	}
	s := service{c}
	return stream.Fold[State]{Name: name, Version: version, Input: topic.Fact, Apply: apply, Say: s.say, Leave: leave, Over: over}, nil
}

type service struct{ Config }

func apply(s *State, m *stream.Message) { s.apply(m.Envelope, m.At) }

// say answers what can be answered by now. Nothing depends on the clock.
func (sv service) say(ctx context.Context, s *State, _ time.Time) ([]stream.Output, time.Time, error) {
	r := sv.reader(ctx, s)
	var outs []stream.Output
	for _, k := range s.unanswered() {
		r.looked = nil
		v := r.decide(k)
		if r.err != nil {
			return nil, time.Time{}, r.err
		}
		if v.ready {
			outs = append(outs, output(k, v, r.looked))
		}
	}
	return outs, time.Time{}, nil
}

func output(k check.Key, v verdict, restsOn []*stream.Message) stream.Output {
	o := stream.Finding(k, v.outcome, v.reason, &factv1.Finding{Detector: &factv1.Detector{Name: name, Version: "1.0.0"}})
	o.Also = restsOn
	return o
}

// over: nobody waits for answers any more.
func over(s *State) bool { return s.Closed }

// leave forgets a verification a day after its end. A state that was never opened is the trace of facts that came later still.
func leave(s *State) time.Time {
	if !s.Closed && !s.Opened.IsZero() {
		return time.Time{}
	}
	return s.Last.Add(24 * time.Hour)
}
