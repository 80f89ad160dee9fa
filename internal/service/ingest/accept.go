package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// publishing is how long the durable end of an upload may take once its body is here; the client may have gone by then.
const publishing = time.Minute

// upload is one request on its way.
type upload struct {
	*Service
	client, verification string
	trace                trace
	keyed                bool // the verification has a data key
	created              bool // by this upload, and no other
}

var idLetters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// begin names the verification: by client and idempotency key where there is one, by chance otherwise. Neither carries any meaning.
func (s *Service) begin(p access.Principal, key string, t trace) (*upload, error) {
	id := make([]byte, 20)
	if key != "" {
		copy(id, s.Keys.MAC("verification", []byte(p.Client), []byte(key)))
	} else if _, err := io.ReadFull(s.Rand, id); err != nil {
		return nil, fmt.Errorf("drawing an id: %w", err)
	}
	return &upload{Service: s, client: p.Client, verification: "v_" + idLetters.EncodeToString(id), trace: t}, nil
}

// acceptance is what became of an upload.
type acceptance struct {
	envelope *envelopev1.Envelope
	repeated bool
}

// accept reads a body and makes it durable, or finds that it has been before.
func (u *upload) accept(ctx context.Context, b body) (acceptance, error) {
	// Not about the verification: the fact of an incident would be sealed with a key that a refusal destroys, before there is anything to be told about.
	ctx = resilience.About(ctx, u.client, "")
	done, err := u.turns.take(ctx, u.verification)
	if err != nil {
		return acceptance{}, err
	}
	defer done()
	before, err := u.Opened.Find(ctx, u.client, u.verification)
	if err == nil {
		return u.repeat(ctx, b, before)
	}
	if !errors.Is(err, opened.ErrNotFound) {
		return acceptance{}, err
	}
	f, err := readForm(b, func() (sink, error) { return u.blob(ctx) })
	if err != nil {
		u.discard(ctx)
		return acceptance{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishing)
	defer cancel()
	return u.keep(ctx, f)
}

// repeat reads a body that came before under the same idempotency key, and tells a repetition from a conflict.
func (u *upload) repeat(ctx context.Context, b body, before opened.Opened) (acceptance, error) {
	f, err := readForm(b, func() (sink, error) { return &digest{Hash: sha256.New()}, nil })
	if err != nil {
		return acceptance{}, err
	}
	for _, m := range f.media {
		if err := m.commit(); err != nil {
			return acceptance{}, err
		}
	}
	if before.Fact == nil || string(before.Fact.GetRequestMac()) != string(u.mac(f)) {
		return acceptance{}, problem.New(problem.Conflict, "the idempotency key was used before with another body")
	}
	return acceptance{before.Envelope, true}, nil
}

// keep makes media and events durable, in this order.
func (u *upload) keep(ctx context.Context, f *form) (acceptance, error) {
	var size int64
	for _, m := range f.media {
		if err := m.commit(); err != nil {
			u.discard(ctx)
			return acceptance{}, errors.Join(err, f.abort())
		}
		size += m.size
	}
	e, err := u.publish(ctx, f)
	if neverWritten(err) {
		u.discard(ctx)
		return acceptance{}, err
	}
	if err != nil {
		return acceptance{}, fmt.Errorf("%w: %w", errUnknown, err) // what it names must stay
	}
	u.bytes.Add(float64(size))
	return acceptance{envelope: e}, nil
}

// errUnknown says that a verification may have been accepted, or not.
var errUnknown = errors.New("may have been accepted")

// neverWritten says that a publication certainly did not happen.
func neverWritten(err error) bool {
	return errors.Is(err, log.ErrFull) || errors.Is(err, log.ErrNoTopic) || errors.Is(err, log.ErrTooLarge) || errors.Is(err, resilience.ErrOpen)
}

// blob opens a sealed blob; the first one makes the verification's data key.
func (u *upload) blob(ctx context.Context) (sink, error) {
	if !u.keyed {
		if err := u.makeKey(ctx); err != nil {
			return nil, err
		}
		u.keyed = true
	}
	w, err := u.Blobs.Writer(ctx, u.client, u.verification)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// makeKey makes the data key, unless an earlier upload under the same idempotency key left one. First of all it makes the place where a sweep looks
// for what is left of an upload that was killed.
func (u *upload) makeKey(ctx context.Context) error {
	if err := u.Blobs.Prepare(ctx, u.client, u.verification); err != nil {
		return err
	}
	_, err := u.Keys.Key(ctx, u.client, u.verification)
	if !errors.Is(err, seal.ErrNoKey) {
		return err
	}
	_, err = u.Keys.Create(ctx, u.client, u.verification)
	u.created = err == nil
	return err
}

// discard leaves nothing of a refused upload: neither blobs nor a key. Where the key was there before, an earlier upload, whose outcome nobody
// knows, may yet turn out to have been accepted: then all is left to the sweep.
func (u *upload) discard(ctx context.Context) {
	if !u.created {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishing)
	defer cancel()
	if err := u.remove(ctx, u.client, u.verification); err != nil {
		u.Log.Warn("what is left of a refused upload stays until it is swept", "verification", u.verification, "err", err)
	}
}

// mac is the keyed digest of the sorted parts and the canonical request.
func (u *upload) mac(f *form) []byte {
	parts := [][]byte{f.canonical}
	for _, m := range f.media {
		parts = append(parts, []byte(check.Name(m.kind)), []byte(m.sha))
	}
	return u.Keys.MAC("request", parts...)
}

func (u *upload) ancestry(f *form, now time.Time) stream.Ancestry {
	return stream.Ancestry{Source: Name, Version: Version, Client: u.client, Verification: u.verification, Correlation: u.trace.request,
		Traceparent: u.trace.parent, DeadlineAt: now.Add(f.request.deadline())}
}

// digest is the sink of a body that is not kept.
type digest struct {
	hash.Hash
	n int64
}

func (d *digest) Write(b []byte) (int, error) {
	d.n += int64(len(b))
	return d.Hash.Write(b)
}

// Commit gives digest and size.
func (d *digest) Commit(bool) (string, int64, error) {
	return hex.EncodeToString(d.Sum(nil)), d.n, nil
}

// Abort has nothing to throw away.
func (d *digest) Abort() error { return nil }
