package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

// verify looks at what stands outside Pebble's own care before Pebble may touch anything.
func (s *store) verify() (m mark, exists bool, err error) {
	name, err := currentManifest(s.fs, s.path("db"))
	if err != nil {
		return m, false, fmt.Errorf("looking at %s: %w", s.dir, err)
	}
	m, err = readMark(s.fs, s.path("watermark"))
	switch {
	case errors.Is(err, os.ErrNotExist) && name == "":
		return m, false, nil
	case errors.Is(err, errNoMark) && name == "" && !s.has("db"): // the first start did not come so far
		return m, false, nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, errNoMark):
		return m, false, damaged(s.path("watermark"), err)
	case err != nil:
		return m, false, err
	case name == "" && m.Batches > 0:
		return m, false, damaged(s.path("db"), errors.New("the database is gone"))
	case name == "":
		return m, false, nil
	}
	return m, true, scrubManifest(s.fs, s.path("db"), name, m)
}

// rehearse opens the database without changing it, and demands that all that was synced is there. A
// normal opening would make a damaged tail the new truth before anybody could look. It returns the
// tables that it had no time to check.
func (s *store) rehearse(m mark) ([]pebble.SSTableInfo, error) {
	db, err := s.openDB(true)
	if sys := (*os.PathError)(nil); errors.Is(err, log.ErrDamaged) || errors.As(err, &sys) {
		return nil, err
	} else if err != nil { // it opened when it was written
		return nil, damaged(s.path("db"), err)
	}
	defer db.Close()
	n, err := s.counter(db)
	if err != nil {
		return nil, err
	}
	if n < m.Batches {
		return nil, damaged(s.path("db"), fmt.Errorf("batch %d is the last one there, of %d that were synced", n, m.Batches))
	}
	all, err := tables(db)
	if err != nil {
		return nil, err
	}
	return scrubTables(s.fs, s.path("db"), all, s.opts, time.Now().Add(scrubBudget))
}

// create makes the database and closes it again: its first WAL is of the old format, which cannot tell
// damage from an unfinished write.
func (s *store) create() error {
	db, err := s.openDB(false)
	if err != nil {
		return err
	}
	return db.Close()
}

func (s *store) openDB(readOnly bool) (*pebble.DB, error) {
	s.opts = s.options(readOnly)
	db, err := pebble.Open(s.path("db"), s.opts)
	if err != nil {
		return nil, s.locate(wrapDamage(fmt.Errorf("opening: %w", err)))
	}
	return db, nil
}

// locate names the database where damage is not known to be of one file.
func (s *store) locate(err error) error {
	if d := (*log.DamagedError)(nil); errors.As(err, &d) && d.File == "" && d.Topic == "" {
		d.File = s.path("db")
	}
	return err
}

func (s *store) counter(db *pebble.DB) (uint64, error) {
	v, closer, err := db.Get(counterKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, wrapDamage(fmt.Errorf("reading batch counter: %w", err))
	}
	defer closer.Close()
	body, err := unsum(counterKey, v)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(body), nil
}
