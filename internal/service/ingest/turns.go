package ingest

import (
	"context"
	"sync"
)

// turns lets one request at a time be about a verification, so that two with the same idempotency key cannot both find that they are the
// first. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	open map[string]*turn
}

type turn struct {
	free    chan struct{} // holds one token while nobody has the turn
	waiting int
}

// take waits for the turn of a name, or until ctx ends; done gives it back.
func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	t.mu.Lock()
	x := t.open[name]
	if x == nil {
		x = &turn{free: make(chan struct{}, 1)}
		x.free <- struct{}{}
		if t.open == nil {
			t.open = map[string]*turn{}
		}
		t.open[name] = x
	}
	x.waiting++
	t.mu.Unlock()
	select {
	case <-x.free:
		return func() { x.free <- struct{}{}; t.leave(name, x) }, nil
	case <-ctx.Done():
		t.leave(name, x)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(name string, x *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x.waiting--; x.waiting == 0 {
		delete(t.open, name)
	}
}
