package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/bonafide-id/bonafide/internal/log"
)

// group is one group in memory. Members join and leave on the writer's goroutine, so that a step is
// either before or after a change of hands, never in the midst of it.
type group struct {
	log.Group
	topic *topic

	mu        sync.Mutex
	members   []*member // in the order they joined
	owner     []*member // by lane; nil where there is none
	gen       []uint64  // by lane
	committed []log.Pos // by lane, as handed to Pebble
}

// Join implements log.Log.
func (l *Log) Join(ctx context.Context, cfg log.Group) (log.Member, error) {
	if err := log.CheckGroup(cfg); err != nil {
		return nil, err
	}
	m := &member{log: l, held: map[int32]*held{}, wake: make(chan struct{}, 1)}
	err := l.do(ctx, func(*txn) error {
		g, err := l.group(cfg)
		if err != nil {
			return err
		}
		m.group = g
		return g.join(l, m)
	})
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", cfg.Name, err)
	}
	return m, nil
}

func (l *Log) group(cfg log.Group) (*group, error) {
	t, err := l.table().topic(cfg.Input)
	if err != nil {
		return nil, err
	}
	g := l.groups[cfg.Name]
	if g == nil || len(g.members) == 0 && g.Group != cfg {
		n := len(t.lanes)
		g = &group{Group: cfg, topic: t, owner: make([]*member, n), gen: make([]uint64, n), committed: make([]log.Pos, n)}
		l.groups[cfg.Name] = g
	}
	if g.Group != cfg {
		return nil, fmt.Errorf("the members of group %s do not agree: %+v, %+v", cfg.Name, g.Group, cfg)
	}
	return g, nil
}

func (g *group) join(l *Log, m *member) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.members) == 0 {
		for n := range g.committed {
			p, err := l.committed(g.Name, g.topic.lanes[n])
			if err != nil {
				return err
			}
			g.committed[n] = p
		}
	}
	g.members = append(g.members, m)
	g.balance()
	return nil
}

func (g *group) leave(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var rest []*member
	for _, x := range g.members {
		if x != m {
			rest = append(rest, x)
		}
	}
	g.members = rest
	for n := range g.owner {
		if g.owner[n] == m {
			g.owner[n] = nil
		}
	}
	g.balance()
}

// balance gives lanes without an owner to whoever has the fewest, and then moves as few as will do. The
// caller holds mu.
func (g *group) balance() {
	if len(g.members) == 0 {
		return
	}
	for n := range g.owner {
		if g.owner[n] == nil {
			g.give(n, g.extreme(func(a, b int) bool { return a < b }))
		}
	}
	for {
		most := g.extreme(func(a, b int) bool { return a > b })
		least := g.extreme(func(a, b int) bool { return a < b })
		if g.count(most)-g.count(least) < 2 {
			break
		}
		for n := range g.owner {
			if g.owner[n] == most {
				g.give(n, least)
				break
			}
		}
	}
	for _, m := range g.members {
		signal(m.wake)
	}
}

func (g *group) give(n int, m *member) {
	g.owner[n] = m
	g.gen[n]++
}

func (g *group) count(m *member) (n int) {
	for _, o := range g.owner {
		if o == m {
			n++
		}
	}
	return n
}

// extreme is the first member whose number of lanes comes before that of the others.
func (g *group) extreme(before func(a, b int) bool) *member {
	best := g.members[0]
	for _, m := range g.members[1:] {
		if before(g.count(m), g.count(best)) {
			best = m
		}
	}
	return best
}

// holds reports whether m owns a lane in a generation; the caller holds mu.
func (g *group) holds(m *member, lane int32, gen uint64) bool {
	return lane >= 0 && int(lane) < len(g.owner) && g.owner[lane] == m && g.gen[lane] == gen
}

// regain makes lanes that m still holds come back to it in a new generation.
func (g *group) regain(m *member, lanes []int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range lanes {
		if int(n) < len(g.owner) && g.owner[n] == m {
			g.give(int(n), m)
		}
	}
	signal(m.wake)
}

// committed reads a committed position from disk. On the writer's goroutine that is what has been handed
// over, and durable once the request is answered.
func (l *Log) committed(group string, ln *lane) (log.Pos, error) {
	v, err := l.get(groupKey(group, ln.topic.id, ln.n))
	if err != nil || v == nil {
		return log.Pos{}, err
	}
	return log.Pos{Epoch: l.epoch, Off: int64(binary.BigEndian.Uint64(v))}, nil
}

func (t *txn) commit(group string, ln *lane, off int64) {
	t.set(groupKey(group, ln.topic.id, ln.n), u64(nil, off))
}

// Committed implements log.Log.
func (l *Log) Committed(ctx context.Context, group string, lanes ...log.Lane) ([]log.Pos, error) {
	all := make([]log.Pos, len(lanes))
	err := l.do(ctx, func(*txn) error {
		for i, at := range lanes {
			ln, err := l.table().lane(at)
			if err != nil {
				return err
			}
			if all[i], err = l.committed(group, ln); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Reset implements log.Log.
func (l *Log) Reset(ctx context.Context, group string, to map[log.Lane]log.Pos) error {
	return l.do(ctx, func(t *txn) error {
		if g := l.groups[group]; g != nil && len(g.members) > 0 {
			return fmt.Errorf("%w: %s has %d", log.ErrBusy, group, len(g.members))
		}
		for at, p := range to {
			ln, err := l.table().lane(at)
			if err != nil {
				return err
			}
			if err := l.inEpoch(p); err != nil {
				return err
			}
			if p.Off > ln.next {
				return fmt.Errorf("resetting %s to %d of %s/%d: its end is %d", group, p.Off, at.Topic, at.N, ln.next)
			}
		}
		for at, p := range to {
			ln, _ := l.table().lane(at)
			if p.IsZero() {
				t.delete(groupKey(group, ln.topic.id, ln.n))
				continue
			}
			t.commit(group, ln, p.Off)
		}
		return nil
	})
}
