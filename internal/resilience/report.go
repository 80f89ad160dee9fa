package resilience

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Incident says that a decision was taken.
type Incident struct {
	Dependency   string
	Condition    Condition
	Decision     Decision
	Client       string // whose work it touched; empty where it touched none in particular
	Verification string
	Err          error // the cause; it stays in the process's own log and is not published
}

// Reporter is told of each decision that is taken. It must not wait and must not use the dependency it is told about.
type Reporter func(Incident)

// Taken is the error of a decision that the caller must carry out: what was decided, and why.
type Taken struct {
	Dependency string
	Condition  Condition
	Decision   Decision
	Err        error
}

func (t *Taken) Error() string {
	return fmt.Sprintf("%s is %s, decided to %s: %v", t.Dependency, t.Condition, t.Decision, t.Err)
}

// Unwrap gives the cause.
func (t *Taken) Unwrap() error { return t.Err }

// Skipped gives the reason of a decision to go on without, if err is one.
func Skipped(err error) (reason string, ok bool) {
	var taken *Taken
	if !errors.As(err, &taken) || taken.Decision.Action != Skip {
		return "", false
	}
	return taken.Decision.Reason, true
}

type subject struct{ client, verification string }

type subjectKey struct{}

// About marks the context as work for a verification, so that incidents can name it.
func About(ctx context.Context, client, verification string) context.Context {
	return context.WithValue(ctx, subjectKey{}, subject{client, verification})
}

func about(ctx context.Context) subject {
	s, _ := ctx.Value(subjectKey{}).(subject)
	return s
}

// Relay keeps incidents until there is somebody to tell: dependencies exist before the log on which incidents are published. The zero
// value is ready.
type Relay struct {
	mu   sync.Mutex
	to   Reporter
	kept []Incident
}

// relayKeeps bounds what waits for Attach; the oldest go first.
const relayKeeps = 256

// Report passes an incident on, or keeps it until Attach.
func (r *Relay) Report(i Incident) {
	r.mu.Lock()
	to := r.to
	if to == nil {
		if len(r.kept) == relayKeeps {
			r.kept = r.kept[1:]
		}
		r.kept = append(r.kept, i)
	}
	r.mu.Unlock()
	if to != nil {
		to(i)
	}
}

// Attach names who is told from now on, and tells them what was kept.
func (r *Relay) Attach(to Reporter) {
	r.mu.Lock()
	kept := r.kept
	r.to, r.kept = to, nil
	r.mu.Unlock()
	for _, i := range kept {
		to(i)
	}
}
