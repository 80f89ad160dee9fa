package stream

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// Decode reads the envelope of a record; its payload is opened with Message.Open. What cannot be read is a PoisonError.
func (r *Runtime) Decode(rec log.Rec) (*Message, error) {
	e := new(envelopev1.Envelope)
	if err := proto.Unmarshal(rec.Val, e); err != nil {
		return nil, Poison("undecodable", err)
	}
	if e.Id == "" {
		return nil, Poison("undecodable", errors.New("the envelope has no id"))
	}
	m := &Message{Envelope: e, Lane: rec.Lane, Pos: rec.Pos, At: rec.At}
	m.open = func(ctx context.Context) (proto.Message, error) { return r.open(ctx, m) }
	return m, nil
}

func (r *Runtime) open(ctx context.Context, m *Message) (proto.Message, error) {
	row, ok := topic.Of(m.Lane.Topic)
	if !ok {
		return nil, Poison("undecodable", fmt.Errorf("%s is not in the table of topics", m.Lane.Topic))
	}
	plain := m.Sealed
	if row.Sealed {
		key, err := r.keys.Key(ctx, m.ClientId, m.VerificationId)
		if gone(err) {
			return nil, fmt.Errorf("opening %s: %w", m.Id, errors.Join(seal.ErrErased, err))
		}
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", m.Id, err)
		}
		if len(m.Sealed) == 0 {
			return row.Message(), nil // nothing was said beside the envelope
		}
		if plain, err = key.Open(m.Sealed, place(row.Name, m.Envelope)); errors.Is(err, seal.ErrTampered) {
			return nil, Poison("tampered", err)
		}
	}
	p := row.Message()
	if err := proto.Unmarshal(plain, p); err != nil {
		return nil, Poison("undecodable", err)
	}
	return p, nil
}
