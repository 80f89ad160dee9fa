package embedded

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// headroom is disk space put aside, so that a full disk can be said and survived: when a write finds no
// space the reserve is given up, the write is done again and succeeds, and from then on nothing new is
// accepted until there is space to put aside again.
type headroom struct {
	fs   vfs.FS
	path string
	dir  string
	size int64
	full atomic.Bool
}

const headroomCheck = time.Second

func openHeadroom(s *store) *headroom {
	h := &headroom{fs: s.fs, path: s.path("reserve"), dir: s.dir, size: s.reserve}
	if err := h.lay(); err != nil {
		h.full.Store(true)
		s.log.Warn("no space to put aside: appends are refused", "dir", s.dir, "bytes", h.size, "err", plain(err))
	}
	return h
}

// lay makes the reserve, or keeps the one that is there.
func (h *headroom) lay() error {
	if st, err := h.fs.Stat(h.path); err == nil && st.Size() == h.size {
		return nil
	}
	f, err := h.fs.Create(h.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("making reserve: %w", err)
	}
	err = h.fill(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, h.fs.Remove(h.path))
	}
	return nil
}

// fill writes zeros rather than a size: a hole takes no space.
func (h *headroom) fill(f vfs.File) error {
	for left := h.size; left > 0; left -= 1 << 20 {
		if _, err := f.Write(make([]byte, min(left, 1<<20))); err != nil {
			return fmt.Errorf("filling reserve: %w", err)
		}
	}
	return f.Sync()
}

// spend gives the reserve up. Pebble's writes wait meanwhile and are then done once more.
func (h *headroom) spend() {
	if h == nil {
		return
	}
	h.full.Store(true)
	if err := h.fs.Remove(h.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return // the write fails, the store stops: nothing was promised
	}
}

// watch refuses appends before the disk is full, and takes them again when there is space.
func (h *headroom) watch(s *store) {
	tick := time.NewTicker(headroomCheck)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.failed:
			return
		case <-tick.C:
		}
		h.look(s)
	}
}

func (h *headroom) look(s *store) {
	u, err := h.fs.GetDiskUsage(h.dir)
	if err != nil {
		return
	}
	switch full := h.full.Load(); {
	case !full && int64(u.AvailBytes) < h.size/2:
		h.full.Store(true)
		s.log.Warn("disk is nearly full: appends are refused", "dir", h.dir, "free", u.AvailBytes)
	case full && int64(u.AvailBytes) >= 2*h.size && h.lay() == nil:
		h.full.Store(false)
		s.log.Info("disk has space again", "dir", h.dir, "free", u.AvailBytes)
	}
}
