// Package embedded is the log on one machine, in one process, on Pebble.
//
// One goroutine writes: it takes whatever calls are waiting, checks them against the topics, offsets and
// generations that only it changes, builds one Pebble batch of them all and hands it over. A second one
// waits for the batches to be synced, in order, and only then shows the records to readers and answers
// the calls. So an offset is given once, nothing is seen that could still be lost, and a step (outputs,
// state, position) is atomic because a batch is.
//
// What Pebble does not promise by itself stands in store: damage that is noticed wherever a bit flips
// (watermark, seals, scrub, a checksum with every value, offsets without holes), a failure that stops the
// store instead of being answered with success, and a full disk that can be said and survived.
package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Options configure Open. Dir is required.
type Options struct {
	Dir     string           // data directory; made if need be
	Now     func() time.Time // the log's clock; default time.Now
	Log     *slog.Logger     // default: discards
	Reserve int64            // disk space put aside, in bytes; default 16 MiB

	fs          vfs.FS // default: the real one
	segment     int    // default segmentSize
	ring        int    // default ringBytes
	retainEvery time.Duration
	tune        func(*pebble.Options)
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reserve == 0 {
		o.Reserve = 16 << 20
	}
	if o.fs == nil {
		o.fs = vfs.Default
	}
	if o.segment == 0 {
		o.segment = segmentSize
	}
	if o.ring == 0 {
		o.ring = ringBytes
	}
	if o.retainEvery == 0 {
		o.retainEvery = time.Minute
	}
	return o
}

func (o Options) store() storeOptions {
	return storeOptions{dir: o.Dir, fs: o.fs, log: o.Log, reserve: o.Reserve, tune: o.tune}
}

// Log is a log.Log in a directory.
type Log struct {
	Options
	store *store
	epoch uint64

	topics atomic.Pointer[table]
	segs   segments // the writer's
	queue  queue
	syncs  chan *txn

	groups map[string]*group // the writer's

	life    sync.RWMutex  // held for reading while Pebble is read
	done    chan struct{} // closed when Close begins
	closing sync.Once
	workers sync.WaitGroup
}

var _ log.Log = (*Log)(nil)

// Open opens the log in a directory, or makes one. ErrInUse: another process has it. A DamagedError says
// what is affected; then nothing was changed on disk.
func Open(o Options) (*Log, error) {
	o = o.withDefaults()
	s, err := openStore(o.store())
	if err != nil {
		return nil, err
	}
	l := &Log{Options: o, store: s, groups: map[string]*group{}, done: make(chan struct{}),
		syncs: make(chan *txn, 64)}
	l.queue.ready = make(chan struct{}, 1)
	if err := l.load(); err != nil {
		s.close()
		return nil, fmt.Errorf("loading %s: %w", o.Dir, err)
	}
	l.workers.Go(l.write)
	l.workers.Go(l.settle)
	l.workers.Go(l.retain)
	return l, nil
}

// Close implements log.Log.
func (l *Log) Close() error {
	var err error
	l.closing.Do(func() {
		l.queue.close()
		close(l.done)
		l.store.unlessFailed(l.workers.Wait)
		l.life.Lock()
		defer l.life.Unlock()
		err = l.store.close()
	})
	return err
}

// Topics implements log.Log.
func (l *Log) Topics(context.Context) ([]log.Topic, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	var all []log.Topic
	for _, t := range l.table().sorted() {
		all = append(all, *t.desc.Load())
	}
	return all, nil
}

// Lanes implements log.Log.
func (l *Log) Lanes(_ context.Context, name string) (int32, error) {
	t, err := l.table().topic(name)
	if err != nil {
		return 0, err
	}
	return int32(len(t.lanes)), nil
}

func (l *Log) table() table { return *l.topics.Load() }

// alive is nil while the log is open and its store has not failed.
func (l *Log) alive() error {
	if err := l.store.err(); err != nil {
		return fmt.Errorf("%w: it stopped: %w", log.ErrClosed, err)
	}
	select {
	case <-l.done:
		return log.ErrClosed
	default:
		return nil
	}
}
