package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// Config of a runtime. Log, Keys and Dependency are required.
type Config struct {
	Log        log.Log
	Keys       *seal.Keyring
	Dependency *resilience.Dependency // the log's: what is done while it is down, slow or unreliable
	Clock      func() time.Time       // nil: time.Now
	Logger     *slog.Logger           // nil: discards
	Metrics    prometheus.Registerer  // nil: not exported
	Random     func() float64         // in [0,1), for jitter; nil: math/rand
}

// Runtime runs services on one log. Safe for concurrent use.
type Runtime struct {
	log     log.Log
	keys    *seal.Keyring
	dep     *resilience.Dependency
	now     func() time.Time
	logger  *slog.Logger
	random  func() float64
	metrics *metrics
	reports chan struct{} // a place for each incident that is being published
	working sync.WaitGroup
	roster  roster
}

// reportsAtOnce bounds the incidents on their way to the log; more than that are only written to the process's own log.
const reportsAtOnce = 64

// New makes a runtime.
func New(c Config) (*Runtime, error) {
	if c.Log == nil || c.Keys == nil || c.Dependency == nil {
		return nil, errors.New("runtime: log, keys and dependency are needed")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Float64
	}
	m, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("runtime: %w", err)
	}
	return &Runtime{log: c.Log, keys: c.Keys, dep: c.Dependency, now: c.Clock, logger: c.Logger, random: c.Random, metrics: m,
		reports: make(chan struct{}, reportsAtOnce)}, nil
}

// Close waits for incidents that are on their way. The log is closed after it.
func (r *Runtime) Close() { r.working.Wait() }

// Publish says something outside of a worker, fold or chain, as ingest does: all outputs in one publication, durable when it returns nil.
// Ids that are not given derive from verification, source, version, name and ordinal. The verification's key must have been created. An error
// means that it may or may not have been said: say it again.
func (r *Runtime) Publish(ctx context.Context, a Ancestry, outs ...Output) error {
	recs := make([]log.Rec, len(outs))
	for i, o := range outs {
		id := o.ID
		if id == "" {
			id = idFromVerification(a.Verification, a.Source, a.Version, o)
		}
		var err error
		if recs[i], err = r.record(ctx, a, id, o, false); err != nil {
			return err
		}
	}
	return r.publish(ctx, recs...)
}

func (r *Runtime) publish(ctx context.Context, recs ...log.Rec) error {
	if len(recs) == 0 {
		return nil
	}
	return r.ask(ctx, recs, func(ctx context.Context) error {
		_, err := r.log.Publish(ctx, recs...)
		return err
	})
}

// step writes steps. log.ErrFenced and log.ErrUnknown: what is pending on these lanes is void.
func (r *Runtime) step(ctx context.Context, m log.Member, steps ...log.Step) error {
	var outs []log.Rec
	for _, s := range steps {
		outs = append(outs, s.Out...)
	}
	return r.ask(ctx, outs, func(ctx context.Context) error {
		err := m.Step(ctx, steps...)
		if errors.Is(err, log.ErrUnknown) {
			err = &answer{err} // trying again is not for us to decide
		}
		return err
	})
}

// answer is what the log says that is not a failure of it, or that no second call changes.
type answer struct{ error }

func (a *answer) Unwrap() error { return a.error }

// ask asks the log, making the topics of clients' feeds on their first use.
func (r *Runtime) ask(ctx context.Context, outs []log.Rec, f func(context.Context) error) error {
	var no error
	err := r.dep.Do(ctx, func(ctx context.Context) error {
		err := f(ctx)
		if errors.Is(err, log.ErrNoTopic) {
			if err = r.ensure(ctx, outs); err == nil {
				err = f(ctx)
			}
		}
		if isAnswer(err) {
			no, err = err, nil
		}
		return err
	})
	return errors.Join(err, no)
}

func isAnswer(err error) bool {
	var a *answer
	if errors.As(err, &a) {
		return true
	}
	for _, e := range []error{log.ErrFenced, log.ErrNoTopic, log.ErrBadName, log.ErrTooLarge, log.ErrClosed, log.ErrDamaged} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// fatal reports whether a service cannot go on with this log.
func fatal(err error) bool {
	return errors.Is(err, log.ErrClosed) || errors.Is(err, log.ErrDamaged)
}

// ensure makes the topics that the table has and the log has not.
func (r *Runtime) ensure(ctx context.Context, recs []log.Rec) error {
	var missing []log.Topic
	seen := make(map[string]bool)
	for _, rec := range recs {
		row, ok := topic.Of(rec.Lane.Topic)
		if !ok || seen[row.Name] {
			continue
		}
		seen[row.Name] = true
		missing = append(missing, log.Topic{Name: row.Name, Lanes: row.Lanes, Retention: row.Retention})
	}
	if len(missing) == 0 {
		return log.ErrNoTopic
	}
	return r.log.Create(ctx, missing...)
}

// CreateTopics makes the topics of the table that every installation has. It may be repeated.
func CreateTopics(ctx context.Context, l log.Log) error {
	var all []log.Topic
	for _, row := range topic.Table() {
		if log.CheckName(row.Name) == nil {
			all = append(all, log.Topic{Name: row.Name, Lanes: row.Lanes, Retention: row.Retention})
		}
	}
	return l.Create(ctx, all...)
}

// pause is how long to wait before try n (from 1): from 50 ms on twice as long each time, at most 30 s, half of it by chance, so that
// what failed together does not come back together.
func (r *Runtime) pause(n int) time.Duration {
	longest := 30 * time.Second
	d := longest
	if n < 10 {
		d = min(longest, 50*time.Millisecond<<(n-1))
	}
	return d/2 + time.Duration(r.random()*float64(d/2))
}

// retry calls f until it succeeds, says something that no repetition changes, or ctx ends.
func (r *Runtime) retry(ctx context.Context, f func() error) error {
	for n := 1; ; n++ {
		err := f()
		if err == nil || isAnswer(err) || ctx.Err() != nil {
			return err
		}
		if err := sleep(ctx, r.pause(n)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
