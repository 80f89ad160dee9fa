package stream

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
)

// PoisonError says that a message can never be worked on. Reason is a code and holds nothing personal.
type PoisonError struct {
	Reason string
	Err    error
}

func (e *PoisonError) Error() string { return fmt.Sprintf("poison (%s): %v", e.Reason, e.Err) }

// Unwrap gives the cause.
func (e *PoisonError) Unwrap() error { return e.Err }

// Poison wraps an error as one that no retry mends.
func Poison(reason string, err error) error { return &PoisonError{reason, err} }

func isPoison(err error) bool {
	var p *PoisonError
	return errors.As(err, &p)
}

// awayError is trouble with what nothing can go on without.
type awayError struct{ error }

func (e *awayError) Unwrap() error { return e.error }

// Away wraps an error that a service met when it asked the log by itself: what it concerns waits, as it does for the runtime's own calls.
func Away(err error) error { return &awayError{err} }

// away reports whether it was the log or the key service that failed. Nothing is given up because of these.
func (r *Runtime) away(err error) bool {
	var a *awayError
	var taken *resilience.Taken
	if errors.As(err, &taken) && (taken.Dependency == r.dep.Name() || taken.Dependency == r.keys.Dependency()) {
		return true
	}
	return errors.As(err, &a) || fatal(err)
}

// isTaken reports whether a dependency has decided to wait or to refuse, and reported it.
func isTaken(err error) bool {
	var taken *resilience.Taken
	return errors.As(err, &taken)
}

// gone reports whether a verification cannot be read any more, or never came to be: its key was erased, or thrown away with a refused upload.
func gone(err error) bool { return errors.Is(err, seal.ErrErased) || errors.Is(err, seal.ErrNoKey) }

// unsayable reports whether the log can never take what a service says.
func unsayable(err error) bool {
	return errors.Is(err, log.ErrTooLarge) || errors.Is(err, log.ErrBadName) || errors.Is(err, log.ErrNoTopic)
}

// condition is how an incident names what happened to a message.
func condition(err error) string {
	switch {
	case isPoison(err):
		return "poison"
	case isBug(err), unsayable(err):
		return "bug"
	}
	return "unreliable"
}

// reasonOf is the code of a dead letter.
func reasonOf(err error) string {
	var p *PoisonError
	switch {
	case errors.As(err, &p):
		return p.Reason
	case errors.Is(err, log.ErrTooLarge):
		return "too_large"
	case isBug(err), unsayable(err):
		return "bug"
	}
	return "unknown_error"
}

// bugError is a panic of a service.
type bugError struct {
	cause any
	stack []byte
}

// Error quotes what Go itself says, such as an index out of range; of anything else only the type, for it may hold what was on a document.
func (b *bugError) Error() string {
	what := fmt.Sprintf("a value of type %v", reflect.TypeOf(b.cause))
	if err, ok := b.cause.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Sprintf("panic: %s\n%s", what, b.stack)
}

func isBug(err error) bool {
	var b *bugError
	return errors.As(err, &b)
}

// guard calls f and turns a panic of it into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &bugError{p, debug.Stack()}
		}
	}()
	return f()
}
