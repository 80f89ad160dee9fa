package logtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// tester drives one member: it polls when asked to, and remembers what it was told.
type tester struct {
	t *testing.T
	log.Member
	gained map[int32]log.Gained // lanes that are held
	lost   []log.Lost
	recs   map[int32][]log.Rec // since the lane was gained
}

var theGroup = log.Group{Name: "worker", Input: topicA, State: "worker-state.v1", Mode: log.ExactlyOnce}

func mode(m log.Mode) log.Group {
	g := theGroup
	g.Mode = m
	return g
}

func join(t *testing.T, l log.Log, g log.Group) *tester {
	t.Helper()
	m := must[log.Member](t)(l.Join(ctx(t), g))
	return &tester{t: t, Member: m, gained: map[int32]log.Gained{}, recs: map[int32][]log.Rec{}}
}

// poll polls until done is true; what is told meanwhile must make sense.
func (m *tester) poll(done func() bool) {
	m.t.Helper()
	for end := time.Now().Add(patience); !done(); {
		if time.Now().After(end) {
			m.t.Fatalf("still waiting: holds %v, lost %v", m.gained, m.lost)
		}
		c, cancel := context.WithTimeout(m.t.Context(), 100*time.Millisecond)
		events, err := m.Poll(c)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			m.t.Fatal(err)
		}
		for _, e := range events {
			m.take(e)
		}
	}
}

func (m *tester) take(e log.Event) {
	m.t.Helper()
	switch e := e.(type) {
	case log.Gained:
		if _, ok := m.gained[e.Lane]; ok {
			m.t.Fatalf("gained twice: %+v", e)
		}
		m.gained[e.Lane], m.recs[e.Lane] = e, nil
	case log.Lost:
		if m.gained[e.Lane].Gen != e.Gen {
			m.t.Fatalf("lost %+v, held %+v", e, m.gained[e.Lane])
		}
		delete(m.gained, e.Lane)
		m.lost = append(m.lost, e)
	case log.Records:
		if g, ok := m.gained[e.Lane]; !ok || g.Gen != e.Gen || len(e.Recs) == 0 {
			m.t.Fatalf("records of lane %d generation %d, held %+v", e.Lane, e.Gen, g)
		}
		m.recs[e.Lane] = append(m.recs[e.Lane], e.Recs...)
	}
}

func (m *tester) holding(n int) func() bool { return func() bool { return len(m.gained) == n } }

func (m *tester) having(lane int32, n int) func() bool {
	return func() bool { return len(m.recs[lane]) >= n }
}

// step commits a lane up to and with its first n records.
func (m *tester) step(lane int32, n int, s log.Step) error {
	s.Lane, s.Gen = lane, m.gained[lane].Gen
	if n > 0 {
		s.Upto = m.recs[lane][n-1].Pos.Next()
	}
	return m.Step(ctx(m.t), s)
}

func kv(k, v string) log.KV { return log.KV{Key: []byte(k), Val: []byte(v)} }

// dump is a state as text.
func dump(v log.View) (s string) {
	for k, v := range v.All() {
		s += string(k) + "=" + string(v) + " "
	}
	return s
}
