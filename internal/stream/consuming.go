package stream

import "sync"

// roster knows which services have joined their groups. The zero value is ready.
type roster struct {
	mu     sync.Mutex
	joined map[string]int // members in this process
}

func (r *roster) add(service string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.joined == nil {
		r.joined = map[string]int{}
	}
	r.joined[service] += n
}

// Consuming says whether a service runs here and has joined its group, so that it takes what comes to its lanes.
func (r *Runtime) Consuming(service string) bool {
	r.roster.mu.Lock()
	defer r.roster.mu.Unlock()
	return r.roster.joined[service] > 0
}
