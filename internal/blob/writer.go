package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// Writer takes the plain bytes of one blob; it hashes and seals them on the way to the disk. It must be ended by Commit or Abort.
type Writer struct {
	ctx                  context.Context
	store                *Store
	client, verification string
	file                 *os.File
	sealed               io.WriteCloser
	hash                 hash.Hash
	bytes                int64
	failed               error // the first: what the disk says after it, as after a flush that failed, means nothing
}

// Writer begins a blob of a verification whose data key exists.
func (s *Store) Writer(ctx context.Context, client, verification string) (*Writer, error) {
	if _, err := s.path(client, verification); err != nil {
		return nil, err
	}
	key, err := s.keys.Key(ctx, client, verification)
	if err != nil {
		return nil, fmt.Errorf("writing a blob: %w", err)
	}
	w := &Writer{ctx: ctx, store: s, client: client, verification: verification, hash: sha256.New()}
	w.file, err = resilience.Ask(ctx, s.dep, s.create)
	if err != nil {
		return nil, fmt.Errorf("writing a blob: %w", err)
	}
	w.sealed, err = key.Writer(w.file, place(client, verification))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing a blob: %w", err), w.Abort())
	}
	return w, nil
}

// create makes a temporary file, unless nobody waits for it any more.
func (s *Store) create(ctx context.Context) (*os.File, error) {
	f, err := os.CreateTemp(s.temp(), "")
	if err == nil && ctx.Err() != nil {
		return nil, errors.Join(context.Cause(ctx), f.Close(), os.Remove(f.Name()))
	}
	return f, err
}

// Write takes more plain bytes.
func (w *Writer) Write(b []byte) (int, error) {
	own := bytes.Clone(b) // a call that hangs reads them when b is another's again
	if err := w.disk(func() error { _, err := w.sealed.Write(own); return err }); err != nil {
		return 0, fmt.Errorf("writing a blob: %w", err)
	}
	w.hash.Write(own)
	w.bytes += int64(len(own))
	return len(own), nil
}

// disk does one thing to the file. After an error nothing more is done: a call that was given up may still be at work. A full disk is an answer
// and not a failure, for what is there can still be read.
func (w *Writer) disk(f func() error) error {
	if w.failed != nil {
		return w.failed
	}
	full, err := resilience.Ask(w.ctx, w.store.dep, func(context.Context) (full, err error) {
		if err = f(); errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return err, nil
		}
		return nil, resilience.Final(err)
	})
	w.failed = errors.Join(err, full)
	return w.failed
}

// Commit ends the blob and gives the lower-case hexadecimal SHA-256 and the number of its plain bytes. With durable, it
// survives a power cut once Commit has returned nil. After an error nothing is kept.
func (w *Writer) Commit(durable bool) (sha string, bytes int64, err error) {
	sha = hex.EncodeToString(w.hash.Sum(nil))
	err = w.disk(func() error { return w.finish(durable) })
	if err == nil && !durable {
		// What stands there may be durable: only what cannot be read is replaced by what may be lost.
		if _, err := w.store.Get(w.ctx, w.client, w.verification, sha); err == nil {
			return sha, w.bytes, w.Abort()
		}
	}
	if err == nil {
		err = w.disk(func() error { return w.move(sha, durable) })
	}
	if err != nil {
		return "", 0, errors.Join(fmt.Errorf("writing a blob: %w", err), w.Abort())
	}
	return sha, w.bytes, nil
}

func (w *Writer) finish(durable bool) error {
	if err := w.sealed.Close(); err != nil {
		return err
	}
	if durable {
		if err := w.store.flush(w.file); err != nil {
			return err
		}
	}
	return w.file.Close()
}

// move puts the file in its place. The directories on the way may have been made a moment ago by somebody who has not synced them yet, so
// those of the client and the verification are always synced.
func (w *Writer) move(sha string, durable bool) error {
	path, err := w.store.file(w.client, w.verification, sha)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.Rename(w.file.Name(), path); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	if err := errors.Join(w.store.syncDir(dir), w.store.syncDir(filepath.Dir(dir))); err != nil {
		return err
	}
	return w.store.syncClient(w.client)
}

// syncClient makes the directory of a client durable, once, or twice where two come first together.
func (s *Store) syncClient(client string) error {
	s.mu.Lock()
	done := s.clients[client]
	s.mu.Unlock()
	if done {
		return nil
	}
	if err := s.syncDir(s.root()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[client] = true
	return nil
}

// abortTime is how long throwing a blob away is waited for. What a disk that hangs keeps, the next start sweeps.
const abortTime = 5 * time.Second

// Abort throws the blob away. After Commit it does nothing.
func (w *Writer) Abort() error {
	gone := make(chan error, 1)
	go func() { gone <- w.remove() }()
	select {
	case err := <-gone:
		return err
	case <-time.After(abortTime):
		return errors.New("throwing a blob away: the disk hangs")
	}
}

func (w *Writer) remove() error {
	_ = w.file.Close() // closed already after a failed Commit
	if err := os.Remove(w.file.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("throwing a blob away: %w", err)
	}
	return nil
}
