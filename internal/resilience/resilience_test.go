package resilience

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func decided() Decisions {
	return Decisions{
		Down:       Decision{Action: Skip, Reason: "no_key"},
		Slow:       Decision{Action: Refuse, After: 300 * time.Millisecond},
		Unreliable: Decision{Action: Refuse, For: 30 * time.Second},
	}
}

func newDependency(t *testing.T, d Decisions) (*Dependency, *[]Incident) {
	t.Helper()
	var seen []Incident
	dep, err := New(Config{Name: "key service", Decisions: d, Report: func(i Incident) { seen = append(seen, i) }})
	if err != nil {
		t.Fatal(err)
	}
	return dep, &seen
}

func TestNewRefusesWhatIsNotDecided(t *testing.T) {
	for name, change := range map[string]func(*Decisions){
		"down":             func(d *Decisions) { d.Down = Decision{} },
		"slow":             func(d *Decisions) { d.Slow = Decision{} },
		"unreliable":       func(d *Decisions) { d.Unreliable = Decision{} },
		"slow has no time": func(d *Decisions) { d.Slow.After = 0 },
		"skip has no code": func(d *Decisions) { d.Down = Decision{Action: Skip} },
		"not an action":    func(d *Decisions) { d.Down = Decision{Action: "hope"} },
	} {
		d := decided()
		change(&d)
		if _, err := New(Config{Name: "x", Decisions: d, Report: func(Incident) {}}); err == nil {
			t.Errorf("%s: a dependency without its decisions was made", name)
		}
	}
	if _, err := New(Config{Name: "x", Decisions: decided()}); err == nil {
		t.Error("a dependency without a reporter was made")
	}
}

func TestDownIsReportedWithWhomItTouches(t *testing.T) {
	d, seen := newDependency(t, decided())
	broken := errors.New("connection refused")
	err := d.Do(About(t.Context(), "c", "v"), func(context.Context) error { return broken })
	var taken *Taken
	if !errors.As(err, &taken) || taken.Decision.Action != Skip || !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if len(*seen) != 1 || (*seen)[0].Verification != "v" || (*seen)[0].Client != "c" || (*seen)[0].Condition != Down {
		t.Errorf("incidents: %+v", *seen)
	}
}

func TestWaitTriesOnForItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		decisions := decided()
		decisions.Down = Decision{Action: Wait, For: 2 * time.Second}
		decisions.Unreliable = Decision{Action: Wait}
		d, _ := newDependency(t, decisions)
		calls, began := 0, time.Now()
		err := d.Do(t.Context(), func(context.Context) error {
			if calls++; time.Since(began) > time.Second {
				return nil
			}
			return errors.New("not yet")
		})
		if err != nil || calls < 4 {
			t.Errorf("%d calls, %v", calls, err)
		}
		began = time.Now()
		err = d.Do(t.Context(), func(context.Context) error { return errors.New("never") })
		if took := time.Since(began); err == nil || took > 2*time.Second || took < time.Second {
			t.Errorf("gave up after %v: %v", took, err)
		}
	})
}

func TestSlowIsGivenUpOrOnlyReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, seen := newDependency(t, decided())
		late := func(ctx context.Context) error { return sleep(ctx, time.Second) }
		err := d.Do(t.Context(), late)
		if !errors.Is(err, ErrSlow) || len(*seen) != 1 || (*seen)[0].Condition != Slow {
			t.Errorf("refuse: %v, %+v", err, *seen)
		}
		decisions := decided()
		decisions.Slow.Action = Wait
		d, seen = newDependency(t, decisions)
		if err := d.Do(t.Context(), late); err != nil || len(*seen) != 1 || (*seen)[0].Condition != Slow {
			t.Errorf("wait: %v, %+v", err, *seen)
		}
	})
}

func TestCircuitOpensAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, seen := newDependency(t, decided())
		calls := 0
		fail := func(context.Context) error { calls++; return errors.New("broken") }
		for range 8 {
			_ = d.Do(t.Context(), fail)
		}
		if calls != failuresToOpen {
			t.Errorf("asked %d times, want %d", calls, failuresToOpen)
		}
		if got := (*seen)[len(*seen)-1].Condition; got != Unreliable {
			t.Errorf("last incident: %s", got)
		}
		time.Sleep(31 * time.Second)
		if err := d.Do(t.Context(), func(context.Context) error { calls++; return nil }); err != nil || calls != failuresToOpen+1 {
			t.Errorf("after the pause: %v, %d calls", err, calls)
		}
		_ = d.Do(t.Context(), fail)
		if d.open() {
			t.Error("one failure after a success opened the circuit")
		}
	})
}

// What does not heed its context is left behind at the end of its time; the next caller is not held up by it, and it ends when it can.
func TestAskLeavesAHangingCallBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		decisions := decided()
		decisions.Slow = Decision{Action: Wait, After: time.Second, For: 10 * time.Second}
		d, seen := newDependency(t, decisions)
		began, release := time.Now(), make(chan struct{})
		got, err := Ask(t.Context(), d, func(context.Context) (int, error) { <-release; return 1, nil })
		var taken *Taken
		if took := time.Since(began); got != 0 || !errors.As(err, &taken) || taken.Condition != Slow || took != 10*time.Second || len(*seen) != 1 {
			t.Errorf("gave up after %v: %d, %v, %d incidents", took, got, err, len(*seen))
		}
		if got, err := Ask(t.Context(), d, func(context.Context) (int, error) { return 2, nil }); got != 2 || err != nil {
			t.Errorf("the next: %d, %v", got, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := Ask(ctx, d, func(context.Context) (int, error) { time.Sleep(time.Second); return 3, nil }); got != 3 || err != nil {
			t.Errorf("cancelled at work: %d, %v", got, err)
		}
		close(release) // or the bubble would never end
	})
}

func TestAskPanicsInItsCaller(t *testing.T) {
	d, _ := newDependency(t, decided())
	for want, bug := range map[string]func(){
		"index out of range":     func() { _ = make([]int, 0)[len(decided().Down.Reason)] },
		"a value of type string": func() { panic("ERIKA MUSTERMANN") },
	} {
		func() {
			defer func() {
				err, _ := recover().(runtime.Error)
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "resilience_test.go") || strings.Contains(err.Error(), "ERIKA") {
					t.Errorf("recovered %v", err)
				}
			}()
			_, _ = Ask(t.Context(), d, func(context.Context) (int, error) { bug(); return 0, nil })
		}()
	}
}

func TestFinalIsNotWaitedFor(t *testing.T) {
	decisions := decided()
	decisions.Down = Decision{Action: Wait, For: time.Minute}
	d, seen := newDependency(t, decisions)
	broken := errors.New("the flush failed")
	if err := d.Do(t.Context(), func(context.Context) error { return Final(broken) }); !errors.Is(err, broken) || len(*seen) != 1 {
		t.Errorf("%v, %d incidents", err, len(*seen))
	}
	if Final(nil) != nil {
		t.Error("no error became one")
	}
}

func TestCancelledCallerIsNoFailure(t *testing.T) {
	d, seen := newDependency(t, decided())
	ctx, cancel := context.WithCancel(t.Context())
	err := d.Do(ctx, func(ctx context.Context) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) || len(*seen) != 0 {
		t.Errorf("%v, %+v", err, *seen)
	}
}

func TestRelayKeepsUntilAttached(t *testing.T) {
	var r Relay
	r.Report(Incident{Dependency: "a"})
	var got []string
	r.Attach(func(i Incident) { got = append(got, i.Dependency) })
	r.Report(Incident{Dependency: "b"})
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecisionsReadAsPeopleWriteThem(t *testing.T) {
	got := Decision{Action: Skip, After: 300 * time.Millisecond, For: time.Minute, Reason: "no_key"}.String()
	if got != "300ms: skip 1m0s (no_key)" {
		t.Error(got)
	}
}
