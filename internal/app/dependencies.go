package app

import (
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// decided is what is done about each dependency of this installation. It is a decision, so it stands here in one place and is printed by
// `bonafide decisions`; a dependency cannot be constructed without its row.
var decided = []struct {
	name string
	resilience.Decisions
}{
	// The log is the truth: what cannot be written there is not said. Workers wait where they are; the door says come back.
	{"log", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Wait, For: 2 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 2 * time.Second, For: 30 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 5 * time.Second},
	}},
	// Without keys nothing can be sealed and nothing read: new work is refused at the door, work in hand waits where it is.
	{"keys", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Refuse, For: 5 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 300 * time.Millisecond, For: 10 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 30 * time.Second},
	}},
	// A disk that hiccups is asked again for a while; one that keeps failing is left alone and uploads are refused.
	{"blobs", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Wait, For: 2 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 2 * time.Second, For: 30 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 10 * time.Second},
	}},
}
