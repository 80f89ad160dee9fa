package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// orphanAge is how long a blob is left alone whatever is said of it: the event that names it may still be on its way.
const orphanAge = 24 * time.Hour

// Sweep removes the blobs of verifications that are not alive and were not written to for a day; it gives how many verifications went.
func (s *Store) Sweep(ctx context.Context, alive func(client, verification string) bool) (int, error) {
	dirs, err := filepath.Glob(filepath.Join(s.root(), "*", "*"))
	if err != nil {
		return 0, fmt.Errorf("sweeping blobs: %w", err)
	}
	swept := 0
	for _, dir := range dirs {
		client, verification := filepath.Base(filepath.Dir(dir)), filepath.Base(dir)
		old, err := s.old(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return swept, fmt.Errorf("sweeping blobs: %w", err)
		}
		if !old || alive(client, verification) {
			continue
		}
		if err := s.Remove(ctx, client, verification); err != nil {
			return swept, err
		}
		swept++
	}
	return swept, nil
}

// old reports whether neither the directory nor any blob in it was written to for a day.
func (s *Store) old(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	newest := info.ModTime()
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return false, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return s.clock().Sub(newest) > orphanAge, nil
}
