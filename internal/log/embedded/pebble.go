package embedded

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// options are Pebble's, the same for every opening but for readOnly.
func (s *store) options(readOnly bool) *pebble.Options {
	o := &pebble.Options{
		FS:                 vfs.OnDiskFull(s.guard, s.room.spend),
		ReadOnly:           readOnly,
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             pebbleLogger{s},
		EventListener: &pebble.EventListener{
			BackgroundError: s.background,
			DataCorruption:  s.corrupt,
		},
		CacheSize:                   32 << 20,
		MemTableSize:                8 << 20, // journals are of this size: small ones are soon used again, which syncs faster than new ones, and are soon replayed
		L0CompactionThreshold:       8,       // what is flushed lies in order already: merge it seldom
		MemTableStopWritesThreshold: 3,
		MaxOpenFiles:                500,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	if s.tune != nil {
		s.tune(o)
	}
	return o
}

// background takes errors of flushes and compactions. Pebble tries them again; damage does not heal.
func (s *store) background(err error) {
	s.log.Error("background work", "err", plain(err))
	if pebble.IsCorruptionError(err) {
		s.fail(wrapDamage(err))
	}
}

// pebbleLogger passes Pebble's log on. Fatalf must not return, or Pebble goes on and answers nil for
// what it could not write; and it must not end the process, which others share. So it stops the store
// and keeps the calling goroutine for ever: whoever waits for it is released by the store's failed
// channel, and the guard lets nothing through to the disk any more.
type pebbleLogger struct{ s *store }

func (l pebbleLogger) Infof(format string, args ...any) {
	l.s.log.Debug("pebble", slog.String("said", sentence(fmt.Sprintf(format, args...))))
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.log.Warn("pebble", slog.String("said", sentence(fmt.Sprintf(format, args...))))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.s.fail(errors.New("pebble: " + sentence(fmt.Sprintf(format, args...))))
	select {}
}
