package embedded

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

var (
	errChecksum = errors.New("checksum does not match")
	errShape    = errors.New("does not have the shape of a record")
	errMissing  = errors.New("records are missing")
)

// A record's value: checksum (4), time in nanoseconds (8), bytes of the lane up to and with this record
// (8), then key, headers and value, each after its length.

// encode lays a record out under its key. The result is shared by the batch and by those who follow.
func encode(k []byte, r log.Rec, cum int64) []byte {
	b := make([]byte, 4, 32+payload(r)+4*len(r.Head))
	b = u64(u64(b, r.At.UnixNano()), cum)
	b = blob(b, r.Key)
	b = binary.AppendUvarint(b, uint64(len(r.Head)))
	for _, h := range r.Head {
		b = blob(blob(b, []byte(h.Key)), h.Val)
	}
	b = append(b, r.Val...)
	binary.BigEndian.PutUint32(b, checksum(k, b[4:]))
	return b
}

// payload is the size of a record as bounds and limits count it.
func payload(r log.Rec) int {
	n := len(r.Key) + len(r.Val)
	for _, h := range r.Head {
		n += len(h.Key) + len(h.Val)
	}
	return n
}

func blob(b, v []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(v))), v...) }

// decode checks and reads a record; its slices point into b.
func decode(k, b []byte) (r log.Rec, cum int64, err error) {
	body, err := unsum(k, b)
	if err != nil {
		return r, 0, errChecksum
	}
	return parse(body)
}

// parse reads what stands behind the checksum; its slices point into body.
func parse(body []byte) (r log.Rec, cum int64, err error) {
	d := decoder{b: body}
	r.At = time.Unix(0, int64(d.uint64())).UTC()
	cum = int64(d.uint64())
	r.Key = d.blob()
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		return r, 0, errShape
	}
	for range n {
		r.Head = append(r.Head, log.Header{Key: string(d.blob()), Val: d.blob()})
	}
	r.Val = d.b
	if d.bad {
		return r, 0, errShape
	}
	return r, cum, nil
}

// decoder reads fields off the front of b; what does not fit sets bad.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) || n > math.MaxInt32 {
		d.bad, d.b = true, nil
		return make([]byte, min(n, 8))
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) uint64() uint64 { return binary.BigEndian.Uint64(d.take(8)) }

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) blob() []byte { return d.take(d.uvarint()) }
