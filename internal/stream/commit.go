package stream

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// A position is committed when commitRecords are finished, or the first of them commitTime ago: what was said is durable already, and doing a
// message again is harmless.
const (
	commitRecords = 64
	commitTime    = 100 * time.Millisecond
)

// drainTime is how long messages in hand may go on after the service was told to stop.
const drainTime = 5 * time.Second

type stepped struct {
	lanes []*workLane
	steps []log.Step
	err   error
}

// advance moves the position over the contiguous prefix of what is done.
func (w *worker) advance(l *workLane) {
	for len(l.pending) > 0 && l.pending[0].done {
		t := l.pending[0]
		l.pending[0] = nil
		l.pending = l.pending[1:]
		if l.uncommitted == 0 {
			l.since = w.rt.now()
		}
		l.uncommitted++
		l.upto, l.at = t.rec.Pos.Next(), t.rec.At
		w.held -= size(t.rec)
	}
}

// commit begins to write the positions of lanes that have n uncommitted messages or have waited long enough, one step at a time.
func (w *worker) commit(ctx context.Context, n int) {
	if w.stepping {
		return
	}
	var s stepped
	now := w.rt.now()
	for _, i := range slices.Sorted(maps.Keys(w.lanes)) {
		l := w.lanes[i]
		if l.void || l.uncommitted == 0 || l.uncommitted < n && now.Sub(l.since) < commitTime {
			continue
		}
		l.puts = append(l.puts, l.kept.expire(l.at)...)
		s.lanes = append(s.lanes, l)
		s.steps = append(s.steps, log.Step{Lane: l.n, Gen: l.gen, Put: l.puts, Upto: l.upto})
		l.puts, l.uncommitted = nil, 0
	}
	if len(s.lanes) == 0 {
		return
	}
	w.measure()
	w.stepping = true
	go func() {
		s.err = w.rt.retry(ctx, func() error { return w.rt.step(ctx, w.member, s.steps...) })
		w.steps <- s
	}()
}

// measure tells the metrics what the lanes remember.
func (w *worker) measure() {
	ids, age := 0, time.Duration(0)
	for _, l := range w.lanes {
		ids, age = ids+len(l.seen.order), max(age, l.seen.reach())
	}
	w.meter.window(ids, age)
}

// committed takes the result of a step. Where a lane was fenced nothing of the step was written: the lanes are written one by one.
func (w *worker) committed(ctx context.Context, s stepped) error {
	w.stepping = false
	switch {
	case s.err == nil:
	case fatal(s.err):
		return s.err
	case errors.Is(s.err, log.ErrFenced) && len(s.lanes) > 1:
		for i, l := range s.lanes {
			one := stepped{lanes: []*workLane{l}, steps: s.steps[i : i+1]}
			one.err = w.rt.retry(ctx, func() error { return w.rt.step(ctx, w.member, one.steps...) })
			if err := w.committed(ctx, one); err != nil {
				return err
			}
		}
	case errors.Is(s.err, log.ErrFenced), errors.Is(s.err, log.ErrUnknown):
		for _, l := range s.lanes {
			l.void = true // until it is gained again
		}
	default:
		return s.err
	}
	return nil
}

// drain lets handlers finish until ctx ends, and commits what is done.
func (w *worker) drain(ctx context.Context) error {
	defer func() {
		for _, l := range w.lanes {
			l.cancel()
		}
	}()
	stop := ctx.Done()
	w.commit(ctx, 1)
	for w.running > 0 || w.stepping {
		select {
		case r := <-w.finished:
			w.settle(r)
		case s := <-w.steps:
			if err := w.committed(ctx, s); err != nil {
				return w.abandon(err)
			}
		case <-stop:
			stop = nil
			for _, l := range w.lanes {
				l.cancel()
			}
		}
		w.commit(ctx, 1)
	}
	return nil
}

// abandon waits for what still runs when nothing can be written any more.
func (w *worker) abandon(err error) error {
	for _, l := range w.lanes {
		l.cancel()
	}
	for w.running > 0 || w.stepping {
		select {
		case <-w.finished:
			w.running--
		case <-w.steps:
			w.stepping = false
		}
	}
	return err
}
