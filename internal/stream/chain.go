package stream

import (
	"context"
	"encoding/json"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// chainBatch is the most inputs in one step of a lane.
const chainBatch = 256

// chainTries is how often an input is tried that fails for no known reason: over five to ten seconds, by the pauses between them.
const chainTries = 8

type chainer[S any] struct {
	*Chain[S]
	rt     *Runtime
	member log.Member
	meter  *meter
	lanes  map[int32]*chainLane[S]
}

type chainLane[S any] struct {
	*keeper[S]
	queue   []log.Rec // not taken yet
	tries   int       // of the first of them
	unknown int       // those that failed for no reason that the runtime knows
	until   time.Time // when it is tried again
}

// RunChain runs a chain until ctx ends; or until the log is gone, which is an error. What it says has ids derived from its inputs.
func RunChain[S any](ctx context.Context, r *Runtime, c Chain[S]) error {
	g := log.Group{Name: groupName(c.Name, c.Version), Input: c.Input, State: stateName(c.Name, c.Version), Mode: log.ExactlyOnce}
	m := r.metrics.of(c.Name)
	return r.serve(ctx, g, m, func(member log.Member, events <-chan polled) error {
		w := &chainer[S]{Chain: &c, rt: r, member: member, meter: m, lanes: make(map[int32]*chainLane[S])}
		work, stop := outlive(ctx, closeTime)
		defer stop()
		return w.run(ctx, work, events)
	})
}

// run goes on until ctx ends; work is the context of what it does, which lasts a little longer.
func (w *chainer[S]) run(ctx, work context.Context, events <-chan polled) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-events:
			if p.err != nil {
				return p.err
			}
			if err := w.take(p.events); err != nil {
				return err
			}
		case <-timer.C:
		}
		if err := w.work(ctx, work); err != nil {
			return err
		}
		timer.Reset(w.untilNext())
	}
}

func (w *chainer[S]) take(events []log.Event) error {
	for _, e := range events {
		switch e := e.(type) {
		case log.Gained:
			k, err := newKeeper[S](e, w.member)
			if err != nil {
				return err
			}
			w.lanes[e.Lane] = &chainLane[S]{keeper: k}
		case log.Lost:
			if l := w.lanes[e.Lane]; l != nil && l.gen == e.Gen {
				delete(w.lanes, e.Lane)
			}
		case log.Records:
			if l := w.lanes[e.Lane]; l != nil && l.gen == e.Gen && !l.void {
				l.queue = append(l.queue, e.Recs...)
			}
		}
	}
	return nil
}

// work takes what waits in all lanes, a step at a time, until ctx ends.
func (w *chainer[S]) work(ctx, work context.Context) error {
	for ctx.Err() == nil {
		var ready []*keeper[S]
		start, n := time.Now(), 0
		for _, l := range w.lanes {
			if l.void || len(l.queue) == 0 || l.until.After(w.rt.now()) {
				continue
			}
			took, err := w.advance(work, l)
			if err != nil {
				return err
			}
			if n += took; took > 0 {
				ready = append(ready, l.keeper)
			}
		}
		if n == 0 {
			return nil
		}
		if err := write(work, w.rt, w.member, ready); err != nil {
			return err
		}
		w.meter.handled(n)
		w.meter.took(time.Since(start), n)
	}
	return nil
}

// advance takes inputs of a lane up to the first that has to wait, and gives how many it took.
func (w *chainer[S]) advance(ctx context.Context, l *chainLane[S]) (int, error) {
	w.leave(l)
	for i, rec := range l.queue[:min(len(l.queue), chainBatch)] {
		waits, err := w.one(ctx, l, rec)
		if err != nil {
			return 0, err
		}
		if waits {
			l.tries++
			l.until = w.rt.now().Add(w.rt.pause(l.tries))
			l.queue = l.queue[i:]
			w.member.Pause(l.n)
			return i, nil
		}
		if l.tries > 0 {
			l.tries, l.unknown = 0, 0
			w.member.Resume(l.n)
		}
		l.took(rec, w.rt.now())
	}
	n := min(len(l.queue), chainBatch)
	l.queue = l.queue[n:]
	return n, nil
}

// one takes one input into the lane's pending step; waits says that it has to be tried again later, and that nothing was changed.
func (w *chainer[S]) one(ctx context.Context, l *chainLane[S], rec log.Rec) (waits bool, err error) {
	m, err := w.rt.Decode(rec)
	if err != nil {
		return false, w.bury(l, rec, Ancestry{Source: w.Name}, err)
	}
	e, err := l.entry(m.GetVerificationId())
	if err != nil {
		return false, err
	}
	if e.seen.has(m.GetId()) {
		w.meter.suppressed(1)
		return false, nil
	}
	before, err := json.Marshal(e.state)
	if err != nil {
		return false, err
	}
	recs, err := w.next(resilience.About(ctx, m.GetClientId(), m.GetVerificationId()), e, m)
	if err != nil {
		var was S
		if err := json.Unmarshal(before, &was); err != nil {
			return false, err
		}
		e.state = was
		w.meter.failed()
		if ctx.Err() != nil || w.waits(l, m, err) {
			return true, nil
		}
		if err := w.bury(l, rec, descend(w.Name, w.Version, m, nil), err); err != nil {
			return false, err
		}
	}
	e.seen.add(m.GetId())
	if w.Leave != nil {
		e.leave = w.Leave(&e.state)
	}
	l.out = append(l.out, recs...)
	l.touch(m.GetVerificationId(), e)
	return false, nil
}

// waits decides whether an input is tried again. While log or key service are away the lane waits for them. Any other error is none of the lane's
// business: it is reported at once, and after chainTries the input gives way to those behind it.
func (w *chainer[S]) waits(l *chainLane[S], m *Message, err error) bool {
	if isPoison(err) || isBug(err) || unsayable(err) {
		return false
	}
	w.rt.logger.Warn("trying again later", "service", w.Name, "event", m.GetId(), "tries", l.tries, "error", err)
	if w.rt.away(err) {
		l.unknown = 0
		return true
	}
	if l.unknown++; l.unknown == 1 && !isTaken(err) {
		w.rt.blame(descend(w.Name, w.Version, m, nil), "unreliable", "wait", "unknown_error", err)
	}
	return l.unknown < chainTries
}

// next calls the service and makes the records of its outputs.
func (w *chainer[S]) next(ctx context.Context, e *entry[S], m *Message) (recs []log.Rec, err error) {
	var outs []Output
	if err := guard(func() (err error) { outs, err = w.Next(ctx, &e.state, m); return err }); err != nil {
		return nil, err
	}
	for _, o := range outs {
		a := descend(w.Name, w.Version, m, o.Also)
		id := o.ID
		if id == "" {
			id = idFromInputs(a.Inputs, w.Name, w.Version, o)
		}
		rec, err := w.rt.record(ctx, a, id, o, true)
		if err != nil {
			return nil, err
		}
		recs = append(recs, rec)
	}
	w.meter.emitted(len(recs))
	return recs, nil
}

func (w *chainer[S]) bury(l *chainLane[S], rec log.Rec, a Ancestry, cause error) error {
	w.rt.blame(a, condition(cause), "dead_letter", reasonOf(cause), cause)
	w.meter.dead()
	letter, err := w.rt.deadLetter(w.Name, rec, reasonOf(cause))
	if err == nil {
		l.out = append(l.out, letter)
	}
	return err
}

// leave forgets the states whose time has come by the log's clock.
func (w *chainer[S]) leave(l *chainLane[S]) {
	for {
		v, when, ok := l.wakes.first()
		if !ok || when.After(l.at) {
			return
		}
		l.forget(v)
	}
}

func (w *chainer[S]) untilNext() time.Duration {
	now := w.rt.now()
	next := now.Add(time.Hour)
	for _, l := range w.lanes {
		if !l.void && len(l.queue) > 0 {
			next = sooner(next, l.until)
		}
	}
	return max(next.Sub(now), 0)
}
