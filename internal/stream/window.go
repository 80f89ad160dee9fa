package stream

import "time"

// The window of seen ids. Redelivery means that somebody worked on something twice: a producer that was killed between saying something and
// committing, which is made good within minutes by the log's clock unless everything stood still, and then nothing else came either. So an
// id stays for windowTime, or as long as it is among the last leastIDs; memory is bounded by the measured rate, and by mostIDs.
const (
	windowTime = 10 * time.Minute
	leastIDs   = 1024
	mostIDs    = 1 << 16
)

// window remembers the ids of messages that are done, exactly.
type window struct {
	order []seenID // the oldest first
	count map[id16]int
}

type seenID struct {
	id id16
	at time.Time
}

func (w *window) has(id string) bool { return w.count[shorten(id)] > 0 }

// add remembers an id and gives how many had to go before their time.
func (w *window) add(id string, at time.Time, perSecond float64) (evictedYoung int) {
	if w.count == nil {
		w.count = make(map[id16]int)
	}
	short := shorten(id)
	w.order = append(w.order, seenID{short, at})
	w.count[short]++
	limit := min(max(int(2*perSecond*windowTime.Seconds()), leastIDs), mostIDs)
	for len(w.order) > leastIDs {
		old := at.Sub(w.order[0].at) > windowTime
		if !old && len(w.order) <= limit {
			break
		}
		if !old {
			evictedYoung++
		}
		w.dropFirst()
	}
	return evictedYoung
}

// reach is how long before the last id the first one is that is still remembered.
func (w *window) reach() time.Duration {
	if len(w.order) == 0 {
		return 0
	}
	return w.order[len(w.order)-1].at.Sub(w.order[0].at)
}

func (w *window) dropFirst() {
	first := w.order[0].id
	w.order = w.order[1:]
	if w.count[first]--; w.count[first] == 0 {
		delete(w.count, first)
	}
}
