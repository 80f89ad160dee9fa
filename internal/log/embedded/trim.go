package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Trim implements log.Log. Records disappear at once; the disk gets back whole segments only.
func (l *Log) Trim(ctx context.Context, at log.Lane, p log.Pos) error {
	if err := l.inEpoch(p); err != nil {
		return err
	}
	return l.do(ctx, func(t *txn) error {
		ln, err := l.table().lane(at)
		if err != nil {
			return err
		}
		ln.mu.Lock()
		first, end := ln.first, ln.end
		ln.mu.Unlock()
		switch {
		case p.Off > end:
			return fmt.Errorf("trimming %s/%d to %d: its end is %d", at.Topic, at.N, p.Off, end)
		case p.Off <= first:
			return nil
		}
		cum, when, err := l.before(ln, p.Off)
		if err != nil {
			return err
		}
		t.trim(ln, start{off: p.Off, cum: cum, at: when})
		return nil
	})
}

// before gives the payload of a lane up to an offset, and when the record before it was appended.
func (l *Log) before(ln *lane, off int64) (cum int64, at time.Time, err error) {
	segs := ln.segments(off-1, off)
	if len(segs) == 0 {
		return 0, at, ln.damaged(errMissing)
	}
	k := recordKey(segs[0].seg, ln.topic.id, ln.n, off-1)
	v, closer, err := l.store.db.Get(k)
	if err != nil {
		return 0, at, ln.damaged(fmt.Errorf("offset %d: %w", off-1, err))
	}
	defer closer.Close()
	r, cum, err := decode(k, v)
	if err != nil {
		return 0, at, ln.damaged(fmt.Errorf("offset %d: %w", off-1, err))
	}
	return cum, r.At, nil
}

// trim puts the new beginning of a lane into the batch, and the removal of the segments that lie wholly
// before it. Of a lane that is trimmed to its end nothing stays: the new beginning says where it goes on.
func (t *txn) trim(ln *lane, s start) {
	t.set(firstKey(ln.topic.id, ln.n), s.encode())
	ln.mu.Lock()
	defer ln.mu.Unlock()
	drop := 0
	for drop < len(ln.segs) && (drop+1 < len(ln.segs) && ln.segs[drop+1].off <= s.off || ln.next <= s.off) {
		k := laneKey(ln.segs[drop].seg, ln.topic.id, ln.n)
		t.deleteRange(k, after(k))
		t.delete(indexKey(ln.topic.id, ln.n, ln.segs[drop].seg))
		drop++
	}
	ln.segs = append([]start(nil), ln.segs[drop:]...)
	ln.first, ln.trim = s.off, s.cum
	for ln.ring.front < s.off && len(ln.ring.recs) > 0 {
		ln.ring.pop()
	}
	ln.wake()
}

// retain trims by age, in the background.
func (l *Log) retain() {
	tick := time.NewTicker(l.retainEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-l.store.failed:
			return
		case <-tick.C:
		}
		if err := l.do(context.Background(), l.expire); err != nil && l.alive() == nil {
			l.Log.Warn("trimming by age", "err", plain(err))
		}
	}
}

// expire trims, in all topics with a retention, the segments of which every record is too old.
func (l *Log) expire(t *txn) error {
	for _, x := range l.table() {
		keep := x.desc.Load().Retention
		if keep == 0 || x.err() != nil {
			continue
		}
		for _, ln := range x.lanes {
			if s, ok := ln.expired(t.now.Add(-keep)); ok {
				t.trim(ln, s)
			}
		}
	}
	return nil
}

// expired is the beginning that a lane has without the segments that ended before a time.
func (ln *lane) expired(before time.Time) (s start, ok bool) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.end == ln.next && ln.next > ln.first && ln.latest.Before(before) {
		return start{off: ln.next, cum: ln.bytes, at: ln.lastAt}, true
	}
	for i := 1; i < len(ln.segs) && ln.segs[i].at.Before(before) && ln.segs[i].off <= ln.end; i++ {
		s, ok = ln.segs[i], ln.segs[i].off > ln.first
	}
	return s, ok
}
