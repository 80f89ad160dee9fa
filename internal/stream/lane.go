package stream

import (
	"fmt"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// heldEntries bounds the states that are held decoded in each lane; the others are read from the lane's view when they are wanted.
const heldEntries = 64

// keeper is one lane of a fold or chain: the states of its verifications, and what is to be written with the next step.
type keeper[S any] struct {
	n    int32
	gen  uint64
	view func() log.View
	void bool // the lane changed hands, or what was pending is void: wait until it is gained again

	at      time.Time // append time of the last record taken: the log's clock
	next    log.Pos   // after the last record taken
	entries map[string]*entry[S]
	dirty   map[string]bool
	wakes   wakes

	out     []log.Rec
	pending int       // records taken since the last step
	since   time.Time // when the first of them was taken, by the owner's clock
}

func newKeeper[S any](g log.Gained, m log.Member) (*keeper[S], error) {
	k := &keeper[S]{n: g.Lane, gen: g.Gen, next: g.Committed, entries: make(map[string]*entry[S]), dirty: make(map[string]bool)}
	k.view = func() log.View { return m.State(g.Lane) }
	for key, val := range k.view().All() {
		due, leave, err := entryTimes(val)
		if err != nil {
			return nil, fmt.Errorf("lane %d: %w", g.Lane, err)
		}
		k.wakes.set(string(key), sooner(due, leave))
	}
	return k, nil
}

// entry gives what is known of a verification, from memory, the lane's state, or nothing.
func (k *keeper[S]) entry(verification string) (*entry[S], error) {
	held, known := k.entries[verification]
	if held != nil {
		return held, nil
	}
	e := &entry[S]{seen: make(ids), said: make(ids)}
	if val, ok := k.view().Get([]byte(verification)); ok && !known { // known and nil: forgotten a moment ago
		var err error
		if e, err = decodeEntry[S](val); err != nil {
			return nil, err
		}
	}
	k.entries[verification] = e
	return e, nil
}

// touch marks a verification's entry as changed.
func (k *keeper[S]) touch(verification string, e *entry[S]) {
	k.dirty[verification] = true
	k.wakes.set(verification, e.wake())
}

// forget drops the state of a verification.
func (k *keeper[S]) forget(verification string) {
	k.entries[verification] = nil
	k.dirty[verification] = true
	k.wakes.set(verification, time.Time{})
}

// took notes that a record was taken.
func (k *keeper[S]) took(rec log.Rec, now time.Time) {
	k.at, k.next = later(k.at, rec.At), rec.Pos.Next()
	if k.pending == 0 {
		k.since = now
	}
	k.pending++
}

// step makes the step that writes all that is pending.
func (k *keeper[S]) step() (log.Step, error) {
	s := log.Step{Lane: k.n, Gen: k.gen, Out: k.out, Upto: k.next}
	for v := range k.dirty {
		kv := log.KV{Key: []byte(v)}
		if e := k.entries[v]; e != nil {
			var err error
			if kv.Val, err = e.encode(); err != nil {
				return s, err
			}
		}
		s.Put = append(s.Put, kv)
	}
	return s, nil
}

// stepped notes that the step was written.
func (k *keeper[S]) stepped() {
	for v := range k.dirty {
		if e := k.entries[v]; e == nil {
			delete(k.entries, v)
		} else {
			e.since = nil
		}
	}
	clear(k.dirty)
	k.out, k.pending = nil, 0
	if len(k.entries) > heldEntries {
		clear(k.entries)
	}
}
