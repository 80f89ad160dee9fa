package embedded

import (
	"context"
	"fmt"
	"sync"

	"github.com/bonafide-id/bonafide/internal/log"
)

// request is one call that changes something. build runs on the writer's goroutine: it checks first and
// writes then, so that one that returns an error has left nothing in the batch.
type request struct {
	build func(*txn) error
	done  chan error // holds one

	mu   sync.Mutex // held while build runs
	gone bool       // the caller has given up: do not build
}

// run builds, unless the caller has given up.
func (r *request) run(t *txn) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return log.ErrUnknown
	}
	return r.build(t)
}

// leave makes sure that build does not run from now on: what it reads is the caller's again.
func (r *request) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
}

// queue holds the calls that wait for the writer.
type queue struct {
	mu     sync.Mutex
	reqs   []*request
	closed bool
	ready  chan struct{}
}

const (
	maxBatch  = 256  // requests taken into one batch
	maxUnsent = 4096 // requests waiting, above which Send drops
)

func (q *queue) add(r *request, limit int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return log.ErrClosed
	}
	if limit > 0 && len(q.reqs) >= limit {
		return log.ErrFull
	}
	q.reqs = append(q.reqs, r)
	signal(q.ready)
	return nil
}

// take gives the next requests in order; more says that the queue was closed and is empty.
func (q *queue) take() (reqs []*request, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.reqs), maxBatch)
	reqs, q.reqs = q.reqs[:n:n], q.reqs[n:]
	if len(q.reqs) > 0 {
		signal(q.ready)
	}
	return reqs, q.closed && n == 0
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.ready)
}

// do runs build on the writer and returns when what it wrote is durable.
func (l *Log) do(ctx context.Context, build func(*txn) error) error {
	if err := l.alive(); err != nil {
		return err
	}
	r := &request{build: build, done: make(chan error, 1)}
	if err := l.queue.add(r, 0); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		r.leave()
		return fmt.Errorf("%w: %w", log.ErrUnknown, ctx.Err())
	case <-l.store.failed:
		return fmt.Errorf("%w: %w", log.ErrUnknown, l.store.err())
	}
}

// write is the writer.
func (l *Log) write() {
	defer close(l.syncs)
	for {
		select {
		case <-l.queue.ready:
		case <-l.store.failed:
			return
		}
		reqs, closed := l.queue.take()
		if closed {
			return
		}
		if len(reqs) == 0 {
			continue
		}
		if !l.batch(reqs) {
			return
		}
	}
}

// batch builds one batch of the requests and hands it over; false when the store has failed.
func (l *Log) batch(reqs []*request) bool {
	t := l.begin()
	for _, r := range reqs {
		if err := r.run(t); err != nil {
			r.done <- err
			continue
		}
		t.reqs = append(t.reqs, r)
	}
	if err := t.hand(); err != nil {
		l.store.fail(err)
		return false
	}
	select {
	case l.syncs <- t:
		return true
	case <-l.store.failed:
		return false
	}
}

// settle waits for batches to be durable, shows what is in them, and answers.
func (l *Log) settle() {
	tail := tail{limit: l.ring}
	for t := range l.syncs {
		if t.wait != nil {
			if err := t.wait(); err != nil {
				l.store.fail(err)
				return
			}
		}
		if l.store.err() != nil {
			return
		}
		t.expose(&tail)
		for _, r := range t.reqs {
			r.done <- nil
		}
	}
}
