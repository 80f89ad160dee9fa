package convert

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
)

// weightGroup is one entry of a TensorFlow.js weights manifest: files, joined end to end, and the
// tensors that follow one another in them.
type weightGroup struct {
	Paths   []string
	Weights []weight
}

type weight struct {
	Name, Dtype  string
	Shape        []int64
	Quantization struct {
		Dtype      string
		Min, Scale float64
	}
}

// readWeights reads every tensor of a manifest; paths in it are relative to dir within files.
func readWeights(files fs.FS, dir string, groups []weightGroup) (map[string]tensor, error) {
	out := map[string]tensor{}
	for _, g := range groups {
		var data []byte
		for _, p := range g.Paths {
			part, err := fs.ReadFile(files, path.Join(dir, p))
			if err != nil {
				return nil, fmt.Errorf("reading weights: %w", err)
			}
			data = append(data, part...)
		}
		for _, w := range g.Weights {
			t, rest, err := w.decode(data)
			if err != nil {
				return nil, fmt.Errorf("reading weights: %s: %w", w.Name, err)
			}
			out[w.Name], data = t, rest
		}
	}
	return out, nil
}

// decode takes one tensor from the front of data and returns what follows it.
func (w weight) decode(data []byte) (tensor, []byte, error) {
	n, t := 1, tensor{shape: w.Shape}
	for _, d := range w.Shape {
		n *= int(d)
	}
	size, value := w.element()
	switch {
	case size == 0:
		return t, nil, fmt.Errorf("unknown element type %s %s", w.Dtype, w.Quantization.Dtype)
	case len(data) < n*size:
		return t, nil, fmt.Errorf("%d bytes wanted, %d left", n*size, len(data))
	}
	for k := range n {
		v := value(data[k*size:])
		if w.Dtype == "int32" {
			t.ints = append(t.ints, int64(v))
		} else {
			t.floats = append(t.floats, float32(v))
		}
	}
	return t, data[n*size:], nil
}

// element returns the bytes an element takes and how to read one; 0 for an unknown type.
func (w weight) element() (int, func([]byte) float64) {
	le, q := binary.LittleEndian, w.Quantization
	switch w.Dtype + q.Dtype {
	case "float32":
		return 4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	case "int32":
		return 4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }
	case "float32float16":
		return 2, func(b []byte) float64 { return half(le.Uint16(b)) }
	case "float32uint8":
		return 1, func(b []byte) float64 { return float64(b[0])*q.Scale + q.Min }
	}
	return 0, nil
}

// half reads an IEEE 754 binary16; weights hold no infinities.
func half(h uint16) float64 {
	sign, exp, frac := 1-2*float64(h>>15), int(h>>10)&31, float64(h&1023)/1024
	if exp == 0 {
		return sign * math.Ldexp(frac, -14)
	}
	return sign * math.Ldexp(1+frac, exp-15)
}

// convolution reorders TensorFlow's HWIO weights to ONNX's OIHW; a depthwise HWCM becomes (C·M)1HW.
func (t tensor) convolution(depthwise bool) tensor {
	h, w, c, o := t.shape[0], t.shape[1], t.shape[2], t.shape[3]
	r := tensor{shape: []int64{o, c, h, w}, floats: make([]float32, len(t.floats))}
	if depthwise {
		r.shape = []int64{c * o, 1, h, w}
	}
	for k, v := range t.floats {
		q := int64(k)
		out, in, x, y := q%o, q/o%c, q/o/c%w, q/o/c/w
		to := out*c + in
		if depthwise {
			to = in*o + out
		}
		r.floats[(to*h+y)*w+x] = v
	}
	return r
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
