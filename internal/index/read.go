package index

import (
	"bytes"
	"context"
	"errors"
	"iter"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Records yields the records of a key that Keep accepts, in order: those that are indexed, then those behind them up to the present end of the
// lane, or, with follow, all that come until ctx ends. What retention has taken is left out. An error is yielded once, last.
func (x *Index) Records(ctx context.Context, key string, follow bool) iter.Seq2[log.Rec, error] {
	return func(yield func(log.Rec, error) bool) {
		more := true
		give := func(r log.Rec) bool { more = yield(r, nil); return more }
		if err := x.records(ctx, key, follow, give); err != nil && more {
			yield(log.Rec{}, err)
		}
	}
}

func (x *Index) records(ctx context.Context, key string, follow bool, give func(log.Rec) bool) error {
	l := x.lanes[log.LaneOf([]byte(key), int32(len(x.lanes)))]
	offs, next, err := x.find(l, key)
	if err != nil {
		return err
	}
	at := log.Lane{Topic: x.Topic, N: l.n}
	bounds, err := x.Log.Bounds(ctx, at)
	if err != nil {
		return err
	}
	for from, to := range runs(offs, bounds[0].First.Off) {
		wanted, err := x.scan(ctx, at, log.Pos{Epoch: next.Epoch, Off: from}, log.Pos{Epoch: next.Epoch, Off: to}, key, give)
		if err != nil || !wanted {
			return err
		}
	}
	end := bounds[0].End
	if follow {
		end = log.Pos{}
	} else if next.Off >= end.Off {
		return nil
	}
	_, err = x.scan(ctx, at, next, end, key, give)
	return err
}

// find gives the offsets of a key before next.
func (x *Index) find(l *lane, key string) (offs []int64, next log.Pos, err error) {
	l.mu.Lock()
	next = l.next
	pending := append([]int64(nil), l.pending[key]...)
	l.mu.Unlock()
	// In this order: what leaves pending meanwhile is in the store.
	stored, err := x.stored(l.n, key)
	if err != nil {
		return nil, next, err
	}
	for len(stored) > 0 && stored[len(stored)-1] >= next.Off {
		stored = stored[:len(stored)-1] // written meanwhile; read from the lane below
	}
	return x.merge(stored, pending), next, nil
}

// scan gives the records of a key between two positions, and says whether more are wanted.
func (x *Index) scan(ctx context.Context, at log.Lane, from, to log.Pos, key string, give func(log.Rec) bool) (bool, error) {
	for {
		wanted, err := x.scanKept(ctx, at, from, to, key, give)
		t := (*log.TrimmedError)(nil)
		if !errors.As(err, &t) {
			return wanted, err
		}
		if from = t.First; !to.IsZero() && from.Off >= to.Off {
			return true, nil
		}
	}
}

func (x *Index) scanKept(ctx context.Context, at log.Lane, from, to log.Pos, key string, give func(log.Rec) bool) (bool, error) {
	for r, err := range x.Log.Read(ctx, at, from, to) {
		if err != nil {
			return false, err
		}
		if bytes.Equal(r.Key, []byte(key)) && x.Keep(r) && !give(r) {
			return false, nil
		}
	}
	return true, nil
}

// runs joins neighbouring offsets that are still kept to half-open ranges.
func runs(offs []int64, first int64) iter.Seq2[int64, int64] {
	return func(yield func(from, to int64) bool) {
		for i := 0; i < len(offs); {
			j := i + 1
			for j < len(offs) && offs[j] == offs[j-1]+1 {
				j++
			}
			from, to := max(offs[i], first), offs[j-1]+1
			if i = j; from < to && !yield(from, to) {
				return
			}
		}
	}
}
