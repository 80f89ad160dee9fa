package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// orphanAge is how long blobs are left alone whatever is said of them: the event that names them may still be on its way.
const orphanAge = 24 * time.Hour

// Owner is a verification that has a place among the blobs.
type Owner struct{ Client, Verification string }

// Prepare makes the place of a verification's blobs, so that Old finds it even where nothing comes to stand there.
func (s *Store) Prepare(ctx context.Context, client, verification string) error {
	path, err := s.path(client, verification)
	if err != nil {
		return err
	}
	return s.disk(ctx, func() error { return os.MkdirAll(path, 0o700) })
}

// Old yields the verifications to whose places nothing was written for a day. An error does not end it: it is of one place.
func (s *Store) Old() iter.Seq2[Owner, error] {
	return func(yield func(Owner, error) bool) {
		clients, err := os.ReadDir(s.root())
		if err != nil {
			yield(Owner{}, fmt.Errorf("looking for old blobs: %w", err))
			return
		}
		for _, c := range clients {
			if c.IsDir() && !s.oldOf(c.Name(), yield) {
				return
			}
		}
	}
}

// oldOf yields those of one client, and says whether more are wanted.
func (s *Store) oldOf(client string, yield func(Owner, error) bool) bool {
	all, err := os.ReadDir(filepath.Join(s.root(), client))
	if err != nil {
		return yield(Owner{}, fmt.Errorf("looking for old blobs: %w", err))
	}
	for _, v := range all {
		if !v.IsDir() {
			continue
		}
		o := Owner{client, v.Name()}
		old, err := s.IsOld(o)
		if err != nil {
			err = fmt.Errorf("looking for old blobs: %w", err)
		}
		if (old || err != nil) && !yield(o, err) {
			return false
		}
	}
	return true
}

// IsOld says whether nothing was written to the place of a verification for a day. One that is gone is not old.
func (s *Store) IsOld(o Owner) (bool, error) {
	dir, err := s.path(o.Client, o.Verification)
	if err != nil {
		return false, nil // nothing of ours stands there
	}
	newest, err := newest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && s.clock().Sub(newest) > orphanAge, err
}

// newest is when a directory, or any file in it, was last written to.
func newest(dir string) (time.Time, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return time.Time{}, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return time.Time{}, err
	}
	at := info.ModTime()
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return time.Time{}, err
		}
		if info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at, nil
}
