package ingest

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// publish says that a verification was opened, that its media are durable, and that it is complete; all of it together.
func (u *upload) publish(ctx context.Context, f *form) (*envelopev1.Envelope, error) {
	now := u.Clock()
	expires := now.Add(u.Expiry).UTC().Truncate(time.Millisecond)
	outs := []stream.Output{u.opening(f, expires)}
	for _, m := range f.media {
		outs = append(outs, stream.Output{Topic: topic.Media, Kind: envelopev1.Kind_KIND_MEDIUM, Medium: m.kind, Payload: m.payload()})
	}
	outs = append(outs, stream.Output{Kind: envelopev1.Kind_KIND_COMPLETE, Payload: &factv1.Fact{What: &factv1.Fact_Complete{Complete: &factv1.Complete{}}}})
	if err := u.Events.Publish(ctx, u.ancestry(f, now), outs...); err != nil {
		return nil, err
	}
	return &envelopev1.Envelope{VerificationId: u.verification, ExpiresAt: timestamppb.New(expires)}, nil
}

// opening is the opened fact. What was sent is what is wanted: each medium that came has its checks answered, announced or not.
func (u *upload) opening(f *form, expires time.Time) stream.Output {
	q := f.request
	fact := &factv1.Opened{Reference: q.Reference, RequestMac: u.mac(f), Declared: &factv1.Declared{
		Surname: q.Declared.Surname, GivenNames: q.Declared.GivenNames, BirthDate: q.Declared.BirthDate, DocumentNumber: q.Declared.DocumentNumber}}
	if q.MinimumAge != nil {
		fact.MinimumAge = uint32(*q.MinimumAge)
	}
	if q.Consent != nil {
		fact.Consent = &factv1.Consent{Text: q.Consent.Text, At: q.Consent.At}
	}
	for _, m := range f.media {
		fact.Media = append(fact.Media, &factv1.MediaNote{Medium: m.kind, Sha256: m.sha, Bytes: uint64(m.size)})
	}
	return stream.Output{Kind: envelopev1.Kind_KIND_OPENED, Payload: &factv1.Fact{What: &factv1.Fact_Opened{Opened: fact}},
		Opening: &stream.Opening{Wants: f.kinds(), Deadline: q.deadline(), ExpiresAt: expires, Catalogue: check.Version}}
}
