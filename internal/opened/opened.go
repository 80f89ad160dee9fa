// Package opened finds what was accepted: the opened fact of a verification.
//
// Ingest asks it whether an idempotency key was used before, deliver asks it whose a verification is and which media it has. The first opened fact
// of a verification counts; a repetition after an outcome that nobody knew says the same under the same id.
package opened

import (
	"context"
	"errors"
	"fmt"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/index"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// ErrNotFound says that this client has no such verification, whoever else may have.
var ErrNotFound = errors.New("no such verification")

// Decoder reads records; *stream.Runtime is one.
type Decoder interface {
	Decode(log.Rec) (*stream.Message, error)
}

// Config of the finder. All fields are required.
type Config struct {
	Log     log.Log
	Store   *index.Store
	Decoder Decoder
}

// Finder finds opened facts. Safe for concurrent use.
type Finder struct {
	index  *index.Index
	decode Decoder
}

// New makes a finder; fact.v1 exists.
func New(ctx context.Context, c Config) (*Finder, error) {
	if c.Decoder == nil {
		return nil, errors.New("opened: a decoder is needed")
	}
	x, err := index.Open(ctx, index.Config{Log: c.Log, Store: c.Store, Topic: topic.Fact, Keep: isOpened, First: true})
	if err != nil {
		return nil, err
	}
	return &Finder{x, c.Decoder}, nil
}

// Run keeps the index until ctx ends.
func (f *Finder) Run(ctx context.Context) error { return f.index.Run(ctx) }

// ceType of opened facts, as the runtime writes it beside each record: most facts need not be decoded to be passed over.
const ceType = "bonafide." + topic.Fact + ".opened"

func isOpened(r log.Rec) bool {
	for _, h := range r.Head {
		if h.Key == "ce_type" {
			return string(h.Val) == ceType
		}
	}
	return false
}

// Opened is what was accepted. Fact is nil where the verification's key is no more.
type Opened struct {
	*envelopev1.Envelope
	Fact *factv1.Opened
}

// Find gives the opened fact of a client's verification, or ErrNotFound. It sees everything that was durable when it was called.
func (f *Finder) Find(ctx context.Context, client, verification string) (Opened, error) {
	m, err := f.message(ctx, client, verification)
	if err != nil {
		return Opened{}, err
	}
	return open(ctx, m)
}

// Has says whether a client's verification was opened, as Find sees it; no key is asked for.
func (f *Finder) Has(ctx context.Context, client, verification string) (bool, error) {
	_, err := f.message(ctx, client, verification)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// message gives the first opened fact of a verification, sealed.
func (f *Finder) message(ctx context.Context, client, verification string) (*stream.Message, error) {
	for r, err := range f.index.Records(ctx, verification, false) {
		if err != nil {
			return nil, fmt.Errorf("looking for a verification: %w", err)
		}
		m, err := f.decode.Decode(r)
		if err != nil {
			return nil, fmt.Errorf("reading an opened fact: %w", err)
		}
		if m.GetClientId() == client && m.GetKind() == envelopev1.Kind_KIND_OPENED {
			return m, nil
		}
		break
	}
	return nil, ErrNotFound
}

func open(ctx context.Context, m *stream.Message) (Opened, error) {
	p, err := m.Open(ctx)
	if errors.Is(err, seal.ErrErased) {
		return Opened{Envelope: m.Envelope}, nil
	}
	if err != nil {
		return Opened{}, fmt.Errorf("reading an opened fact: %w", err)
	}
	fact, ok := p.(*factv1.Fact)
	if !ok {
		return Opened{}, fmt.Errorf("reading an opened fact: its payload is a %T", p)
	}
	return Opened{m.Envelope, fact.GetOpened()}, nil
}
