package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// purgeTries is how often files are looked for that should be gone; the first pauses are short.
const purgeTries = 200

// purge makes the bytes under a deleted key leave the directory: out of memory into a table, out of all
// tables, and out of the WAL. Pebble keeps a few WAL files to use them again, the oldest first (the
// guard then makes a new file), so the WAL is turned over until those are gone.
func (s *store) purge(key []byte) error {
	wal, err := s.newest(".log")
	if err != nil {
		return err
	}
	if err := s.turn(); err != nil {
		return err
	}
	if err := s.db.Compact(context.Background(), key, after(key), false); err != nil {
		return fmt.Errorf("compacting: %w", wrapDamage(err))
	}
	for i := range purgeTries {
		logs, tables, err := s.strays(wal)
		switch {
		case err != nil:
			return err
		case logs == 0 && tables == 0:
			return nil
		case logs > 0:
			err = s.turn()
		}
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(min(i, 20)) * time.Millisecond)
	}
	return errors.New("the deleted bytes have not left the disk yet: delete again")
}

// turn begins a new WAL.
func (s *store) turn() error {
	if _, wait, err := s.apply(s.db.NewBatch()); err != nil {
		return err
	} else if err := wait(); err != nil {
		return err
	}
	if err := s.db.Flush(); err != nil {
		return fmt.Errorf("flushing: %w", err)
	}
	return nil
}

// strays counts the WAL files up to number wal, and the tables that the database no longer uses.
func (s *store) strays(wal uint64) (logs, stray int, err error) {
	all, err := tables(s.db)
	if err != nil {
		return 0, 0, err
	}
	live := map[uint64]bool{}
	for _, t := range all {
		live[uint64(t.BackingSSTNum)] = true
	}
	err = s.files(func(n uint64, ext string) {
		if ext == ".log" && n <= wal {
			logs++
		}
		if ext == ".sst" && !live[n] {
			stray++
		}
	})
	return logs, stray, err
}

func (s *store) newest(ext string) (num uint64, err error) {
	err = s.files(func(n uint64, e string) {
		if e == ext {
			num = max(num, n)
		}
	})
	return num, err
}

// files calls f for the numbered files of the database.
func (s *store) files(f func(num uint64, ext string)) error {
	names, err := s.fs.List(s.path("db"))
	if err != nil {
		return fmt.Errorf("listing %s: %w", s.path("db"), err)
	}
	for _, name := range names {
		ext := filepath.Ext(name)
		if n, err := strconv.ParseUint(strings.TrimSuffix(name, ext), 10, 64); err == nil {
			f(n, ext)
		}
	}
	return nil
}
