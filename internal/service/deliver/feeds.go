package deliver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bonafide-id/bonafide/internal/index"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// feeds holds the index of each client's feed, opened on first use.
type feeds struct {
	log   log.Log
	store *index.Store

	mu      sync.Mutex
	byName  map[string]*index.Index
	arrived chan *index.Index // to be run
}

func newFeeds(l log.Log, s *index.Store) feeds {
	return feeds{log: l, store: s, byName: map[string]*index.Index{}, arrived: make(chan *index.Index, 16)}
}

// run keeps all indexes until ctx ends. Those that come while nobody runs them are only slower to read.
func (f *feeds) run(ctx context.Context, clients []string) error {
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error {
		for {
			select {
			case x := <-f.arrived:
				group.Go(func() error { return x.Run(inner) })
			case <-inner.Done():
				return nil
			}
		}
	})
	for _, c := range clients {
		if _, err := f.get(inner, c); err != nil {
			group.Go(func() error { return err })
			break
		}
	}
	return group.Wait()
}

// get gives the index of a client's feed, which it makes, with the feed, where there is none yet.
func (f *feeds) get(ctx context.Context, client string) (*index.Index, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x, ok := f.byName[client]; ok {
		return x, nil
	}
	if err := f.ensure(ctx, topic.Feed(client)); err != nil {
		return nil, err
	}
	x, err := index.Open(ctx, index.Config{Log: f.log, Store: f.store, Topic: topic.Feed(client)})
	if err != nil {
		return nil, err
	}
	select {
	case f.arrived <- x:
		f.byName[client] = x
	default: // too many at once; the next request opens it again
	}
	return x, nil
}

// ensure makes the feed of a client who has none, because nothing was said to it yet.
func (f *feeds) ensure(ctx context.Context, name string) error {
	_, err := f.log.Lanes(ctx, name)
	if !errors.Is(err, log.ErrNoTopic) {
		return err
	}
	row, ok := topic.Of(name)
	if !ok {
		return fmt.Errorf("%w: %s", log.ErrNoTopic, name)
	}
	return f.log.Create(ctx, log.Topic{Name: name, Lanes: row.Lanes, Retention: row.Retention})
}

// bounds gives the extents of all lanes of a client's feed.
func (f *feeds) bounds(ctx context.Context, client string) ([]log.Bound, error) {
	name := topic.Feed(client)
	if err := f.ensure(ctx, name); err != nil {
		return nil, err
	}
	n, err := f.log.Lanes(ctx, name)
	if err != nil {
		return nil, err
	}
	lanes := make([]log.Lane, n)
	for i := range lanes {
		lanes[i] = log.Lane{Topic: name, N: int32(i)}
	}
	return f.log.Bounds(ctx, lanes...)
}
