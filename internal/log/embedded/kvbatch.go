package embedded

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Write makes several changes at once: all of them are durable when nil is returned, and none is without the others. A nil Val removes the
// key, but unlike Delete leaves its bytes to the next compaction. Errors are those of Put.
func (kv *KV) Write(changes ...log.KV) error {
	if kv.store.room.full.Load() {
		return log.ErrFull
	}
	return kv.write(func(b *pebble.Batch) error {
		for _, c := range changes {
			full := kvKey(c.Key)
			var err error
			if c.Val == nil {
				err = b.Delete(full, nil)
			} else {
				err = b.Set(full, sum(full, c.Val), nil)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
