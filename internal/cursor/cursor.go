// Package cursor makes and reads the positions that clients keep: "c1." and base64url of feed, epoch, lane positions and a MAC.
//
// A cursor is bound to one feed and one epoch and to no session. It holds nothing personal: the feed stands in it as a part of a keyed digest.
// A cursor that was changed, or that was made for another feed, is refused and never honoured. The binary form, before base64url:
//
//	feed     8 bytes, keyed digest of the feed's name
//	epoch    uvarint
//	lanes    uvarint, then for each lane, in rising order: lane uvarint, next offset uvarint
//	mac      16 bytes, keyed digest of all of the above
package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Errors of Parse.
var (
	ErrMalformed = errors.New("this is not a cursor that was given out here")
	ErrForeign   = errors.New("the cursor is of another feed")
)

// MaxLanes of a feed.
const MaxLanes = 64

// maxLength bounds what is looked at at all: 64 lanes of two uvarints come to some 1,000 characters.
const maxLength = 2048

const (
	version  = "c1."
	feedSize = 8
	macSize  = 16
)

// At is the position of one lane: Next is the offset that is read next.
type At struct {
	Lane int32
	Next int64
}

// Position is a place in a feed. Lanes stand in rising order.
type Position struct {
	Epoch uint64
	Lanes []At
}

// Codec makes and reads the cursors of one installation. Safe for concurrent use.
type Codec struct{ key []byte }

// New makes a codec; the key is secret and the same for the life of the installation.
func New(key []byte) Codec { return Codec{key} }

func (c Codec) mac(what string, size int, b []byte) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write([]byte(what))
	m.Write(b)
	return m.Sum(nil)[:size]
}

// Format makes the cursor of a position in a feed. It panics where lanes are out of order or negative, which no caller makes.
func (c Codec) Format(feed string, p Position) string {
	b := c.mac("feed", feedSize, []byte(feed))
	b = binary.AppendUvarint(b, p.Epoch)
	b = binary.AppendUvarint(b, uint64(len(p.Lanes)))
	last := int32(-1)
	for _, l := range p.Lanes {
		if l.Lane <= last || l.Next < 0 {
			panic(fmt.Sprintf("cursor: lanes %v", p.Lanes))
		}
		last = l.Lane
		b = binary.AppendUvarint(b, uint64(l.Lane))
		b = binary.AppendUvarint(b, uint64(l.Next))
	}
	b = append(b, c.mac("cursor", macSize, b)...)
	return version + base64.RawURLEncoding.EncodeToString(b)
}

// Parse reads a cursor of a feed. ErrMalformed, or ErrForeign where it was made here but for another feed.
func (c Codec) Parse(feed, text string) (Position, error) {
	enc, ok := strings.CutPrefix(text, version)
	if !ok || len(text) > maxLength || strings.ContainsAny(enc, "\r\n") { // the decoder skips line ends
		return Position{}, ErrMalformed
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(enc)
	if err != nil || len(b) < feedSize+macSize {
		return Position{}, ErrMalformed
	}
	body, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if subtle.ConstantTimeCompare(mac, c.mac("cursor", macSize, body)) != 1 {
		return Position{}, ErrMalformed
	}
	if !hmac.Equal(body[:feedSize], c.mac("feed", feedSize, []byte(feed))) {
		return Position{}, ErrForeign
	}
	return parse(body[feedSize:])
}

// parse reads epoch and lanes. What is behind the MAC was made by Format, but of some version of it.
func parse(b []byte) (Position, error) {
	r := reader{b: b}
	p := Position{Epoch: r.uvarint(math.MaxUint64)}
	n := r.uvarint(MaxLanes)
	last := int64(-1)
	for range n {
		at := At{Lane: int32(r.uvarint(math.MaxInt32)), Next: int64(r.uvarint(math.MaxInt64))}
		if int64(at.Lane) <= last {
			r.bad = true
		}
		last = int64(at.Lane)
		p.Lanes = append(p.Lanes, at)
	}
	if r.bad || len(r.b) > 0 {
		return Position{}, ErrMalformed
	}
	return p, nil
}

type reader struct {
	b   []byte
	bad bool
}

// uvarint reads a number of at most limit; after something bad it gives zero.
func (r *reader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > limit || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}
