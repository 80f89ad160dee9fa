package convert

import (
	"fmt"
	"slices"
)

// prelu adds out = PReLU(x), x being NHWC with one slope a channel, as max(x,0)·(1−slope) + x·slope: two depthwise 1×1
// convolutions. ONNX Runtime lays the pictures of convolutions out in blocks of channels but knows no PReLU in that
// layout; a net that is full of them spends most of its time on it and on turning pictures back and forth.
func (t *translator) prelu(out, x, slope string) error {
	s, ok := t.weights[slope]
	if !ok || len(s.floats) == 0 || slices.Max(s.shape) != int64(len(s.floats)) {
		return fmt.Errorf("PReLU %s without constant slopes, one a channel", out)
	}
	c := len(s.floats)
	above := make([]float32, c)
	for i, v := range s.floats {
		above[i] = 1 - v
	}
	a := attrs{"group": c, "kernel_shape": []int64{1, 1}}
	each := func(weights []float32, in string) string {
		w := t.constant(t.temp(), tensor{shape: []int64{int64(c), 1, 1, 1}, floats: weights})
		return t.node("Conv", "", a, in, w)
	}
	in := t.nchw(x)
	t.nhwc(t.node("Add", "", nil, each(above, t.node("Relu", "", nil, in)), each(s.floats, in)), out)
	return nil
}
