package convert

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// floatsOf reads the first initializer of a model.
func floatsOf(t *testing.T, model []byte) (out []float32) {
	t.Helper()
	var walk func(b []byte, path ...int32)
	walk = func(b []byte, path ...int32) {
		if _, err := rewrite(b, func(f field) ([]byte, error) {
			switch {
			case int32(f.num) != path[0]:
			case len(path) > 1:
				walk(f.value, path[1:]...)
			case out == nil:
				out = make([]float32, len(f.value)/4)
				_, err := binary.Decode(f.value, binary.LittleEndian, out)
				return nil, err
			}
			return nil, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	walk(model, modelGraph, graphInitializer, tensorRaw)
	return out
}

func TestFlushDenormals(t *testing.T) {
	b := &builder{}
	b.constant("w", tensor{shape: []int64{6}, floats: []float32{1, -1e-40, smallestNormal, 0, 1e-45, -smallestNormal}})
	b.constant("n", tensor{shape: []int64{2}, ints: []int64{1, 2}}) // as float32, these bits would be denormal
	before := b.model()
	after, err := FlushDenormals(before)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float32{1, 0, smallestNormal, 0, 0, -smallestNormal}, floatsOf(t, after)); d != "" {
		t.Error(d)
	}
	again, err := FlushDenormals(after)
	if err != nil || string(again) != string(after) {
		t.Errorf("a second time changes it: %v", err)
	}
	if len(before) != len(after) {
		t.Errorf("%d bytes became %d", len(before), len(after))
	}
	ints := &builder{}
	ints.constant("n", tensor{shape: []int64{2}, ints: []int64{1, 2}})
	same, err := FlushDenormals(ints.model())
	if err != nil || string(same) != string(ints.model()) {
		t.Errorf("whole numbers changed: %v", err)
	}
	if _, err := FlushDenormals([]byte("noise")); err == nil {
		t.Error("noise is taken for a model")
	}
}
