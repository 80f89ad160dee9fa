package seal

import "context"

// gate is a lock for which one need not wait for ever.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// enter waits until the gate is free, or gives the cause of ctx's end.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g <- struct{}{}:
		return func() { <-g }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
