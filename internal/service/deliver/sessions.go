package deliver

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// sessions are the streams that are open.
type sessions struct {
	limit int // a client

	mu       sync.Mutex
	byClient map[string]map[string]bool
	spread   time.Duration
	draining chan struct{} // closed by drain
	changed  chan struct{} // a place for the news that one has gone
}

func newSessions(limit int) sessions {
	return sessions{limit: limit, byClient: map[string]map[string]bool{}, draining: make(chan struct{}), changed: make(chan struct{}, 1)}
}

// enter notes a stream. It refuses with the ids of those that are open where they are too many.
func (s *sessions) enter(client, id string) (open []string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.byClient[client]
	if len(mine) >= s.limit {
		return slices.Sorted(maps.Keys(mine)), false
	}
	if mine == nil {
		mine = map[string]bool{}
		s.byClient[client] = mine
	}
	mine[id] = true
	return nil, true
}

func (s *sessions) leave(client, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byClient[client], id)
	if len(s.byClient[client]) == 0 {
		delete(s.byClient, client)
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *sessions) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}

func (s *sessions) drain(ctx context.Context, spread time.Duration) error {
	s.mu.Lock()
	if !s.isDraining() {
		s.spread = spread
		close(s.draining)
	}
	s.mu.Unlock()
	for {
		s.mu.Lock()
		n := len(s.byClient)
		s.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
