package embedded

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

// chunk is how many records, and about how many bytes, are read from disk at a time: enough to forget
// the price of an iterator, little enough not to hold one while somebody thinks.
const (
	chunk      = 1024
	chunkBytes = 1 << 20
)

// damaged says that the lane is, and stops its topic: what follows could be wrong as well.
func (ln *lane) damaged(err error) error {
	d := &log.DamagedError{Topic: ln.topic.name, Lane: ln.n, Err: plain(err)}
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		d.File = info.Path
	}
	return ln.topic.stop(d)
}

// Read implements log.Log.
func (l *Log) Read(ctx context.Context, at log.Lane, from, to log.Pos) iter.Seq2[log.Rec, error] {
	return func(yield func(log.Rec, error) bool) {
		if err := l.read(ctx, at, from, to, yield); err != nil {
			yield(log.Rec{}, err)
		}
	}
}

// read ends with nil at `to`, or when yield has had enough.
func (l *Log) read(ctx context.Context, at log.Lane, from, to log.Pos, yield func(log.Rec, error) bool) error {
	ln, err := l.table().lane(at)
	if err != nil {
		return err
	}
	if err := l.inEpoch(from, to); err != nil {
		return err
	}
	c := &cursor{log: l, lane: ln, off: ln.begin(from), to: -1}
	if !to.IsZero() {
		c.to = to.Off
	}
	wake := make(chan struct{}, 1)
	ln.subscribe(wake)
	defer ln.unsubscribe(wake)
	for c.to < 0 || c.off < c.to {
		if err := errors.Join(ctx.Err(), l.alive(), ln.topic.err()); err != nil {
			return err
		}
		recs, err := c.next(chunk)
		if err != nil {
			return err
		}
		for _, r := range recs {
			if !yield(r, nil) {
				return nil
			}
		}
		if len(recs) > 0 {
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
		case <-l.done:
		case <-l.store.failed:
		}
	}
	return nil
}

func (l *Log) inEpoch(ps ...log.Pos) error {
	for _, p := range ps {
		if p.Epoch != 0 && p.Epoch != l.epoch {
			return fmt.Errorf("%w: %d, now %d", log.ErrEpoch, p.Epoch, l.epoch)
		}
		if p.Off < 0 {
			return fmt.Errorf("offset %d is negative", p.Off)
		}
	}
	return nil
}

// begin is the offset to start with: of the zero position, the first that is kept.
func (ln *lane) begin(from log.Pos) int64 {
	if !from.IsZero() {
		return from.Off
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ln.first
}

// cursor reads a lane from an offset on.
type cursor struct {
	log  *Log
	lane *lane
	off  int64
	to   int64 // not to be reached; -1 for none
}

// next gives up to limit stable records, from memory or from disk; none where there are none yet.
func (c *cursor) next(limit int) ([]log.Rec, error) {
	ln := c.lane
	ln.mu.Lock()
	first, end := ln.first, ln.end
	if c.to >= 0 {
		end = min(end, c.to)
	}
	limit = int(min(int64(limit), max(end-c.off, 0)))
	recs, ok := ln.ring.from(c.off, limit)
	ln.mu.Unlock()
	if c.off < first {
		return nil, &log.TrimmedError{Lane: ln.name(), Asked: log.Pos{Epoch: c.log.epoch, Off: c.off},
			First: log.Pos{Epoch: c.log.epoch, Off: first}}
	}
	if limit == 0 {
		return nil, nil
	}
	if !ok {
		var err error
		if recs, err = c.log.fetch(ln, c.off, c.off+int64(limit)); err != nil {
			return nil, c.excuse(err)
		}
	}
	c.off += int64(len(recs))
	return recs, nil
}

// excuse is nil where records were missing because they were trimmed meanwhile: the next call says so.
func (c *cursor) excuse(err error) error {
	c.lane.mu.Lock()
	defer c.lane.mu.Unlock()
	if c.off < c.lane.first {
		return nil
	}
	if !isDamage(err) {
		return err
	}
	return c.lane.damaged(err)
}

func isDamage(err error) bool {
	return pebble.IsCorruptionError(err) || errors.Is(err, errChecksum) || errors.Is(err, errShape) || errors.Is(err, errMissing)
}

// fetch reads records from disk, from an offset on, up to `to` or until a chunk is full; at least one.
func (l *Log) fetch(ln *lane, from, to int64) ([]log.Rec, error) {
	l.life.RLock()
	defer l.life.RUnlock()
	if err := l.alive(); err != nil {
		return nil, err
	}
	f := fetch{log: l, lane: ln, next: from, to: to}
	for _, s := range ln.segments(from, to) {
		if err := f.segment(s); err != nil {
			return nil, err
		}
	}
	if len(f.recs) == 0 || f.next < to && f.size < chunkBytes {
		return nil, fmt.Errorf("%w: offset %d", errMissing, f.next)
	}
	return f.recs, nil
}

// fetch is the reading of a run of records. Offsets have no holes: a hole is damage.
type fetch struct {
	log      *Log
	lane     *lane
	next, to int64
	recs     []log.Rec
	size     int
}

func (f *fetch) segment(s start) error {
	t, n := f.lane.topic.id, f.lane.n
	it, err := f.log.store.db.NewIter(&pebble.IterOptions{
		LowerBound: recordKey(s.seg, t, n, max(f.next, s.off)), UpperBound: after(laneKey(s.seg, t, n))})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid() && f.next < f.to && f.size < chunkBytes; it.Next() {
		if err := f.take(it); err != nil {
			return err
		}
	}
	return it.Error()
}

func (f *fetch) take(it *pebble.Iterator) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return err
	}
	if off := offsetOf(it.Key()); off != f.next {
		return fmt.Errorf("%w: offset %d, the next one there is %d", errMissing, f.next, off)
	}
	r, _, err := decode(it.Key(), append([]byte(nil), v...))
	if err != nil {
		return fmt.Errorf("offset %d: %w", f.next, err)
	}
	r.Lane, r.Pos = f.lane.name(), log.Pos{Epoch: f.log.epoch, Off: f.next}
	f.recs = append(f.recs, r)
	f.size += len(v)
	f.next++
	return nil
}
