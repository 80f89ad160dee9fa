package logbench

import (
	"fmt"
	"os"
	"sync"
)

// wal is the peer that the log is measured against: a bare write-ahead log with group commit. Whoever
// comes while a sync is under way waits for the next one, and all who wait share it. It has no index, no
// reader, no checksum; it cannot do less and be durable. Its file is laid out with zeros beforehand, so
// that a sync has nothing but data to write.
type wal struct {
	f    *os.File
	size int64 // laid out; beyond it the log begins again at the front
	off  int64

	mu      sync.Mutex
	waiting []byte
	round   *round
	busy    bool
}

// round is one shared sync.
type round struct {
	done chan struct{}
	err  error
}

func newWAL(path string, size int64) (*wal, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("making peer: %w", err)
	}
	for off := int64(0); off < size; off += 1 << 20 {
		if _, err := f.Write(make([]byte, 1<<20)); err != nil {
			return nil, fmt.Errorf("laying out peer: %w", err)
		}
	}
	return &wal{f: f, size: size, round: &round{done: make(chan struct{})}}, f.Sync()
}

// append returns when b is durable.
func (w *wal) append(b []byte) error {
	w.mu.Lock()
	w.waiting = append(w.waiting, b...)
	r := w.round
	if w.busy {
		w.mu.Unlock()
		<-r.done
		return r.err
	}
	w.busy = true
	for len(w.waiting) > 0 {
		w.flush()
	}
	w.busy = false
	w.mu.Unlock()
	return r.err
}

// flush writes and syncs what is waiting; the caller holds mu, which is free meanwhile.
func (w *wal) flush() {
	buf, r := w.waiting, w.round
	w.waiting, w.round = nil, &round{done: make(chan struct{})}
	w.mu.Unlock()
	r.err = w.write(buf)
	close(r.done)
	w.mu.Lock()
}

func (w *wal) write(b []byte) error {
	if w.off+int64(len(b)) > w.size {
		w.off = 0
	}
	if _, err := w.f.WriteAt(b, w.off); err != nil {
		return err
	}
	w.off += int64(len(b))
	return datasync(w.f)
}

func (w *wal) close() error { return w.f.Close() }
