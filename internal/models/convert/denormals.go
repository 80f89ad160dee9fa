package convert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// smallestNormal is the smallest float32 that processors calculate with at full speed, 2⁻¹²⁶.
const smallestNormal = 0x1p-126

// FlushDenormals sets every float32 weight that is closer to zero than 2⁻¹²⁶ to zero. Training with weight decay leaves
// such weights in channels that died, and many processors take a hundred times as long to multiply with one. No output
// changes that a float32 could show. A model without such weights comes back as it is.
func FlushDenormals(model []byte) ([]byte, error) {
	out, err := rewrite(model, func(f field) ([]byte, error) {
		if f.num != modelGraph {
			return f.raw, nil
		}
		g, err := rewrite(f.value, flushInitializer)
		return appendBytes(nil, f.num, g), err
	})
	if err != nil {
		return nil, fmt.Errorf("flushing denormal weights: %w", err)
	}
	return out, nil
}

func flushInitializer(f field) ([]byte, error) {
	if f.num != graphInitializer {
		return f.raw, nil
	}
	floats := false
	if _, err := rewrite(f.value, func(t field) ([]byte, error) {
		floats = floats || t.num == tensorType && t.num64 == elemFloat
		return nil, nil
	}); err != nil || !floats {
		return f.raw, err
	}
	t, err := rewrite(f.value, func(t field) ([]byte, error) {
		if t.num != tensorRaw {
			return t.raw, nil
		}
		if len(t.value)%4 != 0 {
			return nil, errors.New("a float32 tensor of broken length")
		}
		return appendBytes(nil, t.num, flushed(t.value)), nil
	})
	return appendBytes(nil, f.num, t), err
}

// flushed copies little-endian float32 values without the denormal ones.
func flushed(raw []byte) []byte {
	out := make([]byte, len(raw))
	for i := 0; i < len(raw); i += 4 {
		bits := binary.LittleEndian.Uint32(raw[i:])
		if math.Abs(float64(math.Float32frombits(bits))) < smallestNormal {
			bits = 0
		}
		binary.LittleEndian.PutUint32(out[i:], bits)
	}
	return out
}
