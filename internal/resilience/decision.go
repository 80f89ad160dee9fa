// Package resilience makes failure a written decision: what happens when a dependency is down, slow or unreliable.
//
// A dependency is anything that can let a service down: the log, the blob store, the key service, a model, the disk, the clock.
// It cannot be constructed without saying what is done in each of the three conditions; there is no default. Whenever a decision is
// taken an incident is reported that names the dependency, the condition, the action and, where there is one, the verification.
//
// Two kinds of trouble are not this package's: an answer that is simply no (an erased key, a blob that is not there), which is an answer and not
// a failure, and a bug in the caller.
package resilience

import (
	"fmt"
	"time"
)

// Action is what is done instead.
type Action string

// The actions. Refuse and Skip leave it to the caller, who is told by a *Taken error; Wait goes on trying, and becomes one when its time is over.
const (
	Refuse Action = "refuse" // the door says come back in For; what is in hand waits where it is and is tried again
	Wait   Action = "wait"   // try or wait on for at most For (0: as long as the caller waits), then as Refuse
	Skip   Action = "skip"   // go on without: the checks that needed it end not performed, with Reason
)

// Condition is how a dependency lets one down.
type Condition string

// The conditions.
const (
	Down       Condition = "down"       // it answers with an error, or not at all
	Slow       Condition = "slow"       // it answers later than Decision.After
	Unreliable Condition = "unreliable" // it failed several times in a row
)

// Decision is what is done in one condition.
type Decision struct {
	Action Action
	After  time.Duration // of Slow: longer than this is slow
	For    time.Duration // how long the action holds
	Reason string        // of Skip: a code
}

// String spells a decision as `bonafide decisions` prints it, such as "300ms: wait 10s".
func (d Decision) String() string {
	s := string(d.Action)
	if d.After > 0 {
		s = d.After.String() + ": " + s
	}
	if d.For > 0 {
		s += " " + d.For.String()
	}
	if d.Reason != "" {
		s += " (" + d.Reason + ")"
	}
	return s
}

// Decisions are the three that a dependency needs.
type Decisions struct {
	Down, Slow, Unreliable Decision
}

func (d Decisions) validate() error {
	for c, one := range map[Condition]Decision{Down: d.Down, Slow: d.Slow, Unreliable: d.Unreliable} {
		if err := one.validate(); err != nil {
			return fmt.Errorf("when %s: %w", c, err)
		}
	}
	if d.Slow.After <= 0 {
		return fmt.Errorf("when slow: say after how long it is slow")
	}
	return nil
}

func (d Decision) validate() error {
	switch d.Action {
	case Refuse, Wait:
		return nil
	case Skip:
		if d.Reason == "" {
			return fmt.Errorf("%s needs a reason", d.Action)
		}
	case "":
		return fmt.Errorf("no action was decided")
	default:
		return fmt.Errorf("unknown action %q", d.Action)
	}
	return nil
}
