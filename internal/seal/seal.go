// Package seal keeps what is personal unreadable: one data key for each verification, wrapped by its client's key, wrapped by the key service.
//
// Payloads of events and blobs are sealed from the first byte on. Destroying the data key of a verification makes everything that was ever written
// about it unreadable everywhere, in the log, in backups and in feeds. The wrapped keys live in a store of their own that no backup of
// the log contains, so that a restored log cannot bring an erased key back.
package seal

import "errors"

// ErrErased says that the data key was destroyed: final.
var ErrErased = errors.New("the verification's key is erased")

// ErrNoKey says that there never was a data key of that name.
var ErrNoKey = errors.New("no key for this verification")

// ErrTampered says that sealed bytes were changed, or belong elsewhere than they stand.
var ErrTampered = errors.New("sealed bytes do not open here")

// Place binds sealed bytes to where they belong: they open nowhere else.
type Place struct {
	Client, Verification, Topic, Event string
}

// Store keeps wrapped keys durably, apart from the log.
type Store interface {
	Get(key []byte) ([]byte, error) // nil, nil where there is none
	Put(key, val []byte) error      // durable when it returns nil
	Delete(key []byte) error        // the bytes leave the disk
}
