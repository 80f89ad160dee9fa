package stream

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// A fold that has nothing to say writes its state and position late: doing it again is harmless, and what it reads most is what it said.
const (
	quietRecords = 256
	quietTime    = 250 * time.Millisecond
)

// notAtEnd is how long an overdue timer waits when its lane turns out not to have been read to its end.
const notAtEnd = 20 * time.Millisecond

type folder[S any] struct {
	*Fold[S]
	rt     *Runtime
	member log.Member
	meter  *meter
	lanes  map[int32]*foldLane[S]
}

type foldLane[S any] struct {
	*keeper[S]
	end    log.Pos // the stable end when it was gained: nothing is said before it was read up to here
	caught bool
	behind time.Time // by the owner's clock: timers are not looked at before
}

// RunFold runs a fold until ctx ends, and writes what is pending; or until the log is gone, which is an error.
func RunFold[S any](ctx context.Context, r *Runtime, f Fold[S]) error {
	g := log.Group{Name: groupName(f.Name, f.Version), Input: f.Input, State: stateName(f.Name, f.Version), Mode: log.AtLeastOnce}
	m := r.metrics.of(f.Name)
	return r.serve(ctx, g, m, func(member log.Member, events <-chan polled) error {
		w := &folder[S]{Fold: &f, rt: r, member: member, meter: m, lanes: make(map[int32]*foldLane[S])}
		work, stop := outlive(ctx, closeTime)
		defer stop()
		return w.run(ctx, work, events)
	})
}

// run goes on until ctx ends; work is the context of what it does, which lasts a little longer.
func (w *folder[S]) run(ctx, work context.Context, events <-chan polled) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return w.write(work, w.all())
		case p := <-events:
			if err = p.err; err == nil {
				err = w.take(work, p.events)
			}
		case <-timer.C:
			err = w.tick(work)
		}
		if err != nil {
			return err
		}
		timer.Reset(w.untilNext())
	}
}

// take folds what was polled and says what follows from it.
func (w *folder[S]) take(ctx context.Context, events []log.Event) error {
	start, n := time.Now(), 0
	for _, e := range events {
		switch e := e.(type) {
		case log.Gained:
			if err := w.gain(ctx, e); err != nil {
				return err
			}
		case log.Lost:
			if l := w.lanes[e.Lane]; l != nil && l.gen == e.Gen {
				delete(w.lanes, e.Lane)
			}
		case log.Records:
			l := w.lanes[e.Lane]
			if l == nil || l.gen != e.Gen || l.void {
				continue
			}
			if err := w.fold(ctx, l, e.Recs); err != nil {
				return err
			}
			n += len(e.Recs)
		}
	}
	err := w.write(ctx, w.due())
	w.meter.took(time.Since(start), n)
	return err
}

func (w *folder[S]) gain(ctx context.Context, g log.Gained) error {
	k, err := newKeeper[S](g, w.member)
	if err != nil {
		return err
	}
	l := &foldLane[S]{keeper: k, end: g.StableEnd, caught: g.Committed.Off >= g.StableEnd.Off}
	w.lanes[g.Lane] = l
	if l.caught {
		return nil
	}
	bounds, err := w.rt.log.Bounds(ctx, log.Lane{Topic: w.Input, N: g.Lane})
	if err == nil {
		l.caught = bounds[0].First.Off >= g.StableEnd.Off // all that was there has been trimmed
	}
	return err
}

// fold takes records into the states; once the lane has caught up it asks all that is due.
func (w *folder[S]) fold(ctx context.Context, l *foldLane[S], recs []log.Rec) error {
	for _, rec := range recs {
		if err := w.apply(l, rec); err != nil {
			return err
		}
	}
	w.meter.handled(len(recs))
	l.caught = l.caught || l.next.Off >= l.end.Off
	if l.caught {
		return w.ask(ctx, l, l.at)
	}
	return nil
}

func (w *folder[S]) apply(l *foldLane[S], rec log.Rec) error {
	defer l.took(rec, w.rt.now())
	m, err := w.rt.Decode(rec)
	if err != nil {
		return w.bury(l, rec, "undecodable", Ancestry{Source: w.Name}, err)
	}
	e, err := l.entry(m.GetVerificationId())
	if err != nil {
		return err
	}
	if e.seen.has(m.GetId()) {
		w.meter.suppressed(1)
		return nil
	}
	bug := guard(func() error { w.Apply(&e.state, m); return nil })
	if bug != nil {
		if e, err = w.again(l, m, e.since); err != nil {
			return err
		}
		err = w.bury(l, rec, "bug", descend(w.Name, w.Version, m, nil), bug)
	}
	w.note(e, m)
	l.touch(m.GetVerificationId(), e)
	return err
}

// note takes into an entry what every fold keeps of a message.
func (w *folder[S]) note(e *entry[S], m *Message) {
	e.since = append(e.since, m)
	e.seen.add(m.GetId())
	e.said.drop(m.GetId())
	e.from = e.from.then(descend(w.Name, w.Version, m, nil))
	e.due = m.At
}

// again makes an entry as it was before a message on which Apply broke: from what is written, and the messages since.
func (w *folder[S]) again(l *foldLane[S], bad *Message, since []*Message) (*entry[S], error) {
	delete(l.entries, bad.GetVerificationId())
	e, err := l.entry(bad.GetVerificationId())
	if err != nil {
		return nil, err
	}
	for _, m := range since {
		_ = guard(func() error { w.Apply(&e.state, m); return nil }) // broke before, or not
		w.note(e, m)
	}
	return e, nil
}

func (w *folder[S]) bury(l *foldLane[S], rec log.Rec, reason string, a Ancestry, cause error) error {
	w.rt.blame(a, condition(cause), "dead_letter", reason, cause)
	w.meter.dead()
	letter, err := w.rt.deadLetter(w.Name, rec, reason)
	if err != nil {
		return err
	}
	l.out = append(l.out, letter)
	return nil
}

// tick asks what is due by the clock in lanes that have been read to their end, and writes what was quiet for long enough.
func (w *folder[S]) tick(ctx context.Context) error {
	now := w.rt.now()
	for _, n := range slices.Sorted(maps.Keys(w.lanes)) {
		l := w.lanes[n]
		if _, when, ok := l.wakes.first(); !ok || when.After(now) || !l.caught || l.void || l.behind.After(now) {
			continue
		}
		bounds, err := w.rt.log.Bounds(ctx, log.Lane{Topic: w.Input, N: n})
		if err != nil {
			return err
		}
		if bounds[0].End.Off > max(l.next.Off, bounds[0].First.Off) {
			l.behind = now.Add(notAtEnd)
			continue
		}
		if err := w.ask(ctx, l, later(now, l.at)); err != nil {
			return err
		}
	}
	return w.write(ctx, w.due())
}

// due lists the lanes whose step is due: those that have something to say, have taken much, or have been quiet for long enough.
func (w *folder[S]) due() (out []*keeper[S]) {
	now := w.rt.now()
	for _, k := range w.all() {
		if len(k.out) > 0 || k.pending >= quietRecords || now.Sub(k.since) >= quietTime {
			out = append(out, k)
		}
	}
	return out
}

// all lists the lanes that have anything to write.
func (w *folder[S]) all() (out []*keeper[S]) {
	for _, l := range w.lanes {
		if !l.void && (l.pending > 0 || len(l.dirty) > 0) {
			out = append(out, l.keeper)
		}
	}
	return out
}

func (w *folder[S]) write(ctx context.Context, lanes []*keeper[S]) error {
	return write(ctx, w.rt, w.member, lanes)
}

// untilNext is how long there is nothing to do by the clock.
func (w *folder[S]) untilNext() time.Duration {
	now := w.rt.now()
	next := now.Add(time.Hour)
	for _, l := range w.lanes {
		if l.void {
			continue
		}
		if l.pending > 0 || len(l.dirty) > 0 {
			next = sooner(next, l.since.Add(quietTime))
		}
		if _, when, ok := l.wakes.first(); ok && l.caught {
			next = sooner(next, later(when, l.behind))
		}
	}
	return max(next.Sub(now), 0)
}
