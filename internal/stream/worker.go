package stream

import (
	"context"
	"errors"
	"maps"
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

// A position is committed when commitRecords are finished, or the first of them commitTime ago: what was said is durable already, and doing a
// message again is harmless.
const (
	commitRecords = 64
	commitTime    = 100 * time.Millisecond
)

// drainTime is how long messages in hand may go on after the service was told to stop.
const drainTime = 5 * time.Second

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

type stepped struct {
	lanes []*workLane
	steps []log.Step
	err   error
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

// lose drops a lane and all that waits in it; handlers at work for it are told to stop.
func (w *worker) lose(n int32) {
	l := w.lanes[n]
	if l == nil {
		return
	}
	delete(w.lanes, n)
	l.cancel()
	for _, t := range l.pending {
		w.held -= size(t.rec)
	}
	for _, rec := range l.backlog {
		w.held -= size(rec)
	}
	of := func(q *line) bool { return q.lane == l }
	w.ready = slices.DeleteFunc(w.ready, of)
	w.waiting = slices.DeleteFunc(w.waiting, of)
}

// admit takes records of a lane in hand as far as its bounds allow, and pauses the lane while some are left over.
func (w *worker) admit(l *workLane) {
	for w.advance(l); len(l.backlog) > 0 && l.room(l.backlog[0]); w.advance(l) {
		rec := l.backlog[0]
		l.backlog = l.backlog[1:]
		l.rate(rec.At)
		t := w.task(l, rec)
		l.pending = append(l.pending, t)
		if t.done {
			continue
		}
		q := l.lines[t.line]
		if q == nil {
			q = &line{lane: l, name: t.line}
			l.lines[t.line] = q
			w.ready = append(w.ready, q)
		}
		q.tasks = append(q.tasks, t)
	}
	if over := len(l.backlog) > 0; over != l.paused {
		l.paused = over
		if over {
			w.member.Pause(l.n)
		} else {
			w.member.Resume(l.n)
		}
	}
}

// task makes the task of a record; it is done already where the service does not look at it.
func (w *worker) task(l *workLane, rec log.Rec) *task {
	t := &task{lane: l, rec: rec, line: string(rec.Key)}
	m, err := w.rt.Decode(rec)
	if err != nil {
		t.broken = err
		return t
	}
	t.msg, t.line = m, m.GetVerificationId()
	accepted := true
	t.broken = guard(func() error {
		accepted = w.Accepts == nil || w.Accepts(m.Envelope)
		return nil
	})
	t.done = t.broken == nil && !accepted
	return t
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
