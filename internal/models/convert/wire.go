package convert

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a serialised protobuf message.
type field struct {
	num   protowire.Number
	value []byte // of a length-delimited field
	num64 uint64 // of a varint field
	raw   []byte // tag and value as they stand
}

// ints reads a repeated integer, packed or not.
func (f field) ints() []int64 {
	if f.value == nil {
		return []int64{int64(f.num64)}
	}
	var out []int64
	for b := f.value; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return out
		}
		out, b = append(out, int64(v)), b[n:]
	}
	return out
}

// dim reads the size of a dimension, 0 when it is symbolic.
func (f field) dim() (size int64) {
	if _, err := rewrite(f.value, func(d field) ([]byte, error) {
		if d.num == dimValue {
			size = int64(d.num64)
		}
		return nil, nil
	}); err != nil {
		return 0
	}
	return size
}

// rewrite walks the fields of a message and joins what edit returns for each.
func rewrite(message []byte, edit func(field) ([]byte, error)) ([]byte, error) {
	out := make([]byte, 0, len(message))
	for len(message) > 0 {
		f := field{}
		num, typ, n := protowire.ConsumeTag(message)
		size := protowire.ConsumeFieldValue(num, typ, message[max(n, 0):])
		if n < 0 || size < 0 {
			return nil, errors.New("not an ONNX file")
		}
		f.num, f.raw = num, message[:n+size]
		switch typ {
		case protowire.BytesType:
			f.value, _ = protowire.ConsumeBytes(message[n:])
		case protowire.VarintType:
			f.num64, _ = protowire.ConsumeVarint(message[n:])
		}
		edited, err := edit(f)
		if err != nil {
			return nil, err
		}
		out, message = append(out, edited...), message[n+size:]
	}
	return out, nil
}
