package embedded

import "github.com/bonafide-id/bonafide/internal/log"

// ringBytes is what the tails of all lanes may hold together.
const ringBytes = 16 << 20

// ring is the tail of one lane in memory, dense, the newest last. All followers read the same records.
type ring struct {
	recs  []log.Rec
	front int64 // offset of recs[0]
	dead  int   // records before recs[0] that the array still holds
}

func (r *ring) push(rec log.Rec) {
	if len(r.recs) == 0 || rec.Pos.Off != r.front+int64(len(r.recs)) {
		*r = ring{front: rec.Pos.Off}
	}
	r.recs = append(r.recs, rec)
}

// pop drops the oldest record. The array may be in a reader's hands, so it is left alone, and given up
// when more of it is dead than alive.
func (r *ring) pop() {
	if len(r.recs) == 0 {
		return
	}
	r.recs = r.recs[1:]
	r.front++
	if r.dead++; r.dead > len(r.recs) {
		r.recs, r.dead = append([]log.Rec(nil), r.recs...), 0
	}
}

// from gives up to limit records from an offset on; ok is false where the ring does not reach back so far.
func (r *ring) from(off int64, limit int) (recs []log.Rec, ok bool) {
	i := off - r.front
	if i < 0 || i >= int64(len(r.recs)) {
		return nil, false
	}
	n := min(int64(limit), int64(len(r.recs))-i)
	return r.recs[i : i+n : i+n], true
}

// tail bounds all rings together: the record that came first leaves first. One goroutine uses it.
type tail struct {
	queue []tailed
	bytes int
	limit int
}

type tailed struct {
	lane *lane
	size int
}

func (t *tail) add(l *lane, size int) {
	t.queue = append(t.queue, tailed{l, size})
	t.bytes += size
	for t.bytes > t.limit && len(t.queue) > 1 {
		old := t.queue[0]
		t.queue = t.queue[1:]
		t.bytes -= old.size
		old.lane.mu.Lock()
		old.lane.ring.pop()
		old.lane.mu.Unlock()
	}
}
