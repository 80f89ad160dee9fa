package embedded

import (
	"context"
	"sort"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Bounds implements log.Log.
func (l *Log) Bounds(_ context.Context, lanes ...log.Lane) ([]log.Bound, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	all := make([]log.Bound, len(lanes))
	for i, at := range lanes {
		ln, err := l.table().lane(at)
		if err != nil {
			return nil, err
		}
		all[i] = ln.bound(l.epoch)
	}
	return all, nil
}

// Find implements log.Log: times do not decrease within a lane, so it searches by halves.
func (l *Log) Find(_ context.Context, at log.Lane, t time.Time) (log.Pos, error) {
	ln, err := l.table().lane(at)
	if err != nil {
		return log.Pos{}, err
	}
	lo, hi := ln.around(t)
	var failed error
	n := sort.Search(int(hi-lo), func(i int) bool {
		recs, err := l.fetch(ln, lo+int64(i), lo+int64(i)+1)
		if err != nil {
			failed = err
			return true
		}
		return !recs[0].At.Before(t)
	})
	if failed != nil {
		c := cursor{log: l, lane: ln, off: lo}
		if err := c.excuse(failed); err != nil {
			return log.Pos{}, err
		}
		return l.Find(context.Background(), at, t) // trimmed meanwhile: look again
	}
	return log.Pos{Epoch: l.epoch, Off: lo + int64(n)}, nil
}

// around narrows the search down to one segment: the answer is in [lo, hi].
func (ln *lane) around(t time.Time) (lo, hi int64) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	lo, hi = ln.first, ln.end
	i := sort.Search(len(ln.segs), func(i int) bool { return !ln.segs[i].at.Before(t) })
	if i < len(ln.segs) {
		hi = min(hi, max(ln.segs[i].off, lo))
	}
	if i > 0 {
		lo = min(max(lo, ln.segs[i-1].off), hi)
	}
	return lo, hi
}
