package embedded

import (
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/bonafide-id/bonafide/internal/log"
)

// state is the state of one lane, in memory as long as a member holds the lane.
type state struct {
	mu sync.RWMutex
	m  map[string][]byte
}

// restore reads the state of a lane from disk.
func (l *Log) restore(name string, ln *lane) (*state, error) {
	s := &state{m: map[string][]byte{}}
	if name == "" {
		return s, nil
	}
	l.life.RLock()
	defer l.life.RUnlock()
	if err := l.alive(); err != nil {
		return nil, err
	}
	prefix := stateKey(name, ln.n, nil)
	err := l.scanKeys(prefix, func(k, v []byte) error {
		s.m[string(k[len(prefix):])] = append([]byte{}, v...)
		return nil
	})
	return s, err
}

func (s *state) put(kvs []log.KV) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kv := range kvs {
		if kv.Val == nil {
			delete(s.m, string(kv.Key))
		} else {
			s.m[string(kv.Key)] = kv.Val
		}
	}
}

// Get implements log.View.
func (s *state) Get(key []byte) ([]byte, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.m[string(key)]
	return v, ok
}

// All implements log.View.
func (s *state) All() iter.Seq2[[]byte, []byte] {
	s.mu.RLock()
	now := maps.Clone(s.m)
	s.mu.RUnlock()
	return func(yield func(k, v []byte) bool) {
		for _, k := range slices.Sorted(maps.Keys(now)) {
			if !yield([]byte(k), now[k]) {
				return
			}
		}
	}
}

// State implements log.Member.
func (m *member) State(lane int32) log.View {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h := m.held[lane]; h != nil {
		return h.state
	}
	return &state{}
}
