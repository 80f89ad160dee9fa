package stream

import (
	"context"
	"errors"

	"github.com/bonafide-id/bonafide/internal/log"
)

// write writes what is pending in lanes, in one step if it can. A lane that changed hands is left alone until it is gained again.
func write[S any](ctx context.Context, r *Runtime, m log.Member, lanes []*keeper[S]) error {
	if len(lanes) == 0 {
		return nil
	}
	steps := make([]log.Step, len(lanes))
	for i, k := range lanes {
		var err error
		if steps[i], err = k.step(); err != nil {
			return err
		}
	}
	err := r.retry(ctx, func() error { return r.step(ctx, m, steps...) })
	if errors.Is(err, log.ErrFenced) && len(lanes) > 1 {
		for _, k := range lanes { // one of them was fenced: find out which
			if err := write(ctx, r, m, []*keeper[S]{k}); err != nil {
				return err
			}
		}
		return nil
	}
	voided := errors.Is(err, log.ErrFenced) || errors.Is(err, log.ErrUnknown)
	for _, k := range lanes {
		if voided {
			k.void = true
		} else if err == nil {
			k.stepped()
		}
	}
	if voided && !fatal(err) {
		r.logger.Info("a step is void: reading again", "lanes", len(lanes), "error", err)
		return nil
	}
	return err
}
