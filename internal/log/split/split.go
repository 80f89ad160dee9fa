// Package split makes the promise of a log as weak as its interface allows, for tests: a step that is not
// exactly once is written in pieces (each output, then state, then position), and the test may break off
// between any two of them. On the embedded log such a step happens to be one atomic batch; on Kafka it is
// not. Who passes on both assumes neither.
package split

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Point is a place within a step where it may break off.
type Point int

// The points, in the order in which a step comes by them. AfterOutput comes once for each output.
const (
	AfterOutput Point = iota + 1
	AfterState
	AfterPosition // all is written, and the answer is lost
)

// Options configure Wrap.
type Options struct {
	Log   log.Log
	Crash func(Point) bool // whether to break off here; nil never does
}

// Wrap returns a log whose steps are split.
func Wrap(o Options) log.Log {
	if o.Crash == nil {
		o.Crash = func(Point) bool { return false }
	}
	return &split{Log: o.Log, crash: o.Crash}
}

type split struct {
	log.Log
	crash func(Point) bool
}

func (s *split) Join(ctx context.Context, g log.Group) (log.Member, error) {
	m, err := s.Log.Join(ctx, g)
	if err != nil || g.Mode == log.ExactlyOnce {
		return m, err
	}
	return &member{log: s, group: g, inner: m, held: map[int32]uint64{}}, nil
}

// member breaks off a step by leaving the group and joining it again, as a process does that has died:
// the lanes it held come back, if at all, as gained.
type member struct {
	log   *split
	group log.Group

	mu     sync.Mutex
	inner  log.Member
	held   map[int32]uint64 // generations, as told by Poll
	lost   []log.Event      // to be told by the next Poll
	closed bool
}

func (m *member) now() (log.Member, []log.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lost := m.lost
	m.lost = nil
	return m.inner, lost
}

func (m *member) Poll(ctx context.Context) ([]log.Event, error) {
	for {
		inner, lost := m.now()
		if len(lost) > 0 {
			return lost, nil
		}
		events, err := inner.Poll(ctx)
		if m.note(inner, events) {
			return events, err
		}
	}
}

// note remembers what is held; false where the member has been replaced meanwhile, and its events are void.
func (m *member) note(inner log.Member, events []log.Event) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if inner != m.inner {
		return false
	}
	for _, e := range events {
		switch e := e.(type) {
		case log.Gained:
			m.held[e.Lane] = e.Gen
		case log.Lost:
			delete(m.held, e.Lane)
		}
	}
	return true
}

func (m *member) Step(ctx context.Context, steps ...log.Step) error {
	m.mu.Lock()
	inner := m.inner
	m.mu.Unlock()
	for _, s := range steps {
		if err := m.step(ctx, inner, s); err != nil {
			return err
		}
	}
	return nil
}

func (m *member) step(ctx context.Context, inner log.Member, s log.Step) error {
	if err := inner.Step(ctx, log.Step{Lane: s.Lane, Gen: s.Gen}); err != nil {
		return err
	}
	for _, r := range s.Out {
		if _, err := m.log.Publish(ctx, r); err != nil {
			return err
		}
		if m.log.crash(AfterOutput) {
			return m.restart(ctx, inner)
		}
	}
	if len(s.Put) > 0 {
		if err := inner.Step(ctx, log.Step{Lane: s.Lane, Gen: s.Gen, Put: s.Put}); err != nil {
			return err
		}
		if m.log.crash(AfterState) {
			return m.restart(ctx, inner)
		}
	}
	if err := inner.Step(ctx, log.Step{Lane: s.Lane, Gen: s.Gen, Upto: s.Upto}); err != nil {
		return err
	}
	if m.log.crash(AfterPosition) {
		return m.restart(ctx, inner)
	}
	return nil
}

func (m *member) restart(ctx context.Context, old log.Member) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inner != old || m.closed {
		return log.ErrUnknown
	}
	next, err := m.log.Log.Join(ctx, m.group)
	if err != nil {
		return errors.Join(log.ErrUnknown, err)
	}
	m.inner = next
	for lane, gen := range m.held {
		m.lost = append(m.lost, log.Lost{Lane: lane, Gen: gen})
	}
	clear(m.held)
	return fmt.Errorf("%w: broken off", errors.Join(log.ErrUnknown, old.Close(ctx)))
}

func (m *member) Pause(lanes ...int32)      { m.current().Pause(lanes...) }
func (m *member) Resume(lanes ...int32)     { m.current().Resume(lanes...) }
func (m *member) State(lane int32) log.View { return m.current().State(lane) }

func (m *member) current() log.Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.inner
}

func (m *member) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	return m.current().Close(ctx)
}
