package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Step implements log.Member. All steps of a call are one batch, whatever the mode of the group.
func (m *member) Step(ctx context.Context, steps ...log.Step) error {
	if err := m.alive(); err != nil {
		return err
	}
	if err := m.log.room(); err != nil {
		return err
	}
	err := m.log.do(ctx, func(t *txn) error { return m.step(t, steps) })
	if errors.Is(err, log.ErrUnknown) {
		var lanes []int32
		for _, s := range steps {
			lanes = append(lanes, s.Lane)
		}
		m.group.regain(m, lanes)
	}
	if err != nil {
		return fmt.Errorf("stepping %s: %w", m.group.Name, err)
	}
	return nil
}

func (m *member) step(t *txn, steps []log.Step) error {
	g := m.group
	g.mu.Lock()
	defer g.mu.Unlock()
	outs := make([][]*topic, len(steps))
	for i, s := range steps {
		if err := m.allowed(s); err != nil {
			return err
		}
		var err error
		if outs[i], err = m.log.targets(s.Out); err != nil {
			return err
		}
	}
	for i, s := range steps {
		for j, r := range s.Out {
			t.append(outs[i][j], r)
		}
		m.put(t, s)
		if ln := g.topic.lanes[s.Lane]; s.Upto.Off > g.committed[s.Lane].Off {
			t.commit(g.Name, ln, s.Upto.Off)
			g.committed[s.Lane] = log.Pos{Epoch: m.log.epoch, Off: s.Upto.Off}
		}
	}
	return nil
}

// allowed refuses what is fenced or makes no sense; the caller holds the group's mu.
func (m *member) allowed(s log.Step) error {
	if !m.group.holds(m, s.Lane, s.Gen) {
		return fmt.Errorf("%w: lane %d generation %d", log.ErrFenced, s.Lane, s.Gen)
	}
	if err := m.log.inEpoch(s.Upto); err != nil {
		return err
	}
	if end := m.group.topic.lanes[s.Lane].next; s.Upto.Off > end {
		return fmt.Errorf("committing %d of lane %d: its end is %d", s.Upto.Off, s.Lane, end)
	}
	if len(s.Put) > 0 && m.group.State == "" {
		return fmt.Errorf("group %s keeps no state", m.group.Name)
	}
	return nil
}

// put writes changes of state, and makes them visible in the member's view when they are durable.
func (m *member) put(t *txn, s log.Step) {
	if len(s.Put) == 0 {
		return
	}
	kvs := make([]log.KV, len(s.Put))
	for i, kv := range s.Put {
		k := stateKey(m.group.State, s.Lane, kv.Key)
		kvs[i] = log.KV{Key: append([]byte(nil), kv.Key...)}
		if kv.Val == nil {
			t.delete(k)
			continue
		}
		kvs[i].Val = append([]byte{}, kv.Val...)
		t.set(k, kvs[i].Val)
	}
	m.mu.Lock()
	h := m.held[s.Lane]
	m.mu.Unlock()
	if h != nil && h.gen == s.Gen {
		t.then = append(t.then, func() { h.state.put(kvs) })
	}
}
