package app

import (
	"context"
	"errors"
	"iter"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/blob"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// shelf is one part of the key-value store: names under a prefix.
type shelf struct {
	kv     *embedded.KV
	prefix string
}

func (s shelf) key(k []byte) []byte { return append([]byte(s.prefix), k...) }

// Get gives nil where there is nothing.
func (s shelf) Get(k []byte) ([]byte, error) {
	v, ok, err := s.kv.Get(s.key(k))
	if err != nil || !ok {
		return nil, err
	}
	return v, nil
}

// Put is durable when it returns nil.
func (s shelf) Put(k, v []byte) error { return s.kv.Put(s.key(k), v) }

// Delete makes the bytes leave the disk.
func (s shelf) Delete(k []byte) error { return s.kv.Delete(s.key(k)) }

// Iterate yields names, without the shelf's own prefix, and values.
func (s shelf) Iterate(prefix []byte) iter.Seq2[embedded.KVPair, error] {
	return func(yield func(embedded.KVPair, error) bool) {
		for pair, err := range s.kv.Iterate(s.key(prefix)) {
			if err == nil {
				pair.Key = pair.Key[len(s.prefix):]
			}
			if !yield(pair, err) {
				return
			}
		}
	}
}

// claims gives workers the blobs that belong to a message. A blob that is damaged or gone makes the message poison: no retry brings it back.
type claims struct{ *blob.Store }

// Get gives the plain bytes of a blob of the verification of a message.
func (c claims) Get(ctx context.Context, of *envelopev1.Envelope, sha string) ([]byte, error) {
	data, err := c.Store.Get(ctx, of.GetClientId(), of.GetVerificationId(), sha)
	return data, final(err)
}

// Picture gives the decoded pixels of a blob; they are shared.
func (c claims) Picture(ctx context.Context, of *envelopev1.Envelope, sha string) (*pix.RGB, error) {
	m, err := c.Store.Pixels(ctx, of.GetClientId(), of.GetVerificationId(), sha, func(data []byte) (*pix.RGB, error) {
		p, err := picture.Decode(data, picture.Options{Limits: picture.Limits{MinSide: smallestPicture}})
		if err != nil {
			return nil, stream.Poison("picture_unreadable", err)
		}
		return p.RGB, nil
	})
	return m, final(err)
}

// smallestPicture is the shortest side of a picture that a service makes, in pixels: a portrait may be small.
const smallestPicture = 8

// Keep keeps a picture that can be made again, without waiting for the disk, and its pixels for those who ask soon.
func (c claims) Keep(ctx context.Context, of *envelopev1.Envelope, data []byte, pixels *pix.RGB) (string, error) {
	sha, err := c.Store.Put(ctx, of.GetClientId(), of.GetVerificationId(), data, false)
	if err == nil {
		c.Store.KeepPixels(of.GetClientId(), of.GetVerificationId(), sha, pixels)
	}
	return sha, err
}

func final(err error) error {
	switch {
	case errors.Is(err, blob.ErrDamaged):
		return stream.Poison("damaged_blob", err)
	case errors.Is(err, blob.ErrNotFound):
		return stream.Poison("missing_blob", err)
	case errors.Is(err, seal.ErrErased):
		return err
	}
	return err
}
