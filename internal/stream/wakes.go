package stream

import (
	"container/heap"
	"time"
)

// wakes are the moments at which verifications of a lane want attention, the soonest first; equal moments in the order of the names, so that
// a replay goes the same way.
type wakes struct {
	queue wakeQueue
	at    map[string]*wake
}

type wake struct {
	verification string
	when         time.Time
	index        int
}

// set says when a verification wants attention; zero: not at all.
func (w *wakes) set(verification string, when time.Time) {
	if w.at == nil {
		w.at = make(map[string]*wake)
	}
	x, ok := w.at[verification]
	switch {
	case when.IsZero() && ok:
		heap.Remove(&w.queue, x.index)
		delete(w.at, verification)
	case when.IsZero():
	case ok:
		x.when = when
		heap.Fix(&w.queue, x.index)
	default:
		x = &wake{verification: verification, when: when}
		w.at[verification] = x
		heap.Push(&w.queue, x)
	}
}

// when is what was set last for a verification; zero: nothing.
func (w *wakes) when(verification string) time.Time {
	if x := w.at[verification]; x != nil {
		return x.when
	}
	return time.Time{}
}

// first is the soonest; ok is false where there is none.
func (w *wakes) first() (verification string, when time.Time, ok bool) {
	if len(w.queue) == 0 {
		return "", time.Time{}, false
	}
	return w.queue[0].verification, w.queue[0].when, true
}

type wakeQueue []*wake

func (q wakeQueue) Len() int { return len(q) }
func (q wakeQueue) Less(i, j int) bool {
	if !q[i].when.Equal(q[j].when) {
		return q[i].when.Before(q[j].when)
	}
	return q[i].verification < q[j].verification
}
func (q wakeQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *wakeQueue) Push(x any) {
	w := x.(*wake)
	w.index = len(*q)
	*q = append(*q, w)
}
func (q *wakeQueue) Pop() any {
	old := *q
	w := old[len(old)-1]
	*q = old[:len(old)-1]
	return w
}
