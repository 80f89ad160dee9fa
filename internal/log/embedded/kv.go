package embedded

import (
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

// KV is a small durable key-value store in a directory of its own, for what must not be part of the log:
// API keys, and the wrapped data keys that erasure destroys. The rules on damage are those of the log.
type KV struct {
	store *store
	life  sync.RWMutex // held for reading while Pebble is in use
	open  bool
	erase sync.Mutex // one erasure at a time
}

const kindKV = 'k'

// OpenKV opens the store in a directory, or makes one. Of the options, Dir, Log and Reserve count.
func OpenKV(o Options) (*KV, error) {
	o = o.withDefaults()
	so := o.store()
	so.erases = true
	s, err := openStore(so)
	if err != nil {
		return nil, err
	}
	return &KV{store: s, open: true}, nil
}

func kvKey(k []byte) []byte { return append(key(kindKV, len(k)), k...) }

// use runs f while the store cannot be closed. A store that has failed lets go of it at once.
func (kv *KV) use(f func() error) error {
	kv.life.RLock()
	defer kv.life.RUnlock()
	if !kv.open {
		return log.ErrClosed
	}
	if err := kv.store.err(); err != nil {
		return fmt.Errorf("%w: it stopped: %w", log.ErrClosed, err)
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-kv.store.failed:
		return fmt.Errorf("%w: %w", log.ErrUnknown, kv.store.err())
	}
}

// Get returns the value of a key; ok is false where there is none.
func (kv *KV) Get(k []byte) (val []byte, ok bool, err error) {
	err = kv.use(func() error {
		v, err := kv.store.get(kvKey(k))
		if err == nil {
			val, ok = v, v != nil
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return val, ok, nil
}

// Put sets a key; it is durable when nil is returned. ErrFull: nothing was written. ErrUnknown: it may
// have been.
func (kv *KV) Put(k, v []byte) error {
	if kv.store.room.full.Load() {
		return log.ErrFull
	}
	full := kvKey(k)
	val := sum(full, v)
	return kv.write(func(b *pebble.Batch) error { return b.Set(full, val, nil) })
}

// Delete removes a key for good: when it returns nil its bytes are in no file of the directory. It is
// slow (tens of milliseconds), and works on a full disk.
func (kv *KV) Delete(k []byte) error {
	kv.erase.Lock()
	defer kv.erase.Unlock()
	full := kvKey(k)
	if err := kv.write(func(b *pebble.Batch) error { return b.Delete(full, nil) }); err != nil {
		return fmt.Errorf("deleting: %w", err)
	}
	return kv.use(func() error { return kv.store.purge(full) })
}

func (kv *KV) write(f func(*pebble.Batch) error) error {
	return kv.use(func() error {
		b := kv.store.db.NewBatch()
		if err := f(b); err != nil {
			return err
		}
		_, wait, err := kv.store.apply(b)
		if err == nil {
			err = wait()
		}
		if err != nil {
			kv.store.fail(err)
			return fmt.Errorf("%w: %w", log.ErrUnknown, err)
		}
		return nil
	})
}

// piece is how many pairs Iterate reads at a time.
const piece = 512

// Iterate yields keys under a prefix, in order, with their values. They are read a piece at a time, so what changes meanwhile is seen or not
// seen, key by key. An error is yielded once, last.
func (kv *KV) Iterate(prefix []byte) iter.Seq2[KVPair, error] {
	return func(yield func(KVPair, error) bool) {
		from, to := kvKey(prefix), after(kvKey(prefix))
		for {
			pairs, err := kv.next(from, to, piece)
			for _, p := range pairs {
				if !yield(p, nil) {
					return
				}
			}
			if err != nil {
				yield(KVPair{}, err)
			}
			if err != nil || len(pairs) < piece {
				return
			}
			from = append(kvKey(pairs[piece-1].Key), 0)
		}
	}
}

// Page gives the first n pairs under a prefix whose keys come behind a given one (nil: from the beginning), in order.
func (kv *KV) Page(prefix, behind []byte, n int) ([]KVPair, error) {
	from := kvKey(prefix)
	if behind != nil {
		from = append(kvKey(behind), 0)
	}
	return kv.next(from, after(kvKey(prefix)), n)
}

// next reads the pairs from one key up to another, n of them at most.
func (kv *KV) next(from, to []byte, n int) (pairs []KVPair, err error) {
	err = kv.use(func() error {
		var got []KVPair
		err := kv.store.scanRange(from, to, func(k, v []byte) error {
			if got = append(got, KVPair{Key: append([]byte{}, k[1:]...), Val: append([]byte{}, v...)}); len(got) == n {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			err = nil
		}
		if err == nil {
			pairs = got
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return pairs, nil
}

var errEnough = errors.New("enough was read")

// KVPair is a key and its value.
type KVPair = log.KV

// Close closes the store.
func (kv *KV) Close() error {
	kv.life.Lock()
	defer kv.life.Unlock()
	if !kv.open {
		return nil
	}
	kv.open = false
	return kv.store.close()
}
