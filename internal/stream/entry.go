package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// id16 is an id in memory and in states. An id that is not 32 hexadecimal digits is hashed.
type id16 [16]byte

func shorten(id string) (short id16) {
	if b, err := hex.DecodeString(id); err == nil && len(b) == len(short) {
		return id16(b)
	}
	sum := sha256.Sum256([]byte(id))
	return id16(sum[:16])
}

type ids map[id16]struct{}

func (s ids) has(id string) bool { _, ok := s[shorten(id)]; return ok }
func (s ids) add(id string)      { s[shorten(id)] = struct{}{} }
func (s ids) drop(id string)     { delete(s, shorten(id)) }

// entry is what a fold or a chain knows of one verification.
type entry[S any] struct {
	state S
	from  Ancestry  // what is said from the state inherits
	seen  ids       // inputs in the state, exactly
	said  ids       // what was said and has not come back yet
	due   time.Time // when Say is called next; zero: not
	leave time.Time // when the state may go; zero: not yet
	tries int       // calls of Say that failed in a row; not kept
	since []*Message
}

// wake is the next moment at which there is something to do; zero: none.
func (e *entry[S]) wake() time.Time { return sooner(e.due, e.leave) }

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// The stored form of an entry: a byte for its version, due and leave as 8 bytes each (nanoseconds since 1970, 0 for none), seen and said
// as their number and 16 bytes each, then JSON. The times stand in front so that a start need not read the rest.
const entryVersion = 1

var errEntry = errors.New("the state of a verification is not in a form that this program knows")

type storedEntry[S any] struct {
	From  Ancestry
	State S
}

func (e *entry[S]) encode() ([]byte, error) {
	b := []byte{entryVersion}
	for _, t := range []time.Time{e.due, e.leave} {
		b = binary.BigEndian.AppendUint64(b, nanos(t))
	}
	for _, s := range []ids{e.seen, e.said} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		for id := range s {
			b = append(b, id[:]...)
		}
	}
	text, err := json.Marshal(storedEntry[S]{e.from, e.state})
	if err != nil {
		return nil, fmt.Errorf("encoding the state of a verification: %w", err)
	}
	return append(b, text...), nil
}

func decodeEntry[S any](b []byte) (*entry[S], error) {
	due, leave, err := entryTimes(b)
	if err != nil {
		return nil, err
	}
	e := &entry[S]{due: due, leave: leave}
	rest := b[17:]
	for _, s := range []*ids{&e.seen, &e.said} {
		if *s, rest, err = decodeIDs(rest); err != nil {
			return nil, err
		}
	}
	var stored storedEntry[S]
	if err := json.Unmarshal(rest, &stored); err != nil {
		return nil, fmt.Errorf("%w: %w", errEntry, err)
	}
	e.from, e.state = stored.From, stored.State
	return e, nil
}

// entryTimes reads no more than when an entry is due and when it may go.
func entryTimes(b []byte) (due, leave time.Time, err error) {
	if len(b) < 17 || b[0] != entryVersion {
		return due, leave, errEntry
	}
	return fromNanos(binary.BigEndian.Uint64(b[1:])), fromNanos(binary.BigEndian.Uint64(b[9:])), nil
}

func decodeIDs(b []byte) (ids, []byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w)/16 {
		return nil, nil, errEntry
	}
	b = b[w:]
	s := make(ids, n)
	for range n {
		s[id16(b[:16])] = struct{}{}
		b = b[16:]
	}
	return s, b, nil
}

func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func fromNanos(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(n)).UTC()
}
