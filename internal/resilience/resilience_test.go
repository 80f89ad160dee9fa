package resilience

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func decided() Decisions {
	return Decisions{
		Down:       Decision{Action: Queue},
		Slow:       Decision{Action: Refuse, After: 300 * time.Millisecond},
		Unreliable: Decision{Action: Refuse, For: 30 * time.Second},
	}
}

func newDependency(t *testing.T, d Decisions) (*Dependency, *[]Incident) {
	t.Helper()
	var seen []Incident
	dep, err := New("key service", d, func(i Incident) { seen = append(seen, i) })
	if err != nil {
		t.Fatal(err)
	}
	return dep, &seen
}

func TestNewRefusesWhatIsNotDecided(t *testing.T) {
	for name, change := range map[string]func(*Decisions){
		"down":              func(d *Decisions) { d.Down = Decision{} },
		"slow":              func(d *Decisions) { d.Slow = Decision{} },
		"unreliable":        func(d *Decisions) { d.Unreliable = Decision{} },
		"slow has no time":  func(d *Decisions) { d.Slow.After = 0 },
		"skip has no code":  func(d *Decisions) { d.Down = Decision{Action: Skip} },
		"trust has no time": func(d *Decisions) { d.Down = Decision{Action: TrustFor} },
		"not an action":     func(d *Decisions) { d.Down = Decision{Action: "hope"} },
	} {
		d := decided()
		change(&d)
		if _, err := New("x", d, func(Incident) {}); err == nil {
			t.Errorf("%s: a dependency without its decisions was made", name)
		}
	}
	if _, err := New("x", decided(), nil); err == nil {
		t.Error("a dependency without a reporter was made")
	}
}

func TestDownIsReportedWithWhomItTouches(t *testing.T) {
	d, seen := newDependency(t, decided())
	broken := errors.New("connection refused")
	err := d.Do(About(t.Context(), "c", "v"), func(context.Context) error { return broken })
	var taken *Taken
	if !errors.As(err, &taken) || taken.Decision.Action != Queue || !errors.Is(err, broken) {
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
	got := Decision{Action: UseStale, After: 300 * time.Millisecond, For: time.Minute, Reason: "cached"}.String()
	if !strings.EqualFold(got, "300ms: use_stale 1m0s (cached)") {
		t.Error(got)
	}
}
