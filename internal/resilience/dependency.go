package resilience

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Numbers of the circuit and of waiting. Five failures in a row are an outage and not a hiccup; the pauses begin well under any deadline of a
// verification (10 s) and end where trying costs nothing.
const (
	failuresToOpen = 5
	firstPause     = 20 * time.Millisecond
	longestPause   = time.Second
)

// ErrOpen says that a dependency was not asked at all, because it failed several times in a row a moment ago.
var ErrOpen = errors.New("not asked: it failed repeatedly")

// ErrSlow is the cause of a call that was given up because it took too long.
var ErrSlow = errors.New("took too long")

// Config of a dependency.
type Config struct {
	Name      string
	Decisions Decisions
	Report    Reporter
	Now       func() time.Time // nil: time.Now
}

// Dependency guards the calls to one dependency. Safe for concurrent use.
type Dependency struct {
	config Config

	mu        sync.Mutex
	failures  int
	openUntil time.Time
}

// New makes a dependency. It refuses one whose decisions are not all made, or that has nobody to report to.
func New(c Config) (*Dependency, error) {
	if c.Name == "" || c.Report == nil {
		return nil, fmt.Errorf("dependency %q: name and reporter are needed", c.Name)
	}
	if err := c.Decisions.validate(); err != nil {
		return nil, fmt.Errorf("dependency %s: %w", c.Name, err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Dependency{config: c}, nil
}

// Name of the dependency.
func (d *Dependency) Name() string { return d.config.Name }

// Decisions that were made for it.
func (d *Dependency) Decisions() Decisions { return d.config.Decisions }

// Final marks an error that no second call mends, such as that of a flush: where down means wait, it is not waited for.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return final{err}
}

type final struct{ error }

func (f final) Unwrap() error { return f.error }

// Do calls f, and takes the decision that was made when f fails, takes too long, or has failed too often to be asked again. It returns nil,
// the error of ctx, or a *Taken. An answer that is simply no is not a failure: f keeps it aside and returns nil. When its context ends f must
// return; what cannot promise that goes through Ask.
//
// Where slow means anything but wait, f is given up at Decision.After; where it means wait, at Decision.For. Where down means wait, f is
// called again until Decision.For is over.
func (d *Dependency) Do(ctx context.Context, f func(context.Context) error) error {
	began := d.config.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if d.open() {
			return d.take(ctx, Unreliable, ErrOpen)
		}
		c, err := d.once(ctx, f)
		if err == nil || ctx.Err() != nil {
			return err
		}
		taken := d.take(ctx, c, err)
		do := taken.Decision
		if c != Down || do.Action != Wait || errors.As(err, new(final)) || do.For > 0 && d.config.Now().Sub(began)+pause > do.For {
			return taken
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// once calls f within the time that slow allows, and says how it failed.
func (d *Dependency) once(ctx context.Context, f func(context.Context) error) (Condition, error) {
	slow := d.config.Decisions.Slow
	limit, cut := slow.For, slow.Action != Wait
	if cut {
		limit = slow.After
	}
	inner, cancel := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		inner, cancel = context.WithTimeoutCause(ctx, limit, ErrSlow)
	}
	defer cancel()
	began := d.config.Now()
	err := f(inner)
	d.count(ctx, err)
	if took := d.config.Now().Sub(began); err == nil && took > slow.After {
		d.take(ctx, Slow, fmt.Errorf("%w: %v", ErrSlow, took))
	}
	if err != nil && context.Cause(inner) == ErrSlow && ctx.Err() == nil {
		return Slow, slowly(err)
	}
	return Down, err
}

// slowly says of an error that it comes from a call that was given up.
func slowly(err error) error {
	if errors.Is(err, ErrSlow) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSlow, err)
}

func (d *Dependency) take(ctx context.Context, c Condition, err error) *Taken {
	decided := d.config.Decisions
	do := map[Condition]Decision{Down: decided.Down, Slow: decided.Slow, Unreliable: decided.Unreliable}[c]
	s := about(ctx)
	d.config.Report(Incident{Dependency: d.config.Name, Condition: c, Decision: do, Client: s.client, Verification: s.verification, Err: err})
	return &Taken{Dependency: d.config.Name, Condition: c, Decision: do, Err: err}
}

// count keeps the circuit: it opens for Unreliable.For after several failures in a row; the first call after that decides again.
func (d *Dependency) count(ctx context.Context, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.failures = 0
	case ctx.Err() == nil:
		d.failures++
		if d.failures >= failuresToOpen && d.config.Decisions.Unreliable.Action != Wait {
			d.openUntil = d.config.Now().Add(d.config.Decisions.Unreliable.For)
		}
	}
}

func (d *Dependency) open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.config.Now().Before(d.openUntil)
}

func sleep(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
