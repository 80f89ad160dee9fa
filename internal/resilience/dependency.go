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

// Dependency guards the calls to one dependency. Safe for concurrent use.
type Dependency struct {
	name      string
	decisions Decisions
	report    Reporter

	mu        sync.Mutex
	failures  int
	openUntil time.Time
}

// New makes a dependency. It refuses one whose decisions are not all made, or that has nobody to report to.
func New(name string, d Decisions, report Reporter) (*Dependency, error) {
	if name == "" || report == nil {
		return nil, fmt.Errorf("dependency %q: name and reporter are needed", name)
	}
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("dependency %s: %w", name, err)
	}
	return &Dependency{name: name, decisions: d, report: report}, nil
}

// Name of the dependency.
func (d *Dependency) Name() string { return d.name }

// Decisions that were made for it.
func (d *Dependency) Decisions() Decisions { return d.decisions }

// Do calls f, and takes the decision that was made when f fails, takes too long, or has failed too often to be asked again. It returns nil,
// the error of ctx, or a *Taken. An answer that is simply no is not a failure: f keeps it aside and returns nil.
//
// Where slow means anything but wait, f is given up at Decision.After. Where down means wait, f is called again until Decision.For is over.
func (d *Dependency) Do(ctx context.Context, f func(context.Context) error) error {
	began := time.Now()
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
		if c != Down || do.Action != Wait || do.For > 0 && time.Since(began)+pause > do.For {
			return taken
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// once calls f within the time that slow allows, and says how it failed.
func (d *Dependency) once(ctx context.Context, f func(context.Context) error) (Condition, error) {
	slow := d.decisions.Slow
	limit, cut := slow.For, slow.Action != Wait
	if cut {
		limit = slow.After
	}
	inner, cancel := ctx, context.CancelFunc(func() {})
	if limit > 0 {
		inner, cancel = context.WithTimeoutCause(ctx, limit, ErrSlow)
	}
	defer cancel()
	began := time.Now()
	err := f(inner)
	d.count(ctx, err)
	if took := time.Since(began); err == nil && took > slow.After {
		d.take(ctx, Slow, fmt.Errorf("%w: %v", ErrSlow, took))
	}
	if err != nil && context.Cause(inner) == ErrSlow && ctx.Err() == nil {
		return Slow, fmt.Errorf("%w: %w", ErrSlow, err)
	}
	return Down, err
}

func (d *Dependency) take(ctx context.Context, c Condition, err error) *Taken {
	do := map[Condition]Decision{Down: d.decisions.Down, Slow: d.decisions.Slow, Unreliable: d.decisions.Unreliable}[c]
	s := about(ctx)
	d.report(Incident{Dependency: d.name, Condition: c, Decision: do, Client: s.client, Verification: s.verification, Err: err})
	return &Taken{Dependency: d.name, Condition: c, Decision: do, Err: err}
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
		if d.failures >= failuresToOpen && d.decisions.Unreliable.Action != Wait {
			d.openUntil = time.Now().Add(d.decisions.Unreliable.For)
		}
	}
}

func (d *Dependency) open() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Before(d.openUntil)
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
