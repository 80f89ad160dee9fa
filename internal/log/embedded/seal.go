package embedded

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// A seal is two dead records behind the data. Pebble can tell damage in a WAL from an unfinished write
// only when something valid follows, further on than one block of 32 KiB; the seals are that something.
const (
	sealBytes = 40_000
	sealAfter = 250 * time.Millisecond // of rest
)

// seal writes the seals, and makes the watermark durable, when data came and then came to rest.
func (s *store) seal() {
	tick := time.NewTicker(sealAfter)
	defer tick.Stop()
	var seen, sealed int64
	for {
		select {
		case <-s.stop:
			return
		case <-s.failed:
			return
		case <-tick.C:
		}
		n := s.activity.Load()
		if n == seen && n != sealed {
			if err := s.writeSeals(); err != nil {
				s.fail(err)
				return
			}
			sealed = n
		}
		seen = n
	}
}

func (s *store) writeSeals() error {
	for range 2 {
		if err := s.db.LogData(make([]byte, sealBytes), pebble.Sync); err != nil {
			return err
		}
	}
	return s.wm.sync()
}
