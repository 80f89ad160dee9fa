// Package seal keeps what is personal unreadable: one data key for each verification, wrapped by its client's key, wrapped by the key service.
//
// Payloads of events and blobs are sealed from the first byte on. Destroying the data key of a verification makes everything that was ever written
// about it unreadable everywhere, in the log, in backups and in feeds. The wrapped keys live in a store of their own that no backup of
// the log contains, so that a restored log cannot bring an erased key back.
//
// Three layers of keys. The master keyset is the key service: today a file. It wraps one keyset a client and one secret for keyed digests. A
// client's keyset wraps the 32 bytes of each of its verifications' data keys. A data key is never used itself: HKDF-SHA-256 makes one
// sub-key for payloads (AES-256-GCM), one for blobs (Tink's streaming AES-256-GCM-HKDF) and one for salts (HMAC-SHA-256).
package seal

import (
	"encoding/binary"
	"errors"
)

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

// bytes is the place as associated data; the lengths keep apart what would otherwise read the same.
func (p Place) bytes() []byte { return joined(p.Client, p.Verification, p.Topic, p.Event) }

func joined[T string | []byte](parts ...T) []byte {
	var b []byte
	for _, s := range parts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// Store keeps wrapped keys durably, apart from the log.
type Store interface {
	Get(key []byte) ([]byte, error) // nil, nil where there is none
	Put(key, val []byte) error      // durable when it returns nil
	Delete(key []byte) error        // the bytes leave the disk
}
