package app

import (
	"fmt"
	"time"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// decided is what is done about each dependency of this installation, and what follows from it. It is a decision, so it stands here in one place and
// is printed by `bonafide decisions`; a dependency cannot be constructed without its row.
var decided = []struct {
	name string
	resilience.Decisions
	then string
}{
	{"log", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Wait, For: 2 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 2 * time.Second, For: 30 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 5 * time.Second},
	}, "what cannot be written is not said: the door refuses, work waits without end"},
	{"keys", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Refuse, For: 5 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 300 * time.Millisecond, For: 10 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 30 * time.Second},
	}, "nothing is sealed or read: the door refuses, work waits without end"},
	{"blobs", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Wait, For: 2 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 2 * time.Second, For: 30 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 10 * time.Second},
	}, "the door refuses, work is tried again until its deadline; a write that failed is not repeated, a full disk is no failure"},
	// A network that fails fails again on the same picture. Nobody's picture may switch it off for others, so it is never left alone.
	{"models", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Skip, Reason: "model_failed"},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 10 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Wait},
	}, "the checks that need the network end not performed"},
	{"video decoder", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Wait, For: 2 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: 2 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 10 * time.Second},
	}, "of starting it: work is tried again until its deadline; a recording that takes 20 s ends too_costly"},
	{"index", resilience.Decisions{
		Down:       resilience.Decision{Action: resilience.Wait, For: 2 * time.Second},
		Slow:       resilience.Decision{Action: resilience.Wait, After: time.Second, For: 10 * time.Second},
		Unreliable: resilience.Decision{Action: resilience.Refuse, For: 5 * time.Second},
	}, "look-ups are refused; what is new is kept in memory, up to a limit, then indexing waits"},
}

// dependency makes one of the dependencies as was decided.
func dependency(name string, report resilience.Reporter) (*resilience.Dependency, error) {
	for _, d := range decided {
		if d.name == name {
			return resilience.New(resilience.Config{Name: name, Decisions: d.Decisions, Report: report, Now: time.Now})
		}
	}
	return nil, fmt.Errorf("nothing is decided for the dependency %s", name)
}

// unheard is the reporter of tools that run no services: what fails there ends them, and says why.
func unheard(resilience.Incident) {}

func openModels(dir string, report resilience.Reporter) (*models.Set, error) {
	dep, err := dependency("models", report)
	if err != nil {
		return nil, err
	}
	return models.Open(models.Config{Dir: modelsDir(dir), Dependency: dep})
}
