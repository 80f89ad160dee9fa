package stream

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Bounds of what a worker has in hand. A lane is read no further than aheadRecords or aheadTime beyond its oldest unfinished message; no more is
// polled while heldBytes are waiting.
const (
	aheadRecords = 1000
	aheadTime    = time.Minute
	heldBytes    = 64 << 20
)

// worker runs a Worker. Everything but the handlers happens in one goroutine.
type worker struct {
	*Worker
	rt     *Runtime
	member log.Member
	meter  *meter
	lanes  map[int32]*workLane

	ready    []*line // verifications whose first message can be handled
	waiting  []*line // verifications whose first message is tried again later
	running  int
	held     int // bytes of records that are not finished
	finished chan result
	steps    chan stepped
	stepping bool
}

type result struct {
	task    *task
	verdict verdict
}

// RunWorker runs a worker until ctx ends and what is in hand is finished; or until the log is gone, which is an error.
func RunWorker(ctx context.Context, r *Runtime, w Worker) error {
	if w.Parallel == 0 {
		w.Parallel = runtime.GOMAXPROCS(0)
	}
	g := log.Group{Name: groupName(w.Name, w.Version), Input: w.Input, Mode: log.AtLeastOnce}
	if w.Keep != nil {
		g.State = stateName(w.Name, w.Version)
	}
	m := r.metrics.of(w.Name)
	return r.serve(ctx, g, m, func(member log.Member, events <-chan polled) error {
		run := &worker{Worker: &w, rt: r, member: member, meter: m, lanes: make(map[int32]*workLane),
			finished: make(chan result), steps: make(chan stepped)}
		work, stop := outlive(ctx, drainTime)
		defer stop()
		if err := run.run(ctx, work, events); err != nil {
			stop()
			return run.abandon(err)
		}
		return run.drain(work)
	})
}

// run goes on until ctx ends; work is the context of what it does, which lasts a little longer.
func (w *worker) run(ctx, work context.Context, events <-chan polled) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		from := events
		if w.held > heldBytes && w.running > 0 {
			from = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return nil
		case p := <-from:
			if err = p.err; err == nil {
				err = w.take(work, p.events)
			}
		case r := <-w.finished:
			w.settle(r)
		case s := <-w.steps:
			err = w.committed(work, s)
		case <-timer.C:
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		w.dispatch()
		w.commit(work, commitRecords)
		timer.Reset(w.untilNext())
	}
}

func (w *worker) take(ctx context.Context, events []log.Event) error {
	for _, e := range events {
		switch e := e.(type) {
		case log.Gained:
			w.lose(e.Lane)
			l, err := w.gain(ctx, e)
			if err != nil {
				return err
			}
			w.lanes[e.Lane] = l
		case log.Lost:
			if l := w.lanes[e.Lane]; l != nil && l.gen == e.Gen {
				w.lose(e.Lane)
			}
		case log.Records:
			l := w.lanes[e.Lane]
			if l == nil || l.gen != e.Gen {
				continue
			}
			for _, rec := range e.Recs {
				w.held += size(rec)
			}
			l.backlog = append(l.backlog, e.Recs...)
			w.admit(l)
		}
	}
	return nil
}

// dispatch starts handlers for what is ready, as many as may run at once.
func (w *worker) dispatch() {
	now := w.rt.now()
	w.waiting = slices.DeleteFunc(w.waiting, func(q *line) bool {
		due := !q.tasks[0].until.After(now)
		if due {
			w.ready = append(w.ready, q)
		}
		return due
	})
	for w.running < w.Parallel && len(w.ready) > 0 {
		q := w.ready[0]
		w.ready = w.ready[1:]
		t := q.tasks[0]
		if t.msg != nil && q.lane.seen.has(t.msg.GetId()) {
			w.meter.suppressed(1)
			w.finish(t, verdict{done: true, again: true})
			continue
		}
		if t.first.IsZero() {
			t.first = now
		}
		w.running++
		kept := q.lane.kept.before(t)
		go func() { w.finished <- result{t, w.handle(t, kept)} }()
	}
}

// settle takes the result of a handler.
func (w *worker) settle(r result) {
	w.running--
	t := r.task
	l := t.lane
	if w.lanes[l.n] != l {
		return
	}
	if r.verdict.done {
		w.finish(t, r.verdict)
		return
	}
	t.tries++
	t.until = w.rt.now().Add(w.rt.pause(t.tries))
	w.waiting = append(w.waiting, l.lines[t.line])
}

// finish notes that a message is done, lets the next one of its verification come, and moves on what can be committed.
func (w *worker) finish(t *task, v verdict) {
	l := t.lane
	t.done = true
	if t.msg != nil && !v.again && !v.dropped {
		w.meter.evicted(l.seen.add(t.msg.GetId(), t.rec.At, l.perSecond))
		if w.Keep != nil {
			l.puts = append(l.puts, l.kept.settle(t, v.keep)...)
		}
	}
	q := l.lines[t.line]
	q.tasks = q.tasks[1:]
	if len(q.tasks) > 0 {
		w.ready = append(w.ready, q)
	} else {
		delete(l.lines, t.line)
	}
	w.meter.handled(1)
	w.admit(l)
}

// untilNext is how long there is nothing to do by the clock.
func (w *worker) untilNext() time.Duration {
	now := w.rt.now()
	next := now.Add(time.Hour)
	for _, q := range w.waiting {
		next = sooner(next, q.tasks[0].until)
	}
	for _, l := range w.lanes {
		if l.uncommitted > 0 && !l.void && !w.stepping {
			next = sooner(next, l.since.Add(commitTime))
		}
	}
	return max(next.Sub(now), 0)
}
