package stream

import (
	"context"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// ask asks every verification of a lane that is due by now what should have been said, and keeps the difference for the next step.
func (w *folder[S]) ask(ctx context.Context, l *foldLane[S], now time.Time) error {
	for {
		v, when, ok := l.wakes.first()
		if !ok || when.After(now) || ctx.Err() != nil {
			return nil
		}
		e, err := l.entry(v)
		if err != nil {
			return err
		}
		if !e.due.IsZero() && !e.due.After(now) {
			w.sayOne(ctx, l, e, now)
		}
		l.touch(v, e)
		if !e.leave.IsZero() && !e.leave.After(now) {
			l.forget(v)
		}
	}
}

func (w *folder[S]) sayOne(ctx context.Context, l *foldLane[S], e *entry[S], now time.Time) {
	var outs []Output
	var again, leave time.Time
	var over bool
	var fresh []saying
	ctx = resilience.About(ctx, e.from.Client, e.from.Verification)
	err := guard(func() (err error) {
		outs, again, err = w.Say(ctx, &e.state, now)
		if w.Leave != nil && err == nil {
			leave = w.Leave(&e.state)
		}
		over = w.Over != nil && w.Over(&e.state)
		return err
	})
	if err == nil {
		fresh, err = w.difference(ctx, e, outs)
	}
	if err != nil {
		w.troubled(e, now, err)
		return
	}
	if !again.IsZero() && !again.After(now) {
		again = now.Add(time.Millisecond) // asked now, it said so: not for ever in one go
	}
	e.due, e.leave, e.tries = again, leave, 0
	if over {
		e.seen, e.said = make(ids), make(ids) // 16 bytes for each of a hundred facts, for as long as the state is kept
	}
	for _, s := range fresh {
		e.said.add(s.id)
		l.out = append(l.out, s.rec)
	}
	w.meter.emitted(len(fresh))
}

// saying is an output that was not said yet.
type saying struct {
	id  string
	rec log.Rec
}

// difference makes the records of what was not said yet. What two outputs say under one id is said once.
func (w *folder[S]) difference(ctx context.Context, e *entry[S], outs []Output) ([]saying, error) {
	var fresh []saying
	twice := make(ids)
	for _, o := range outs {
		id := o.ID
		if id == "" {
			id = idFromVerification(e.from.Verification, w.Name, w.Version, o)
		}
		if e.seen.has(id) || e.said.has(id) || twice.has(id) {
			continue
		}
		twice.add(id)
		rec, err := w.rt.record(ctx, e.from, id, o, true)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, saying{id, rec})
	}
	return fresh, nil
}

// troubled decides what follows from an error of Say: asked again later, with growing pauses, unless no repetition mends it.
func (w *folder[S]) troubled(e *entry[S], now time.Time, err error) {
	w.meter.failed()
	e.tries++
	switch {
	case gone(err):
		e.due = time.Time{}
	case isPoison(err), isBug(err), unsayable(err):
		e.due = time.Time{} // until the next fact
		w.rt.blame(e.from, "bug", "skip", "say", err)
	default:
		if e.tries == 1 && !isTaken(err) && !w.rt.away(err) {
			w.rt.blame(e.from, "unreliable", "wait", "unknown_error", err)
		}
		e.due = now.Add(w.rt.pause(e.tries))
		w.rt.logger.Warn("asking again later", "service", w.Name, "verification", e.from.Verification, "error", err)
	}
}
