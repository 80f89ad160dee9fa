package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/bonafide-id/bonafide/internal/log"
)

// pollLimit is how many records of one lane a Poll returns.
const pollLimit = 256

// member is one member of a group.
type member struct {
	log   *Log
	group *group
	wake  chan struct{}
	turn  int32 // the lane that comes first in the next Poll

	mu     sync.Mutex
	held   map[int32]*held
	closed bool
}

// held is a lane that the member was told it has.
type held struct {
	gen    uint64
	cur    cursor
	state  *state
	paused bool
}

// Poll implements log.Member.
func (m *member) Poll(ctx context.Context) ([]log.Event, error) {
	for {
		if err := errors.Join(ctx.Err(), m.alive()); err != nil {
			return nil, err
		}
		events, err := m.changes(ctx)
		if len(events) == 0 && err == nil {
			events, err = m.records(ctx)
		}
		if len(events) > 0 || err != nil {
			return events, err
		}
		select {
		case <-m.wake:
		case <-ctx.Done():
		case <-m.log.done:
		case <-m.log.store.failed:
		}
	}
}

func (m *member) alive() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return log.ErrClosed
	}
	return m.log.alive()
}

// changes tells of lanes that came and went since the last Poll.
func (m *member) changes(ctx context.Context) ([]log.Event, error) {
	events, gained := m.compare()
	if len(gained) == 0 {
		return events, nil
	}
	// What the previous owner had handed over is behind this when it returns.
	if err := m.log.do(ctx, func(*txn) error { return nil }); err != nil {
		return events, err
	}
	for _, n := range gained {
		e, err := m.gain(n)
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}

// compare drops what the member no longer has, and lists what it has and does not hold yet.
func (m *member) compare() (lost []log.Event, gained []int32) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.group.owner {
		n := int32(i)
		h := m.held[n]
		mine := m.group.owner[i] == m
		if h != nil && !(mine && h.gen == m.group.gen[i]) {
			lost = append(lost, log.Lost{Lane: n, Gen: h.gen})
			delete(m.held, n)
			m.group.topic.lanes[i].unsubscribe(m.wake)
			h = nil
		}
		if mine && h == nil {
			gained = append(gained, n)
		}
	}
	return lost, gained
}

// gain restores the state of a lane and holds it.
func (m *member) gain(n int32) (log.Event, error) {
	m.group.mu.Lock()
	gen, committed := m.group.gen[n], m.group.committed[n]
	m.group.mu.Unlock()
	ln := m.group.topic.lanes[n]
	st, err := m.log.restore(m.group.State, ln)
	if err != nil {
		return nil, fmt.Errorf("restoring lane %d of %s: %w", n, m.group.Name, err)
	}
	h := &held{gen: gen, state: st, cur: cursor{log: m.log, lane: ln, off: ln.begin(committed), to: -1}}
	m.mu.Lock()
	m.held[n] = h
	m.mu.Unlock()
	ln.subscribe(m.wake)
	return log.Gained{Lane: n, Gen: gen, Committed: committed, StableEnd: ln.bound(m.log.epoch).End}, nil
}

// records reads on in every lane that is held, beginning with another one each time.
func (m *member) records(ctx context.Context) ([]log.Event, error) {
	var events []log.Event
	lanes := int32(len(m.group.owner))
	for i := range lanes {
		n := (m.turn + i) % lanes
		e, err := m.read(n)
		if err != nil && len(events) == 0 {
			return nil, m.tell(n, err)
		}
		if err != nil {
			break // the next Poll meets it again
		}
		if e != nil {
			events = append(events, e)
		}
	}
	m.turn = (m.turn + 1) % lanes
	if m.group.Mode == log.AtMostOnce && len(events) > 0 {
		return m.commitFirst(ctx, events)
	}
	return events, nil
}

func (m *member) read(n int32) (log.Event, error) {
	m.mu.Lock()
	h := m.held[n]
	idle := h == nil || h.paused
	m.mu.Unlock()
	if idle {
		return nil, nil
	}
	if err := m.group.topic.err(); err != nil {
		return nil, err
	}
	recs, err := h.cur.next(pollLimit)
	if err != nil || len(recs) == 0 {
		return nil, err
	}
	return log.Records{Lane: n, Gen: h.gen, Recs: recs}, nil
}

// tell is the error of a lane on its way to the caller: only who hears of a gap is led past it.
func (m *member) tell(n int32, err error) error {
	if t := (*log.TrimmedError)(nil); errors.As(err, &t) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.held[n].cur.off = t.First.Off
	}
	return err
}

// commitFirst commits the positions after the records of events, and keeps only those still held.
func (m *member) commitFirst(ctx context.Context, events []log.Event) (kept []log.Event, err error) {
	err = m.log.do(ctx, func(t *txn) error {
		m.group.mu.Lock()
		defer m.group.mu.Unlock()
		for _, e := range events {
			r := e.(log.Records)
			if !m.group.holds(m, r.Lane, r.Gen) {
				continue
			}
			p := r.Recs[len(r.Recs)-1].Pos.Next()
			t.commit(m.group.Name, m.group.topic.lanes[r.Lane], p.Off)
			m.group.committed[r.Lane] = p
			kept = append(kept, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// Pause implements log.Member.
func (m *member) Pause(lanes ...int32) { m.pause(lanes, true) }

// Resume implements log.Member.
func (m *member) Resume(lanes ...int32) { m.pause(lanes, false) }

func (m *member) pause(lanes []int32, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range lanes {
		if h := m.held[n]; h != nil {
			h.paused = on
		}
	}
	signal(m.wake)
}

// Close implements log.Member.
func (m *member) Close(ctx context.Context) error {
	m.mu.Lock()
	was := m.closed
	m.closed = true
	m.mu.Unlock()
	signal(m.wake)
	if was || m.log.alive() != nil {
		return nil
	}
	for _, ln := range m.group.topic.lanes {
		ln.unsubscribe(m.wake)
	}
	return m.log.do(ctx, func(*txn) error { m.group.leave(m); return nil })
}
