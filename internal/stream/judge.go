package stream

import (
	"context"
	"errors"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// leastTrying is how long a message is tried although its verification's deadline has passed, as after a long stop.
const leastTrying = 10 * time.Second

// judge decides what an error means, by its type. Nothing is tried beyond the verification's deadline, when summary has closed its checks, except
// where it is the log or the key service that is away: then nobody could have closed anything.
func (w *worker) judge(ctx context.Context, t *task, in Input, err error) verdict {
	var taken *resilience.Taken
	switch {
	case gone(err):
		return w.ended(in, err)
	case isPoison(err), isBug(err), unsayable(err):
		return w.bury(ctx, t, in, err)
	case errors.As(err, &taken) && taken.Decision.Action == resilience.Skip:
		return w.skip(ctx, t, in, taken.Decision.Reason)
	case w.rt.away(err):
		return verdict{}
	}
	now := w.rt.now()
	if until := later(moment(t.msg.GetDeadlineAt()), t.first.Add(leastTrying)); now.After(until) {
		w.blame(t, "down", "drop", "timeout", err)
		return verdict{done: true, dropped: true}
	}
	if t.tries == 0 && taken == nil {
		w.blame(t, "unreliable", "wait", "unknown_error", err)
	}
	w.rt.logger.Warn("trying again later", "service", w.Name, "event", t.msg.GetId(), "tries", t.tries, "error", err)
	return verdict{}
}

// skip closes what is open with the reason that was decided for an absent dependency.
func (w *worker) skip(ctx context.Context, t *task, in Input, reason string) verdict {
	owed, err := w.owed(t, in)
	if err == nil {
		err = w.close(ctx, t, owed, reason)
	}
	return w.ended(in, err)
}

// bury puts a message that can never be worked on among the dead letters and closes what it owed.
func (w *worker) bury(ctx context.Context, t *task, in Input, cause error) verdict {
	reason, because := reasonOf(cause), "internal"
	if isPoison(cause) {
		because = "poison"
	}
	letter, err := w.rt.deadLetter(w.Name, t.rec, reason)
	if err == nil {
		err = w.rt.publish(ctx, letter)
	}
	if err != nil {
		w.rt.logger.Error("a dead letter could not be written", "service", w.Name, "error", err)
		return verdict{}
	}
	w.meter.dead()
	condition := because
	if because == "internal" {
		condition = "bug"
	}
	w.blame(t, condition, "dead_letter", reason, cause)
	owed, err := w.owed(t, in)
	if err != nil {
		w.rt.logger.Error("what is owed for a dead letter is not known", "service", w.Name, "error", err)
		return w.ended(in, nil)
	}
	return w.ended(in, w.close(ctx, t, owed, because))
}

func (w *worker) blame(t *task, condition, action, code string, err error) {
	a := Ancestry{Source: w.Name}
	if t.msg != nil {
		a = descend(w.Name, w.Version, t.msg, nil)
	}
	w.rt.blame(a, condition, action, code, err)
}
