package ingest

import "sync"

// slots bound the uploads that are in hand at once: of all clients, and of each, so that one client's uploads leave room for those of the others.
type slots struct {
	all, share int

	mu    sync.Mutex
	taken int
	by    map[string]int // client
}

func newSlots(all, share int) slots { return slots{all: all, share: share, by: map[string]int{}} }

// take takes a slot for a client, which free gives back. Where there is none, busy is how many uploads are in hand: of this client, if own, or of all.
func (s *slots) take(client string) (free func(), busy int, own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch mine := s.by[client]; {
	case mine >= s.share:
		return nil, mine, true
	case s.taken >= s.all:
		return nil, s.taken, false
	}
	s.taken++
	s.by[client]++
	return func() { s.give(client) }, 0, false
}

func (s *slots) give(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.by[client]--; s.by[client] == 0 {
		delete(s.by, client)
	}
}
