// Package logtest is the contract of a log: whatever passes Run is one that services may be given.
package logtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Env is a log to be tested. Its clock is Clock.
type Env struct {
	Log   log.Log
	Clock *Clock
	// Reopen closes the log and opens it again on what it left behind.
	Reopen func(t *testing.T) log.Log
}

// patience is how long anything in the suite may take that has to come.
const patience = 20 * time.Second

// Run runs the suite; open makes a new, empty log for each test.
func Run(t *testing.T, open func(t *testing.T) Env) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Env)
	}{
		{"topics", testTopics}, {"illegal names", testNames},
		{"lane of a key", testLane}, {"order", testOrder}, {"many publishers", testPublishers},
		{"append time", testTime}, {"send", testSend}, {"too large", testTooLarge},
		{"follow", testFollow}, {"follow wakes all", testFollowers}, {"range", testRange},
		{"bounds and find", testFind}, {"trim", testTrim}, {"epochs", testEpoch},
		{"group from the beginning", testGroup}, {"sharing", testSharing}, {"fencing", testFencing},
		{"state moves with its lane", testState}, {"state at least once", testStateAtLeastOnce}, {"handing over at work", testHandover}, {"view", testView}, {"pause", testPause},
		{"at most once", testAtMostOnce}, {"exactly once is atomic", testAtomic}, {"step is checked", testStepChecked},
		{"committed and reset", testReset}, {"trimmed before it was read", testTrimmedGroup}, {"trimmed beside others", testTrimmedBeside},
		{"64 lanes", testManyLanes}, {"again after closing", testReopen}, {"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

const topicA = "thing.v1"

func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func no(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
}

func create(t *testing.T, l log.Log, name string, lanes int32) {
	t.Helper()
	no(t, l.Create(ctx(t), log.Topic{Name: name, Lanes: lanes}))
}

func rec(topic, key, val string) log.Rec {
	return log.Rec{Lane: log.Lane{Topic: topic}, Key: []byte(key), Val: []byte(val)}
}

// publish appends n records with values from 0 on under one key.
func publish(t *testing.T, l log.Log, topic, key string, n int) []log.Rec {
	t.Helper()
	var recs []log.Rec
	for i := range n {
		recs = append(recs, rec(topic, key, fmt.Sprint(i)))
	}
	return must[[]log.Rec](t)(l.Publish(ctx(t), recs...))
}

// all reads what is stable in a lane.
func all(t *testing.T, l log.Log, at log.Lane) []log.Rec {
	t.Helper()
	b := must[[]log.Bound](t)(l.Bounds(ctx(t), at))[0]
	return read(t, l, at, log.Pos{}, b.End)
}

func read(t *testing.T, l log.Log, at log.Lane, from, to log.Pos) (recs []log.Rec) {
	t.Helper()
	for r, err := range l.Read(ctx(t), at, from, to) {
		no(t, err)
		recs = append(recs, r)
	}
	return recs
}

func vals(recs []log.Rec) (v []string) {
	for _, r := range recs {
		v = append(v, string(r.Val))
	}
	return v
}
