package blob

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// name of a blob, or of its pixels.
type name struct{ client, verification, sha string }

// pixels holds decoded pictures, the last used up to a number of bytes. A decoded picture of 12 megapixels is 200 ms of work and 36 MB.
type pixels struct {
	limit   int64
	flights singleflight.Group

	mu    sync.Mutex
	bytes int64
	order list.List // of picture, the last used in front
	at    map[name]*list.Element
}

type picture struct {
	name name
	rgb  *pix.RGB
}

func newPixels(limit int64) *pixels {
	return &pixels{limit: limit, at: make(map[name]*list.Element)}
}

// Pixels gives the decoded pixels of a blob, which several services ask for; they are shared and must not be written to. It calls
// decode with the blob's bytes if they are not at hand, once for all who ask at the same time.
func (s *Store) Pixels(ctx context.Context, client, verification, sha string, decode func([]byte) (*pix.RGB, error)) (*pix.RGB, error) {
	n := name{client, verification, sha}
	for {
		if m := s.pixels.get(n); m != nil {
			return m, nil
		}
		m, err, shared := s.pixels.flights.Do(client+"/"+verification+"/"+sha, func() (any, error) {
			data, err := s.Get(ctx, client, verification, sha)
			if err != nil {
				return nil, err
			}
			m, err := decode(data)
			if err == nil {
				s.pixels.put(n, m)
			}
			return m, err
		})
		if shared && ctx.Err() == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
			continue // it was another's patience that ended
		}
		if err != nil {
			return nil, err
		}
		return m.(*pix.RGB), nil
	}
}

// KeepPixels hands over pixels that were decoded or made anyway; they must not be written to from now on.
func (s *Store) KeepPixels(client, verification, sha string, m *pix.RGB) {
	s.pixels.put(name{client, verification, sha}, m)
}

func (p *pixels) get(n name) *pix.RGB {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.at[n]
	if !ok {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(picture).rgb
}

func (p *pixels) put(n name, m *pix.RGB) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.at[n]; ok {
		p.remove(e)
	}
	p.at[n] = p.order.PushFront(picture{n, m})
	p.bytes += int64(len(m.Pix))
	for p.bytes > p.limit {
		p.remove(p.order.Back())
	}
}

func (p *pixels) drop(client, verification string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, e := range p.at {
		if n.client == client && n.verification == verification {
			p.remove(e)
		}
	}
}

func (p *pixels) remove(e *list.Element) {
	one := p.order.Remove(e).(picture)
	p.bytes -= int64(len(one.rgb.Pix))
	delete(p.at, one.name)
}
