package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/bonafide-id/bonafide/internal/log"
)

// scrubBudget is how long the start may take to read tables; what is left is read in the background.
const scrubBudget = 150 * time.Millisecond

// counterKey holds the number of the last batch. It is in every batch, so that what is found after a
// start can be compared with the watermark.
var counterKey = []byte("~counter")

type storeOptions struct {
	dir     string
	fs      vfs.FS // the real file system, or a faulty one in tests
	log     *slog.Logger
	reserve int64 // bytes of head-room on disk
	erases  bool  // what is deleted must leave the disk
	tune    func(*pebble.Options)
}

// store is a Pebble database that keeps its promises: what it says is durable is, and what it cannot
// give back as it was written it reports. In its directory stand db (Pebble's), watermark, reserve and
// lock.
type store struct {
	storeOptions
	guard *guard
	db    *pebble.DB
	opts  *pebble.Options
	wm    *watermark
	room  *headroom
	lock  io.Closer

	mu      sync.Mutex
	batches uint64 // number of the last batch handed to Pebble

	failOnce sync.Once
	failed   chan struct{} // closed by fail
	cause    atomic.Pointer[error]

	stop     chan struct{}
	workers  sync.WaitGroup
	activity atomic.Int64 // batches since the last seal
}

func openStore(o storeOptions) (*store, error) {
	s := &store{storeOptions: o, failed: make(chan struct{}), stop: make(chan struct{})}
	s.guard = &guard{FS: o.fs, fresh: o.erases, manifest: s.manifestSynced}
	if err := makeDir(o.fs, o.dir); err != nil {
		return nil, fmt.Errorf("making data directory: %w", err)
	}
	lock, err := o.fs.Lock(s.path("lock"))
	if err != nil {
		return nil, fmt.Errorf("%w: %s (%v); stop that process first, or name another directory", log.ErrInUse, o.dir, err)
	}
	s.lock = lock
	if err := s.open(); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

// makeDir makes a directory whose name survives a power cut, as its contents will.
func makeDir(fs vfs.FS, dir string) error {
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(fs, fs.PathDir(dir))
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *store) has(name string) bool {
	_, err := s.fs.Stat(s.path(name))
	return !errors.Is(err, os.ErrNotExist)
}

func (s *store) path(name string) string { return s.fs.PathJoin(s.dir, name) }

func (s *store) open() error {
	m, exists, err := s.verify()
	if err != nil {
		return err
	}
	if s.wm, err = openWatermark(s.guard, s.path("watermark"), m); err != nil {
		return err
	}
	s.room = openHeadroom(s)
	var todo []pebble.SSTableInfo
	if exists {
		if todo, err = s.rehearse(m); err != nil {
			return err
		}
	} else if err := s.create(); err != nil {
		return err
	}
	if s.db, err = s.openDB(false); err != nil {
		return err
	}
	if s.batches, err = s.counter(s.db); err != nil {
		return err
	}
	s.workers.Go(func() { s.room.watch(s) })
	s.workers.Go(func() { s.seal() })
	s.workers.Go(func() { s.scrubRest(todo) })
	return nil
}

// apply numbers a batch, hands it to Pebble and returns its number; it is durable when wait returns nil.
// Batches become durable in the order of their numbers.
func (s *store) apply(b *pebble.Batch) (n uint64, wait func() error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = s.batches + 1
	v := sum(counterKey, binary.BigEndian.AppendUint64(nil, n))
	if err := b.Set(counterKey, v, nil); err != nil {
		return 0, nil, err
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return 0, nil, err
	}
	s.batches = n
	s.activity.Add(1)
	return n, func() error { return s.settle(b, n) }, nil
}

func (s *store) settle(b *pebble.Batch, n uint64) error {
	if err := b.SyncWait(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	return s.wm.advance(n)
}

func (s *store) manifestSynced(num uint64, size int64) error { return s.wm.manifest(num, size) }

// fail stops the store for good: nothing is written any more, nothing waits for an answer any more.
func (s *store) fail(err error) {
	s.failOnce.Do(func() {
		s.guard.dead.Store(true)
		s.cause.Store(&err)
		close(s.failed)
		s.log.Error("the store has stopped", "dir", s.dir, "err", plain(err))
	})
}

// err is why the store has failed, or nil.
func (s *store) err() error {
	if p := s.cause.Load(); p != nil {
		return *p
	}
	return nil
}

// close flushes, so that the next start has nothing to replay, and lets go of the directory.
func (s *store) close() error {
	close(s.stop)
	s.unlessFailed(s.workers.Wait)
	if s.err() != nil { // Pebble may hang or lie now
		s.abandon()
		return nil
	}
	err := errors.Join(s.db.Flush(), s.db.Close())
	return errors.Join(err, s.wm.close(), s.lock.Close())
}

// unlessFailed waits for f, but not when the store has failed: then f may hang in Pebble.
func (s *store) unlessFailed(f func()) {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
	case <-s.failed:
	}
}

// abandon lets go of the directory and leaves everything as it is.
func (s *store) abandon() {
	s.guard.dead.Store(true)
	if s.wm != nil {
		s.wm.f.Close()
	}
	s.lock.Close()
}
