package embedded

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/bonafide-id/bonafide/internal/log"
)

// topic is one topic in memory. Its description may change, its name and lanes do not.
type topic struct {
	name   string
	id     uint32
	lanes  []*lane
	desc   atomic.Pointer[log.Topic]
	damage atomic.Pointer[error] // set once: the topic has stopped
}

// storedTopic is how a topic stands on disk.
type storedTopic struct {
	log.Topic
	ID uint32
}

func newTopic(s storedTopic) *topic {
	t := &topic{name: s.Name, id: s.ID}
	t.desc.Store(&s.Topic)
	for n := range s.Lanes {
		t.lanes = append(t.lanes, &lane{topic: t, n: n, subs: map[chan struct{}]struct{}{}})
	}
	return t
}

// stop marks the topic as damaged: nothing of it is served any more.
func (t *topic) stop(err error) error {
	t.damage.CompareAndSwap(nil, &err)
	return *t.damage.Load()
}

func (t *topic) err() error {
	if p := t.damage.Load(); p != nil {
		return *p
	}
	return nil
}

// table is the set of topics by name; it is replaced as a whole when one is added.
type table map[string]*topic

func (t table) topic(name string) (*topic, error) {
	if x := t[name]; x != nil {
		return x, x.err()
	}
	return nil, fmt.Errorf("%w: %.200q", log.ErrNoTopic, name)
}

func (t table) lane(l log.Lane) (*lane, error) {
	x, err := t.topic(l.Topic)
	if err != nil {
		return nil, err
	}
	if l.N < 0 || int(l.N) >= len(x.lanes) {
		return nil, fmt.Errorf("%w: %s has no lane %d", log.ErrNoTopic, l.Topic, l.N)
	}
	return x.lanes[l.N], nil
}

func (t table) nextID() uint32 {
	var id uint32
	for _, x := range t {
		id = max(id, x.id)
	}
	return id + 1
}

func (t table) with(x *topic) table {
	n := maps.Clone(t)
	n[x.name] = x
	return n
}

func (t table) sorted() []*topic {
	var all []*topic
	for _, name := range slices.Sorted(maps.Keys(t)) {
		all = append(all, t[name])
	}
	return all
}
