package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
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
	failed               error // of finish: a disk that failed to flush may answer the next flush with a success that means nothing
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
	err = s.dep.Do(ctx, func(context.Context) (err error) {
		w.file, err = os.CreateTemp(s.temp(), "")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("writing a blob: %w", err)
	}
	w.sealed, err = key.Writer(w.file, place(client, verification))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing a blob: %w", err), w.Abort())
	}
	return w, nil
}

// Write takes more plain bytes.
func (w *Writer) Write(b []byte) (int, error) {
	n, err := w.sealed.Write(b)
	w.hash.Write(b[:n])
	w.bytes += int64(n)
	if err != nil {
		err = fmt.Errorf("writing a blob: %w", err)
	}
	return n, err
}

// Commit ends the blob and gives the lower-case hexadecimal SHA-256 and the number of its plain bytes. With durable, it
// survives a power cut once Commit has returned nil. After an error nothing is kept.
func (w *Writer) Commit(durable bool) (sha string, bytes int64, err error) {
	sha = hex.EncodeToString(w.hash.Sum(nil))
	err = w.store.dep.Do(w.ctx, func(context.Context) error {
		if w.failed == nil {
			w.failed = w.finish(durable)
		}
		return w.failed
	})
	if err == nil && !durable {
		// What stands there may be durable: only what cannot be read is replaced by what may be lost.
		if _, err := w.store.Get(w.ctx, w.client, w.verification, sha); err == nil {
			return sha, w.bytes, os.Remove(w.file.Name())
		}
	}
	if err == nil {
		err = w.store.dep.Do(w.ctx, func(context.Context) error { return w.move(sha, durable) })
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
	path, err := w.store.path(w.client, w.verification, sha)
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

// syncClient makes the directory of a client durable, once.
func (s *Store) syncClient(client string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[client] {
		return nil
	}
	if err := s.syncDir(s.root()); err != nil {
		return err
	}
	s.clients[client] = true
	return nil
}

// Abort throws the blob away. After Commit it does nothing.
func (w *Writer) Abort() error {
	_ = w.file.Close() // closed already after a failed Commit
	if err := os.Remove(w.file.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("throwing a blob away: %w", err)
	}
	return nil
}
