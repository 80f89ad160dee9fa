package index

import (
	"context"
	"fmt"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// pageSize is how many entries are looked at in one go; between two goes trimming waits as long as between two writes.
const pageSize = 1024

// trimOften forgets what retention has taken from the topic: at once, then now and then, and when a reader meets a gap.
func (x *Index) trimOften(ctx context.Context) error {
	tick := time.NewTicker(x.Trim)
	defer tick.Stop()
	for {
		for _, l := range x.lanes {
			if err := x.trim(ctx, l); err != nil && ctx.Err() == nil && !putOff(err) {
				return fmt.Errorf("trimming the index of %s: %w", x.Topic, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-x.gap:
		}
	}
}

func (x *Index) trimSoon() {
	select {
	case x.gap <- struct{}{}:
	default:
	}
}

// trim goes through the entries of a lane once, a piece at a time, if the lane begins later than when it last did.
func (x *Index) trim(ctx context.Context, l *lane) error {
	bounds, err := x.Log.Bounds(ctx, log.Lane{Topic: x.Topic, N: l.n})
	if err != nil {
		return err
	}
	first := bounds[0].First.Off
	if first <= l.trimmed {
		return nil
	}
	for prefix, behind := x.entry(l.n, ""), []byte(nil); ; {
		pairs, err := x.Store.page(prefix, behind)
		if err != nil {
			return err
		}
		if err := x.remove(pairs, first); err != nil {
			return err
		}
		if len(pairs) < pageSize {
			l.trimmed = first
			return nil
		}
		behind = pairs[pageSize-1].Key
		if err := pause(ctx, x.Every); err != nil {
			return err
		}
	}
}

// remove takes those entries out of the store that end before first, unless they have grown since they were looked at.
func (x *Index) remove(pairs []log.KV, first int64) error {
	x.flush.Lock()
	defer x.flush.Unlock()
	var changes []log.KV
	for _, p := range pairs {
		if !ended(p.Val, first) {
			continue
		}
		now, err := x.Store.get(p.Key)
		if err != nil {
			return err
		}
		if ended(now, first) {
			changes = append(changes, log.KV{Key: p.Key})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return x.Store.write(changes...)
}

// ended says that all offsets of an entry are before first.
func ended(entry []byte, first int64) bool {
	offs := decode(entry)
	return len(offs) > 0 && offs[len(offs)-1] < first
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
