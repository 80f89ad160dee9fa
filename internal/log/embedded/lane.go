package embedded

import (
	"sort"
	"sync"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// lane is one lane in memory.
type lane struct {
	topic *topic
	n     int32

	// The writer's; nobody else looks at them.
	next   int64 // offset of the next record
	lastAt time.Time
	bytes  int64 // payload ever appended, up to next

	mu     sync.Mutex
	first  int64 // first offset that is kept
	end    int64 // stable end: everything before it is durable
	trim   int64 // payload ever appended, up to first
	total  int64 // payload ever appended, up to end
	segs   []start
	ring   ring
	subs   map[chan struct{}]struct{}
	latest time.Time // append time of the last stable record
}

// start is where a lane begins within a segment.
type start struct {
	seg uint64
	off int64
	at  time.Time
	cum int64 // payload before off
}

func (l *lane) name() log.Lane { return log.Lane{Topic: l.topic.name, N: l.n} }

// bound is the extent of the lane at this moment.
func (l *lane) bound(epoch uint64) log.Bound {
	l.mu.Lock()
	defer l.mu.Unlock()
	return log.Bound{Lane: l.name(), First: log.Pos{Epoch: epoch, Off: l.first},
		End: log.Pos{Epoch: epoch, Off: l.end}, Bytes: l.total - l.trim}
}

// expose makes durable records visible and wakes whoever waits for them.
func (l *lane) expose(recs []log.Rec, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range recs {
		l.ring.push(r)
	}
	last := recs[len(recs)-1]
	l.end, l.latest, l.total = last.Pos.Off+1, last.At, total
	l.wake()
}

// wake tells all waiters; the caller holds mu.
func (l *lane) wake() {
	for c := range l.subs {
		signal(c)
	}
}

// signal leaves a token in a channel of one; a token that is there already says the same.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (l *lane) subscribe(c chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs[c] = struct{}{}
}

func (l *lane) unsubscribe(c chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.subs, c)
}

// segments gives those that hold offsets of [from, to), oldest first.
func (l *lane) segments(from, to int64) []start {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := sort.Search(len(l.segs), func(i int) bool { return l.segs[i].off > from }) - 1
	j := sort.Search(len(l.segs), func(j int) bool { return l.segs[j].off >= to })
	return append([]start(nil), l.segs[max(i, 0):max(j, 0)]...)
}
