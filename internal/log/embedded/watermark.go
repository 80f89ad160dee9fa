package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// mark is what must at least be found on disk: the number of the last batch known to be synced, and how
// much of the two newest MANIFESTs is. Pebble takes a tail that does not check for one that was being
// written when the machine stopped, and drops it; the mark tells the two apart.
type mark struct {
	Seq      uint64 // of the mark itself
	Batches  uint64
	Manifest [2]synced // newest first
}

type synced struct {
	Num  uint64
	Size int64
}

// The mark stands in two slots, written in turn, so that a torn write leaves the other.
const (
	slotSize = 4096
	markSize = 8 + 7*8 + 4 // magic, seven numbers, checksum
	magic    = "bonafidW"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNoMark = errors.New("no valid watermark")

func (m mark) encode() []byte {
	b := append(make([]byte, 0, markSize), magic...)
	for _, v := range []uint64{1, m.Seq, m.Batches,
		m.Manifest[0].Num, uint64(m.Manifest[0].Size), m.Manifest[1].Num, uint64(m.Manifest[1].Size)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeMark(b []byte) (m mark, ok bool) {
	if len(b) < markSize || string(b[:8]) != magic {
		return m, false
	}
	n := markSize - 4
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return m, false
	}
	v := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8+8*i:]) }
	m = mark{Seq: v(1), Batches: v(2)}
	m.Manifest[0] = synced{v(3), int64(v(4))}
	m.Manifest[1] = synced{v(5), int64(v(6))}
	return m, v(0) == 1
}

// watermark keeps the mark in a file of its own. After every synced batch it is written, which survives
// the end of the process; when the store is idle, and with each MANIFEST, it is synced, which survives
// the end of the machine. (A sync for every batch would halve what the store can append.)
type watermark struct {
	mu    sync.Mutex
	f     vfs.File
	m     mark
	dirty bool
}

// readMark reads the newest valid mark. A file that is there and holds none is errNoMark.
func readMark(fs vfs.FS, path string) (mark, error) {
	f, err := fs.Open(path)
	if err != nil {
		return mark{}, err
	}
	defer f.Close()
	b := make([]byte, 2*slotSize)
	if n, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return mark{}, fmt.Errorf("reading watermark: %w", err)
	} else if n < len(b) {
		return mark{}, errNoMark
	}
	m0, ok0 := decodeMark(b[:slotSize])
	m1, ok1 := decodeMark(b[slotSize:])
	switch {
	case ok0 && (!ok1 || m0.Seq > m1.Seq):
		return m0, nil
	case ok1:
		return m1, nil
	}
	return mark{}, errNoMark
}

// openWatermark opens the file for writing, with m as what it holds, and makes it if need be.
func openWatermark(fs vfs.FS, path string, m mark) (*watermark, error) {
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("opening watermark: %w", err)
	}
	w := &watermark{f: f, m: m}
	for range 2 { // both slots, so that the file has its full size
		if err := w.write(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	if err := w.sync(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := syncDir(fs, fs.PathDir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

func (w *watermark) write() error {
	w.m.Seq++
	b := make([]byte, slotSize)
	copy(b, w.m.encode())
	w.dirty = true
	if _, err := w.f.WriteAt(b[:w.width()], int64(w.m.Seq%2)*slotSize); err != nil {
		return fmt.Errorf("writing watermark: %w", err)
	}
	return nil
}

// width is the bytes to write: a whole slot at first, then only the mark.
func (w *watermark) width() int {
	if w.m.Seq < 3 {
		return slotSize
	}
	return markSize
}

// advance says that batch n and all before it are synced.
func (w *watermark) advance(n uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n <= w.m.Batches {
		return nil
	}
	w.m.Batches = n
	return w.write()
}

// manifest says that size bytes of MANIFEST num are synced, and syncs that itself.
func (w *watermark) manifest(num uint64, size int64) error {
	w.mu.Lock()
	if num != w.m.Manifest[0].Num {
		w.m.Manifest[1] = w.m.Manifest[0]
	}
	w.m.Manifest[0] = synced{num, size}
	err := w.write()
	w.mu.Unlock()
	if err != nil {
		return err
	}
	return w.sync()
}

// sync makes the file durable, if it was written since.
func (w *watermark) sync() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dirty {
		return nil
	}
	if err := w.f.SyncData(); err != nil {
		return fmt.Errorf("syncing watermark: %w", err)
	}
	w.dirty = false
	return nil
}

func (w *watermark) close() error { return errors.Join(w.sync(), w.f.Close()) }
