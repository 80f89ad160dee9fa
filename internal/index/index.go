// Package index remembers where in a topic the records of each key stand, so that one verification can be read without reading its lane.
//
// It is a fold kept beside the log: what it knows is in a store of its own together with how far it has read, so that a restart goes on and a
// lost store is rebuilt by reading again. Nothing depends on how far it is: a reader takes what is indexed and reads the rest of the lane
// itself. In memory stands only what was read since the last write to the store.
package index

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Config of an index.
type Config struct {
	Log   log.Log
	Store *Store
	Topic string
	Keep  func(log.Rec) bool // which records are indexed; nil: all
	First bool               // of each key the first record only
	Every time.Duration      // between writes to the store; 0: one second
	Trim  time.Duration      // between looks for what retention has taken; 0: one minute
}

// Index of one topic. Safe for concurrent use.
type Index struct {
	Config
	lanes []*lane
	flush sync.Mutex    // one write at a time
	gap   chan struct{} // holds one: a reader met the beginning of what is kept
}

// pendingLimit is how many records of a lane wait for the store at most, when a whole topic is read for the first time.
const pendingLimit = 8192

// lane is what is not in the store yet. The store holds everything before that.
type lane struct {
	n int32

	mu      sync.Mutex
	next    log.Pos            // where reading goes on
	written log.Pos            // next, as the store has it
	pending map[string][]int64 // offsets by key
	size    int                // offsets in pending

	trimmed int64 // no entry ends before it; of trimOften alone
}

// Open makes an index of a topic that exists.
func Open(ctx context.Context, c Config) (*Index, error) {
	if c.Log == nil || c.Store == nil || c.Topic == "" {
		return nil, errors.New("index: log, store and topic are needed")
	}
	if c.Keep == nil {
		c.Keep = func(log.Rec) bool { return true }
	}
	if c.Every == 0 {
		c.Every = time.Second
	}
	if c.Trim == 0 {
		c.Trim = time.Minute
	}
	n, err := c.Log.Lanes(ctx, c.Topic)
	if err != nil {
		return nil, fmt.Errorf("indexing %s: %w", c.Topic, err)
	}
	x := &Index{Config: c, gap: make(chan struct{}, 1)}
	for i := range n {
		l := &lane{n: i, pending: map[string][]int64{}}
		if err := x.restore(ctx, l); err != nil {
			return nil, fmt.Errorf("indexing %s: %w", c.Topic, err)
		}
		x.lanes = append(x.lanes, l)
	}
	return x, nil
}

// Run follows the topic until ctx ends, and returns nil then.
func (x *Index) Run(ctx context.Context) error {
	group, inner := errgroup.WithContext(ctx)
	for _, l := range x.lanes {
		group.Go(func() error { return x.follow(inner, l) })
	}
	group.Go(func() error { return x.writeOften(inner) })
	group.Go(func() error { return x.trimOften(inner) })
	err := group.Wait()
	if ctx.Err() != nil {
		return x.write() // what was read need not be read again
	}
	return err
}

func (x *Index) follow(ctx context.Context, l *lane) error {
	for ctx.Err() == nil {
		err := x.read(ctx, l)
		if t := (*log.TrimmedError)(nil); errors.As(err, &t) {
			l.mu.Lock()
			l.next = t.First
			l.mu.Unlock()
			x.trimSoon()
			continue
		}
		if err != nil {
			return fmt.Errorf("indexing %s: %w", x.Topic, err)
		}
	}
	return nil
}

func (x *Index) read(ctx context.Context, l *lane) error {
	for r, err := range x.Log.Read(ctx, log.Lane{Topic: x.Topic, N: l.n}, l.position(), log.Pos{}) {
		if err != nil {
			return err
		}
		if l.take(r, x.Keep(r)) >= pendingLimit {
			if err := x.makeRoom(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeRoom writes, and reads no further until that succeeds.
func (x *Index) makeRoom(ctx context.Context) error {
	for {
		err := x.write()
		if !putOff(err) {
			return err
		}
		if err := pause(ctx, x.Every); err != nil {
			return err
		}
	}
}

func (l *lane) position() log.Pos {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// take notes a record and returns how many wait for the store.
func (l *lane) take(r log.Rec, keep bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = r.Pos.Next()
	if keep {
		l.pending[string(r.Key)] = append(l.pending[string(r.Key)], r.Pos.Off)
		l.size++
	}
	return l.size
}

func (x *Index) writeOften(ctx context.Context) error {
	tick := time.NewTicker(x.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			// What is pending stays so, up to its limit.
			if err := x.write(); err != nil && !putOff(err) {
				return err
			}
		}
	}
}
