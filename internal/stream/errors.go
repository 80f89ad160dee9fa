package stream

import (
	"errors"
	"fmt"
)

// ErrTransient marks what may succeed when tried again soon.
var ErrTransient = errors.New("transient")

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

// Transient wraps an error as one worth trying again.
func Transient(err error) error { return fmt.Errorf("%w: %w", ErrTransient, err) }
