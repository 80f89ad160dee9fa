// Package resiliencetest makes dependencies for tests of what is built on them.
package resiliencetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// Refusing makes a dependency that refuses at once, so that no test waits.
func Refusing(t testing.TB, name string) *resilience.Dependency {
	t.Helper()
	refuse := resilience.Decision{Action: resilience.Refuse, For: time.Second}
	d, err := resilience.New(resilience.Config{Name: name, Report: func(resilience.Incident) {},
		Decisions: resilience.Decisions{Down: refuse, Slow: resilience.Decision{Action: resilience.Wait, After: time.Minute}, Unreliable: refuse}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Gone makes a dependency that is not asked any more because it failed, and without which is gone on for a reason.
func Gone(t testing.TB, name, reason string) *resilience.Dependency {
	t.Helper()
	skip := resilience.Decision{Action: resilience.Skip, Reason: reason, After: time.Minute, For: time.Hour}
	d, err := resilience.New(resilience.Config{Name: name, Report: func(resilience.Incident) {},
		Decisions: resilience.Decisions{Down: skip, Slow: skip, Unreliable: skip}})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_ = d.Do(t.Context(), func(context.Context) error { return errors.New("broken") })
	}
	return d
}
