package stream

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// Ancestry is what an event inherits, and who says it. Times that are not known are zero.
type Ancestry struct {
	Source  string // the service
	Version int    // major version of what it says

	Client, Verification string

	Correlation string // the request it came from
	Causation   string // the event that caused it
	Inputs      []string
	Traceparent string
	Grant       string
	DeadlineAt  time.Time // about when the deadline falls
	MediaAt     time.Time // append time of the last medium that it rests on

	kind envelopev1.Kind // of the event that caused it
}

// descend is the ancestry of what a service says on a message and on what else it rests.
func descend(source string, version int, m *Message, also []*Message) Ancestry {
	a := Ancestry{
		Source: source, Version: version, Client: m.GetClientId(), Verification: m.GetVerificationId(),
		Correlation: m.GetCorrelationId(), Causation: m.GetId(), Inputs: inputIDs(m, also),
		Traceparent: m.GetTraceparent(), Grant: m.GetGrant(), DeadlineAt: moment(m.GetDeadlineAt()), MediaAt: mediaAt(m), kind: m.GetKind(),
	}
	for _, x := range also {
		a.MediaAt = later(a.MediaAt, mediaAt(x))
	}
	return a
}

// then is the ancestry of what is said after one more message: what that does not know is kept.
func (a Ancestry) then(b Ancestry) Ancestry {
	b.MediaAt = later(a.MediaAt, b.MediaAt)
	for _, f := range []struct{ old, new *string }{{&a.Client, &b.Client}, {&a.Correlation, &b.Correlation},
		{&a.Traceparent, &b.Traceparent}, {&a.Grant, &b.Grant}} {
		if *f.new == "" {
			*f.new = *f.old
		}
	}
	if b.DeadlineAt.IsZero() {
		b.DeadlineAt = a.DeadlineAt
	}
	return b
}

// mediaAt is the append time of the last medium that a message rests on: of a medium, its own.
func mediaAt(m *Message) time.Time {
	if m.Lane.Topic == topic.Media {
		return m.At
	}
	return moment(m.GetMediaAt())
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func moment(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// record makes the record of an output, sealed. With bare, an output about a verification whose key is gone goes without its payload;
// otherwise that is an error. What the log could not take is log.ErrBadName or log.ErrTooLarge here, not when it is written among others.
func (r *Runtime) record(ctx context.Context, a Ancestry, id string, o Output, bare bool) (log.Rec, error) {
	name := o.Topic
	if name == "" {
		name = topic.Fact
	}
	row, ok := topic.Of(name)
	if !ok {
		return log.Rec{}, fmt.Errorf("saying %s: %w: %s is not in the table of topics", o.name(), log.ErrNoTopic, name)
	}
	e := r.envelope(a, id, o)
	var err error
	e.Sealed, err = r.payload(ctx, row, e, o.Payload)
	if err != nil && !(bare && gone(err)) {
		return log.Rec{}, fmt.Errorf("saying %s: %w", o.name(), err)
	}
	rec, err := pack(row.Name, e)
	if err == nil {
		err = takeable(rec)
	}
	if err != nil {
		return log.Rec{}, fmt.Errorf("saying %s: %w", o.name(), err)
	}
	return rec, nil
}

// takeable refuses a record that no log takes.
func takeable(rec log.Rec) error {
	if err := log.CheckName(rec.Lane.Topic); err != nil {
		return err
	}
	if n := size(rec); n > log.MaxRecord {
		return fmt.Errorf("%w: %d bytes", log.ErrTooLarge, n)
	}
	return nil
}

func (r *Runtime) envelope(a Ancestry, id string, o Output) *envelopev1.Envelope {
	now := timestamppb.New(r.now())
	e := &envelopev1.Envelope{
		Id: id, VerificationId: a.Verification, ClientId: a.Client, CorrelationId: a.Correlation, CausationId: a.Causation,
		InputIds: a.Inputs, OccurredAt: now, EmittedAt: now, Traceparent: a.Traceparent, Grant: a.Grant, Source: a.Source,
		Kind: o.Kind, Check: o.Check, Outcome: o.Outcome, Reason: o.Reason, Medium: o.Medium, Supersedes: o.Supersedes,
		DeadlineAt: stamp(a.DeadlineAt), Groups: o.Groups, MediaAt: stamp(a.MediaAt), Chain: o.Chain,
	}
	if p := o.Opening; p != nil {
		e.Wants, e.DeadlineMs, e.ExpiresAt, e.Catalogue = p.Wants, uint32(p.Deadline.Milliseconds()), stamp(p.ExpiresAt), p.Catalogue
	}
	return e
}

// payload gives the bytes of a payload, sealed where the topic says so.
func (r *Runtime) payload(ctx context.Context, row topic.Topic, e *envelopev1.Envelope, p proto.Message) ([]byte, error) {
	if p == nil {
		return nil, nil
	}
	plain, err := proto.Marshal(p)
	if err != nil || !row.Sealed {
		return plain, err
	}
	key, err := r.keys.Key(ctx, e.ClientId, e.VerificationId)
	if err != nil {
		return nil, err
	}
	return key.Seal(plain, place(row.Name, e))
}

func place(topic string, e *envelopev1.Envelope) seal.Place {
	return seal.Place{Client: e.GetClientId(), Verification: e.GetVerificationId(), Topic: topic, Event: e.GetId()}
}

// pack makes a record that a stock CloudEvents reader understands (Kafka protocol binding, binary mode).
func pack(topic string, e *envelopev1.Envelope) (log.Rec, error) {
	val, err := proto.Marshal(e)
	if err != nil {
		return log.Rec{}, fmt.Errorf("encoding an envelope: %w", err)
	}
	key := e.VerificationId
	if key == "" {
		key = e.Source
	}
	head := func(k, v string) log.Header { return log.Header{Key: k, Val: []byte(v)} }
	return log.Rec{Lane: log.Lane{Topic: topic}, Key: []byte(key), Val: val, Head: []log.Header{
		head("ce_specversion", "1.0"), head("ce_id", e.Id), head("ce_type", "bonafide."+topic+"."+kindName(e.Kind)),
		head("ce_source", "bonafide/"+e.Source), head("ce_time", e.EmittedAt.AsTime().Format(time.RFC3339Nano)),
		head("ce_dataschema", string(e.ProtoReflect().Descriptor().FullName())), head("ce_partitionkey", key),
		head("content-type", "application/protobuf"),
	}}, nil
}
