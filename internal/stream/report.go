package stream

import (
	"context"
	"errors"
	"strconv"
	"time"

	deadv1 "github.com/bonafide-id/bonafide/gen/bonafide/dead/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	incidentv1 "github.com/bonafide-id/bonafide/gen/bonafide/incident/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// reportTime is how long the publication of an incident may take.
const reportTime = 30 * time.Second

// Report publishes that a decision about a dependency was taken; it does not wait. It is a resilience.Reporter.
func (r *Runtime) Report(i resilience.Incident) {
	r.logger.Warn("decision taken", "dependency", i.Dependency, "condition", i.Condition, "action", i.Decision.String(),
		"verification", i.Verification, "error", i.Err)
	in := &incidentv1.Incident{Dependency: i.Dependency, Condition: string(i.Condition), Action: string(i.Decision.Action), Code: i.Decision.Reason}
	a := Ancestry{Source: "runtime", Client: i.Client, Verification: i.Verification}
	r.incident(a, in, r.now().Format(time.RFC3339Nano))
}

// incident publishes an incident, and the fact of it where it touches a verification. It does not go through the log's
// dependency: an incident about the log must not make another.
func (r *Runtime) incident(a Ancestry, in *incidentv1.Incident, once string) {
	in.Service = a.Source
	select {
	case r.reports <- struct{}{}:
	default:
		r.logger.Error("too many incidents at once: one is only written here", "service", a.Source, "condition", in.Condition, "code", in.Code)
		return
	}
	r.working.Go(func() {
		defer func() { <-r.reports }()
		ctx, cancel := context.WithTimeout(context.Background(), reportTime)
		defer cancel()
		o := Output{Topic: topic.Incident, Kind: envelopev1.Kind_KIND_INCIDENT, Reason: in.Code, Payload: in}
		id := DeriveID("incident", a.Source, a.Verification, in.Dependency, in.Condition, in.Code, once)
		r.say(ctx, a, id, o)
		if a.Verification == "" || a.kind == envelopev1.Kind_KIND_INCIDENT {
			return // who breaks on the facts of incidents would otherwise make them for ever
		}
		o.Topic, o.Payload = topic.Fact, &factv1.Fact{What: &factv1.Fact_Incident{Incident: &factv1.Incident{
			Dependency: in.Dependency, Condition: in.Condition, Action: in.Action, Service: in.Service}}}
		r.say(ctx, a, DeriveID("fact", id), o)
	})
}

// say publishes one event, or writes to the process's own log that it could not.
func (r *Runtime) say(ctx context.Context, a Ancestry, id string, o Output) {
	rec, err := r.record(ctx, a, id, o, true)
	if err == nil {
		_, err = r.log.Publish(ctx, rec)
	}
	if err != nil {
		r.logger.Error("an incident could not be published", "service", a.Source, "id", id, "error", err)
	}
}

// blame reports trouble with one message: a bug, or work that was given up.
func (r *Runtime) blame(a Ancestry, condition, action, code string, err error) {
	r.logger.Error("trouble with a message", "service", a.Source, "condition", condition, "action", action, "code", code,
		"verification", a.Verification, "event", a.Causation, "error", err)
	r.incident(a, &incidentv1.Incident{Dependency: a.Source, Condition: condition, Action: action, Code: code}, a.Causation)
}

// deadLetter makes the record that keeps what cannot be worked on, with its bytes untouched.
func (r *Runtime) deadLetter(service string, rec log.Rec, reason string) (log.Rec, error) {
	d := &deadv1.DeadLetter{Service: service, Topic: rec.Lane.Topic, Lane: rec.Lane.N, Epoch: rec.Pos.Epoch, Offset: rec.Pos.Off,
		Reason: reason, Key: rec.Key, Value: rec.Val}
	for _, h := range rec.Head {
		d.Headers = append(d.Headers, &deadv1.Header{Key: h.Key, Value: h.Val})
	}
	id := DeriveID("dead", service, rec.Lane.Topic, strconv.Itoa(int(rec.Lane.N)), strconv.FormatUint(rec.Pos.Epoch, 10), strconv.FormatInt(rec.Pos.Off, 10))
	a := Ancestry{Source: service}
	if m, err := r.Decode(rec); err == nil {
		a = descend(service, 0, m, nil)
	}
	o := Output{Topic: topic.Dead, Kind: envelopev1.Kind_KIND_DEAD_LETTER, Reason: reason, Payload: d}
	out, err := r.record(context.Background(), a, id, o, true)
	if err == nil {
		out.Key = rec.Key
		err = takeable(out)
	}
	if errors.Is(err, log.ErrTooLarge) { // it stays where topic, lane and offset say
		d.Key, d.Value, d.Headers = nil, nil, nil
		out, err = r.record(context.Background(), Ancestry{Source: service}, id, o, true)
	}
	return out, err
}
