package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// handleTime is how long one attempt at one message may take. It is far beyond what any work here needs; a handler that hangs ends so.
const handleTime = 2 * time.Minute

// verdict is what becomes of a message after an attempt; the zero verdict: it is tried again.
type verdict struct {
	done    bool
	dropped bool // given up: it does not count as seen
	again   bool // it had been done before
	keep    []*Message
}

// answers are the checks that were answered for a message, over all attempts in this process.
type answers struct {
	mu   sync.Mutex
	said map[check.Key]bool
}

func (a *answers) add(o Output) {
	if o.Kind != envelopev1.Kind_KIND_FINDING {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == nil {
		a.said = make(map[check.Key]bool)
	}
	a.said[check.Key{Check: o.Check, Medium: o.Medium}] = true
}

func (a *answers) has(k check.Key) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said[k]
}

// handle makes one attempt at a message.
func (w *worker) handle(t *task, kept []log.Rec) verdict {
	defer w.meter.began()()
	ctx, cancel := context.WithTimeout(t.lane.ctx, handleTime)
	defer cancel()
	if t.msg == nil {
		return w.bury(ctx, t, Input{}, t.broken)
	}
	ctx = resilience.About(ctx, t.msg.GetClientId(), t.msg.GetVerificationId())
	in, err := w.input(ctx, t, kept)
	if err == nil {
		err = t.broken
	}
	if err == nil {
		err = guard(func() error { return w.Handle(ctx, in, w.emitter(t)) })
	}
	if err == nil {
		err = w.complete(ctx, t, in)
	}
	if err == nil {
		return w.ended(in, nil)
	}
	if t.lane.ctx.Err() != nil {
		return verdict{}
	}
	w.meter.failed()
	return w.judge(ctx, t, in, err)
}

// input opens the message and those kept before it.
func (w *worker) input(ctx context.Context, t *task, kept []log.Rec) (Input, error) {
	open := *t.msg
	in := Input{Message: &open}
	for _, rec := range kept {
		m, err := w.rt.Decode(rec)
		if err != nil {
			return in, err
		}
		if m.Payload, err = m.Open(ctx); err != nil {
			return in, err
		}
		in.Kept = append(in.Kept, m)
	}
	var err error
	open.Payload, err = t.msg.Open(ctx)
	return in, err
}

// ended is the verdict on a message of which all is said that will be. One that is erased keeps nothing, and what was kept goes with it.
func (w *worker) ended(in Input, err error) verdict {
	v := verdict{done: err == nil || gone(err)}
	if err == nil && in.Message != nil && w.Keep != nil {
		bug := guard(func() error { v.keep = w.Keep(in); return nil })
		if bug != nil {
			w.rt.logger.Error("what is kept after a message is not known", "service", w.Name, "error", bug)
		}
	}
	return v
}

// emitter gives the Emit of one message.
func (w *worker) emitter(t *task) Emit {
	return func(ctx context.Context, o Output) error {
		a := descend(w.Name, w.Version, t.msg, o.Also)
		id := o.ID
		if id == "" {
			id = idFromInputs(a.Inputs, w.Name, w.Version, o)
		}
		rec, err := w.rt.record(ctx, a, id, o, false)
		if err != nil {
			return err
		}
		if err := w.rt.publish(ctx, rec); err != nil {
			return err
		}
		t.said.add(o)
		w.meter.emitted(1)
		return nil
	}
}

// complete closes what a handler owed and did not answer although it returned nil: a bug, and the verification must still end.
func (w *worker) complete(ctx context.Context, t *task, in Input) error {
	owed, err := w.owed(t, in)
	if err != nil || len(owed) == 0 {
		return err
	}
	w.blame(t, "bug", "close", "owed_"+owed[0].Check, errors.New("the handler returned without answering"))
	return w.close(ctx, t, owed, "internal")
}

// owed lists what handling the message must have answered and has not.
func (w *worker) owed(t *task, in Input) (owed []check.Key, err error) {
	if w.Owes == nil || in.Message == nil {
		return nil, nil
	}
	err = guard(func() error {
		for _, k := range w.Owes(in) {
			if !t.said.has(k) {
				owed = append(owed, k)
			}
		}
		return nil
	})
	return owed, err
}

func (w *worker) close(ctx context.Context, t *task, owed []check.Key, reason string) error {
	for _, o := range Close(owed, NotPerformed, reason) {
		if err := w.emitter(t)(ctx, o); err != nil {
			return err
		}
	}
	return nil
}
