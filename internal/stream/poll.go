package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// closeTime is how long finishing may take after a service was told to stop.
const closeTime = 10 * time.Second

// polled is what one Poll of a member told.
type polled struct {
	events []log.Event
	err    error // that the service cannot go on
}

// serve joins a group, polls it into a channel, publishes statistics, and calls loop until that returns; then it leaves the group.
func (r *Runtime) serve(ctx context.Context, g log.Group, m *meter, loop func(log.Member, <-chan polled) error) error {
	member, err := r.log.Join(ctx, g)
	if err != nil && ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.service, err)
	}
	r.roster.add(m.service, 1)
	defer r.roster.add(m.service, -1)
	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	events := make(chan polled)
	wg.Go(func() { r.poll(inner, member, events) })
	wg.Go(func() { r.statistics(inner, m, g) })
	err = loop(member, events)
	cancel()
	wg.Wait()
	last, cancelLast := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancelLast()
	if closing := member.Close(last); closing != nil && !errors.Is(closing, log.ErrClosed) {
		err = errors.Join(err, closing)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.service, err)
	}
	return nil
}

// poll hands on what the member tells until ctx ends or the log is gone.
func (r *Runtime) poll(ctx context.Context, member log.Member, out chan<- polled) {
	failed := 0
	for {
		events, err := member.Poll(ctx)
		if ctx.Err() != nil {
			return
		}
		p := polled{events: events}
		switch {
		case err == nil:
			failed = 0
		case errors.Is(err, log.ErrTrimmed):
			r.logger.Error("records were trimmed before they were read", "error", err)
		case fatal(err):
			p.err = err
		default:
			r.logger.Error("polling the log", "error", err)
		}
		if len(p.events) > 0 || p.err != nil {
			select {
			case out <- p:
			case <-ctx.Done():
				return
			}
		}
		if p.err != nil {
			return
		}
		if err != nil {
			failed++
			if sleep(ctx, r.pause(failed)) != nil {
				return
			}
		}
	}
}

// outlive gives a context that ends some time after ctx does.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	var mu sync.Mutex
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if longer.Err() == nil {
			timer = time.AfterFunc(d, cancel)
		}
	})
	return longer, func() {
		stop()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
	}
}

// groupName and stateName of a service: another major version reads its input anew.
func groupName(service string, version int) string { return fmt.Sprintf("%s.v%d", service, version) }
func stateName(service string, version int) string {
	return fmt.Sprintf("%s.v%d.state", service, version)
}
