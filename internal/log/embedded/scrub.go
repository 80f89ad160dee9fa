package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// currentManifest is the name of the MANIFEST in use; empty where there is no database yet.
func currentManifest(fs vfs.FS, dir string) (string, error) {
	if _, err := fs.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return atomicfs.ReadMarker(fs, dir, "manifest")
}

// scrubManifest demands that the MANIFEST in use is one that the mark knows, and that all of it that was
// once synced is intact. Pebble itself takes a broken record for the end of the file and goes on with
// what came before it.
func scrubManifest(fs vfs.FS, dir, name string, m mark) error {
	path := fs.PathJoin(dir, name)
	for _, s := range m.Manifest {
		if s.Num != 0 && name == fmt.Sprintf("MANIFEST-%06d", s.Num) {
			return scrubRecords(fs, path, s.Size)
		}
	}
	return damaged(path, errors.New("not the MANIFEST that was last written"))
}

// scrubRecords demands that the first size bytes of a file of records are whole records.
func scrubRecords(fs vfs.FS, path string, size int64) error {
	f, err := fs.Open(path)
	if err != nil {
		return damaged(path, err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil {
		return fmt.Errorf("scrubbing %s: %w", path, err)
	} else if st.Size() < size {
		return damaged(path, fmt.Errorf("%d bytes, of %d that were synced", st.Size(), size))
	}
	r := record.NewReader(io.NewSectionReader(f, 0, size), 0)
	for {
		rec, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, rec)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(path, err)
		}
	}
}

// tables lists the sorted tables in use, newest first.
func tables(db *pebble.DB) ([]pebble.SSTableInfo, error) {
	levels, err := db.SSTables()
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	all := slices.Concat(levels...)
	slices.SortFunc(all, func(a, b pebble.SSTableInfo) int { return int(b.BackingSSTNum) - int(a.BackingSSTNum) })
	return all, nil
}

// scrubTable checks every block of one sorted table.
func scrubTable(fs vfs.FS, path string, o *pebble.Options) error {
	f, err := fs.Open(path)
	if err != nil {
		return damaged(path, err)
	}
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return damaged(path, errors.Join(err, f.Close()))
	}
	return scrubReadable(readable, path, o)
}

func scrubReadable(readable objstorage.Readable, path string, o *pebble.Options) error {
	r, err := sstable.NewReader(context.Background(), readable, o.MakeReaderOptions())
	if err != nil {
		return damaged(path, errors.Join(err, readable.Close()))
	}
	defer r.Close()
	if err := r.ValidateBlockChecksums(); err != nil {
		return damaged(path, err)
	}
	return nil
}

// scrubTables checks tables, newest first, until the time is up; the rest is returned.
func scrubTables(fs vfs.FS, dir string, todo []pebble.SSTableInfo, o *pebble.Options, until time.Time) ([]pebble.SSTableInfo, error) {
	for len(todo) > 0 && time.Now().Before(until) {
		path := fs.PathJoin(dir, todo[0].BackingSSTNum.String()+".sst")
		if err := scrubTable(fs, path, o); err != nil {
			return nil, err
		}
		todo = todo[1:]
	}
	return todo, nil
}

// scrubRest checks, in the background, the tables for which the start had no time.
func (s *store) scrubRest(todo []pebble.SSTableInfo) {
	for len(todo) > 0 {
		select {
		case <-s.stop:
			return
		case <-s.failed:
			return
		case <-time.After(100 * time.Millisecond):
		}
		rest, err := scrubTables(s.fs, s.path("db"), todo[:1], s.opts, time.Now().Add(time.Second))
		if err != nil && !s.replaced(todo[0]) {
			s.fail(err)
			return
		}
		todo = append(rest, todo[1:]...)
	}
}

// replaced reports whether a table has been compacted away since it was listed.
func (s *store) replaced(t pebble.SSTableInfo) bool {
	all, err := tables(s.db)
	if err != nil {
		return false
	}
	for _, u := range all {
		if u.BackingSSTNum == t.BackingSSTNum {
			return false
		}
	}
	return true
}
