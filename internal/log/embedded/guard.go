package embedded

import (
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var errFenced = errors.New("the store has failed: nothing more is written to it")

// guard stands between Pebble and the disk. It does three things that Pebble leaves to others: after a
// failure it refuses every further change (Pebble's own goroutines live on for a while), it reports how much of each MANIFEST is synced, and where things are erased it never reuses a WAL file: in the old end of
// it they would live on.
type guard struct {
	vfs.FS
	fresh    bool // every WAL is a new file
	dead     atomic.Bool
	manifest func(num uint64, size int64) error // called after each sync of a MANIFEST
}

func (g *guard) check() error {
	if g.dead.Load() {
		return errFenced
	}
	return nil
}

func (g *guard) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	w := &guardFile{File: f, g: g}
	if s, ok := strings.CutPrefix(filepath.Base(name), "MANIFEST-"); ok {
		w.manifest, _ = strconv.ParseUint(s, 10, 64)
	}
	return w, nil
}

func (g *guard) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	f, err := g.FS.Create(name, c)
	return g.wrap(name, f, err)
}

func (g *guard) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	f, err := g.FS.OpenReadWrite(name, c, o...)
	return g.wrap(name, f, err)
}

func (g *guard) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if g.fresh {
		if err := g.Remove(oldname); err != nil {
			return nil, err
		}
		return g.Create(newname, c)
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	f, err := g.FS.ReuseForWrite(oldname, newname, c)
	return g.wrap(newname, f, err)
}

func (g *guard) Link(oldname, newname string) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.FS.Link(oldname, newname)
}

func (g *guard) Rename(oldname, newname string) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.FS.Rename(oldname, newname)
}

func (g *guard) Remove(name string) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.FS.Remove(name)
}

func (g *guard) RemoveAll(name string) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.FS.RemoveAll(name)
}

// Lock does nothing: the store holds a lock of its own, which it can let go of even when Pebble hangs.
func (g *guard) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (g *guard) Unwrap() vfs.FS { return g.FS }

type guardFile struct {
	vfs.File
	g        *guard
	manifest uint64 // number, 0 for other files
	size     int64
}

func (f *guardFile) Write(b []byte) (int, error) {
	if err := f.g.check(); err != nil {
		return 0, err
	}
	n, err := f.File.Write(b)
	f.size += int64(n)
	return n, err
}

func (f *guardFile) Sync() error     { return f.synced(f.File.Sync) }
func (f *guardFile) SyncData() error { return f.synced(f.File.SyncData) }

func (f *guardFile) synced(sync func() error) error {
	if err := f.g.check(); err != nil {
		return err
	}
	if err := sync(); err != nil || f.manifest == 0 {
		return err
	}
	return f.g.manifest(f.manifest, f.size)
}
