package parallel_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/parallel"
)

func TestEachCallsAllWithinItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		done := make([]bool, 9)
		began := time.Now()
		if err := parallel.Each(3, len(done), func(i int) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			done[i] = true
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for i, ok := range done {
			if !ok {
				t.Errorf("%d was not called", i)
			}
		}
		if took := time.Since(began); took != 3*time.Second || most.Load() != 3 {
			t.Errorf("%v, %d at a time", took, most.Load())
		}
	})
}

func TestErrorStopsWhatHasNotBegun(t *testing.T) {
	bad := errors.New("bad")
	calls := 0
	if err := parallel.Each(1, 5, func(i int) error {
		calls++
		if i == 1 {
			return bad
		}
		return nil
	}); !errors.Is(err, bad) || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
	other := errors.New("other")
	if err := parallel.Do(func() error { time.Sleep(time.Millisecond); return bad }, func() error { return other }); !errors.Is(err, bad) {
		t.Errorf("not the first in order: %v", err)
	}
	if err := parallel.Do(); err != nil {
		t.Error(err)
	}
}

func TestPanicReachesTheCaller(t *testing.T) {
	defer func() {
		if err, _ := recover().(error); err == nil || !strings.Contains(err.Error(), "broken picture") || !strings.Contains(err.Error(), "parallel_test.go") {
			t.Errorf("recovered %v", err)
		}
	}()
	_ = parallel.Do(func() error { panic("broken picture") }, func() error { return nil })
	t.Error("no panic")
}
