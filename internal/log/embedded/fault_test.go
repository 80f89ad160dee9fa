package embedded

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/bonafide-id/bonafide/internal/log"
)

// faulty is a file system that can be told to fail: syncs of files with a name that ends so, and every
// write beyond a number of bytes.
type faulty struct {
	vfs.FS
	badSync atomic.Pointer[string]
	hold    atomic.Pointer[chan struct{}] // syncs of the WAL wait until it is closed
	left    atomic.Int64                  // bytes that may still be written
	mu      sync.Mutex
	sizes   map[string]int64
}

func newFaulty() *faulty {
	f := &faulty{FS: vfs.Default, sizes: map[string]int64{}}
	f.left.Store(1 << 40)
	return f
}

var errDisk = errors.New("injected: input/output error")

func (f *faulty) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	x, err := f.FS.Create(name, c)
	return &faultyFile{x, f, name}, err
}

func (f *faulty) Remove(name string) error {
	f.mu.Lock()
	f.left.Add(f.sizes[name])
	delete(f.sizes, name)
	f.mu.Unlock()
	return f.FS.Remove(name)
}

func (f *faulty) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: uint64(max(f.left.Load(), 0))}, nil
}

type faultyFile struct {
	vfs.File
	fs   *faulty
	name string
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if f.fs.left.Add(-int64(len(b))) < 0 {
		f.fs.left.Add(int64(len(b)))
		return 0, syscall.ENOSPC
	}
	f.fs.mu.Lock()
	f.fs.sizes[f.name] += int64(len(b))
	f.fs.mu.Unlock()
	return f.File.Write(b)
}

func (f *faultyFile) Preallocate(int64, int64) error { return nil }
func (f *faultyFile) Sync() error                    { return f.sync(f.File.Sync) }
func (f *faultyFile) SyncData() error                { return f.sync(f.File.SyncData) }
func (f *faultyFile) SyncTo(int64) (bool, error)     { return true, f.sync(f.File.SyncData) }

func (f *faultyFile) sync(do func() error) error {
	if end := f.fs.badSync.Load(); end != nil && strings.HasSuffix(f.name, *end) {
		return errDisk
	}
	if c := f.fs.hold.Load(); c != nil && strings.HasSuffix(f.name, ".log") {
		<-*c
	}
	return do()
}

func one(val string) log.Rec {
	return log.Rec{Lane: log.Lane{Topic: "thing.v1"}, Key: []byte("k"), Val: []byte(val)}
}

// TestFailedSync: a sync that fails is never answered with success, everybody who waits is told, and
// nothing more is accepted; after that the directory can be opened again, with all that was answered.
func TestFailedSync(t *testing.T) {
	fs := newFaulty()
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10, fs: fs}
	l := open(t, o)
	check(t, l.Create(t.Context(), log.Topic{Name: "thing.v1", Lanes: 1}))
	var acked atomic.Int64
	atWork := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				_, err := l.Publish(t.Context(), one(fmt.Sprint(w, i)))
				if err == nil {
					if acked.Add(1) == 50 {
						close(atWork)
					}
					continue
				}
				if !errors.Is(err, log.ErrUnknown) && !errors.Is(err, log.ErrClosed) {
					t.Errorf("publishing on a broken disk: %v", err)
				}
				return
			}
		})
	}
	followed := make(chan error, 1)
	go func() {
		for _, err := range l.Read(t.Context(), log.Lane{Topic: "thing.v1"}, log.Pos{}, log.Pos{}) {
			if err != nil {
				followed <- err
			}
		}
	}()
	<-atWork
	bad := ".log"
	fs.badSync.Store(&bad)
	wg.Wait()
	if err := <-followed; !errors.Is(err, log.ErrClosed) {
		t.Errorf("following: %v", err)
	}
	if _, err := l.Publish(t.Context(), one("later")); !errors.Is(err, log.ErrClosed) {
		t.Errorf("publishing after it: %v", err)
	}
	check(t, l.Close())
	o.fs = nil
	l = open(t, o)
	b, err := l.Bounds(t.Context(), log.Lane{Topic: "thing.v1"})
	check(t, err)
	if b[0].End.Off < acked.Load() || acked.Load() == 0 {
		t.Errorf("%d answered, %d there", acked.Load(), b[0].End.Off)
	}
}

// TestNotDurableNotSeen holds a sync up: until it is done nobody is answered and nobody sees anything.
func TestNotDurableNotSeen(t *testing.T) {
	fs := newFaulty()
	l := open(t, Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10, fs: fs})
	check(t, l.Create(t.Context(), log.Topic{Name: "thing.v1", Lanes: 1}))
	m, err := l.Join(t.Context(), log.Group{Name: "g", Input: "thing.v1", Mode: log.AtLeastOnce})
	check(t, err)
	_, err = m.Poll(t.Context())
	check(t, err)
	hold := make(chan struct{})
	fs.hold.Store(&hold)
	got := make(chan string, 3)
	go func() {
		_, err := l.Publish(t.Context(), one("x"))
		got <- fmt.Sprint("answered ", err)
	}()
	go func() {
		for range l.Read(t.Context(), log.Lane{Topic: "thing.v1"}, log.Pos{}, log.Pos{}) {
			got <- "read"
			return
		}
	}()
	go func() {
		_, err := m.Poll(t.Context())
		got <- fmt.Sprint("polled ", err)
	}()
	select {
	case s := <-got:
		t.Errorf("%s before it was durable", s)
	case <-time.After(100 * time.Millisecond):
	}
	b, err := l.Bounds(t.Context(), log.Lane{Topic: "thing.v1"})
	if err != nil || b[0].End.Off != 0 {
		t.Errorf("the end is %v before it was durable, %v", b[0].End, err)
	}
	fs.hold.Store(nil)
	close(hold)
	for range 3 {
		if s := <-got; s != "read" && !strings.HasSuffix(s, "<nil>") {
			t.Error(s)
		}
	}
}

// TestFullDisk fills the disk under the log: it says so, loses nothing, reads on, and goes on when there
// is space.
func TestFullDisk(t *testing.T) {
	fs := newFaulty()
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 20, fs: fs}
	l := open(t, o)
	check(t, l.Create(t.Context(), log.Topic{Name: "thing.v1", Lanes: 1}))
	fs.left.Store(1 << 20)
	n := 0
	publish := func() error {
		_, err := l.Publish(t.Context(), one(fmt.Sprint(n)+strings.Repeat("x", 4000)))
		if err == nil {
			n++
		}
		return err
	}
	for err := error(nil); err == nil; err = publish() {
		if n > 10_000 {
			t.Fatal("the disk does not fill")
		}
		if n == 100 {
			fs.left.Store(20_000) // faster than it is looked at
		}
	}
	if err := publish(); !errors.Is(err, log.ErrFull) {
		t.Fatalf("publishing on a full disk: %v", err)
	}
	if l.store.err() != nil {
		t.Fatal(l.store.err())
	}
	had := n
	fs.left.Store(1 << 30)
	l.store.room.look(l.store)
	check(t, publish())
	check(t, l.Close())
	l = open(t, o)
	b, err := l.Bounds(t.Context(), log.Lane{Topic: "thing.v1"})
	check(t, err)
	if b[0].End.Off != int64(n) || had < 100 {
		t.Errorf("%d answered, %d there", n, b[0].End.Off)
	}
	for r, err := range l.Read(t.Context(), b[0].Lane, log.Pos{}, b[0].End) {
		check(t, err)
		if want := fmt.Sprint(r.Pos.Off) + "x"; !strings.HasPrefix(string(r.Val), want) {
			t.Fatalf("offset %d holds %.10s", r.Pos.Off, r.Val)
		}
	}
}

// TestFullDiskWithoutReserve fills the disk when there is nothing to give up: the log stops instead of
// answering, and what was answered is there when it is opened again; nothing else is half there.
func TestFullDiskWithoutReserve(t *testing.T) {
	for _, room := range []int64{0, 1000, 5000, 30_000} {
		fs := newFaulty()
		o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1, fs: fs}
		l := open(t, o)
		check(t, l.Create(t.Context(), log.Topic{Name: "thing.v1", Lanes: 1}, log.Topic{Name: "out.v1", Lanes: 1}))
		fs.left.Store(room)
		var err error
		n := 0
		for err == nil && n < 1000 {
			if _, err = l.Publish(t.Context(), one(fmt.Sprint(n)), log.Rec{Lane: log.Lane{Topic: "out.v1"}, Key: []byte("k"), Val: make([]byte, 700)}); err == nil {
				n++
			}
		}
		if !errors.Is(err, log.ErrFull) && !errors.Is(err, log.ErrUnknown) && !errors.Is(err, log.ErrClosed) {
			t.Errorf("with room for %d bytes: %v after %d", room, err, n)
		}
		check(t, l.Close())
		fs.left.Store(1 << 30)
		l = open(t, o)
		b, err := l.Bounds(t.Context(), log.Lane{Topic: "thing.v1"}, log.Lane{Topic: "out.v1"})
		check(t, err)
		if in, out := b[0].End.Off, b[1].End.Off; in < int64(n) || in != out {
			t.Errorf("with room for %d bytes: %d answered, %d there, %d of the other half", room, n, in, out)
		}
	}
}

func TestOneProcess(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10}
	open(t, o)
	if _, err := Open(o); !errors.Is(err, log.ErrInUse) || !strings.Contains(err.Error(), o.Dir) {
		t.Errorf("a second opening: %v", err)
	}
}
