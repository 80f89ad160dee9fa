package convert

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// The residual blocks of dlib's face network in order. "down" halves the picture; the number is the
// count of channels after the block.
const dlibBlocks = `32_1 32_2 32_3 64_down 64_1 64_2 64_3
	128_down 128_1 128_2 256_down 256_1 256_2 256_down_out`

// dlib subtracts the mean colour of its training set. face-api, whose file this is, divides by 255
// where dlib divides by 256; its thresholds are for 255.
var dlibMean = [3]float32{122.782, 117.001, 104.298}

const dlibScale = 255

// Descriptor converts the weights of dlib's face ResNet-29, given as face-api's weights manifest, to
// an ONNX network: input [1,150,150,3] RGB 0…255, output "descriptor" [1,128].
func Descriptor(files fs.FS, manifest string) ([]byte, error) {
	raw, err := fs.ReadFile(files, manifest)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", manifest, err)
	}
	var groups []weightGroup
	if err := json.Unmarshal(raw, &groups); err != nil {
		return nil, fmt.Errorf("converting %s: %w", manifest, err)
	}
	w, err := readWeights(files, path.Dir(manifest), groups)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", manifest, err)
	}
	r := resnet{weights: w}
	r.build()
	if r.missing != "" {
		return nil, fmt.Errorf("converting %s: no weights %s", manifest, r.missing)
	}
	return r.model(), nil
}

// resnet builds the graph; missing is the first tensor that the weights lack.
type resnet struct {
	builder
	weights map[string]tensor
	missing string
}

func (r *resnet) weight(name string) tensor {
	t, ok := r.weights[name]
	if !ok && r.missing == "" {
		r.missing = name
	}
	return t
}

func (r *resnet) build() {
	r.port(graphInput, "input", []int64{1, 150, 150, 3})
	x := r.node("Sub", "", nil, "input", r.floats(dlibMean[:]...))
	x = r.node("Div", "", nil, x, r.floats(dlibScale))
	x = r.node("Transpose", "", attrs{"perm": []int64{0, 3, 1, 2}}, x)
	x = r.node("Relu", "", nil, r.conv(x, "conv32_down", 2))
	x = r.node("MaxPool", "", attrs{"kernel_shape": []int64{3, 3}, "strides": []int64{2, 2}}, x)
	size, channels := int64(35), int64(32)
	for _, name := range strings.Fields(dlibBlocks) {
		stride := int64(1)
		if strings.Contains(name, "down") {
			stride = 2
		}
		x, size, channels = r.block(x, "conv"+name, stride, size, channels)
	}
	x = r.node("ReduceMean", "", attrs{"axes": []int64{2, 3}, "keepdims": 0}, x)
	r.node("MatMul", "descriptor", nil, x, r.constant("fc", r.weight("fc")))
	r.port(graphOutput, "descriptor", nil)
}

// block adds a residual block on a square of the given size; where it halves the picture, the skip
// path is averaged and both paths are padded with zeros to the same shape, as dlib does.
func (r *resnet) block(x, name string, stride, size, channels int64) (string, int64, int64) {
	y := r.node("Relu", "", nil, r.conv(x, name+"/conv1", stride))
	y = r.conv(y, name+"/conv2", 1)
	skip := x
	if stride == 2 {
		skip = r.node("AveragePool", "", attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}, x)
		if size/2 != (size-3)/2+1 {
			y = r.node("Pad", "", nil, y, r.ints(0, 0, 0, 0, 0, 0, 1, 1))
		}
		if out := int64(len(r.weight(name + "/conv1/conv/bias").floats)); out != channels {
			skip = r.node("Pad", "", nil, skip, r.ints(0, 0, 0, 0, 0, out-channels, 0, 0))
			channels = out
		}
		size /= 2
	}
	return r.node("Relu", "", nil, r.node("Add", "", nil, y, skip)), size, channels
}

// conv adds a convolution with dlib's per-channel affine layer folded into it.
func (r *resnet) conv(x, name string, stride int64) string {
	filters, bias := r.weight(name+"/conv/filters"), r.weight(name+"/conv/bias").floats
	scale, offset := r.weight(name+"/scale/weights").floats, r.weight(name+"/scale/biases").floats
	if r.missing != "" {
		return x
	}
	w := filters.convolution(false)
	folded, per := make([]float32, len(bias)), len(w.floats)/len(bias)
	for k := range w.floats {
		w.floats[k] *= scale[k/per]
	}
	for k := range folded {
		folded[k] = bias[k]*scale[k] + offset[k]
	}
	a := attrs{"strides": []int64{stride, stride}}
	if stride == 1 {
		a["auto_pad"] = "SAME_UPPER"
	}
	return r.node("Conv", "", a, x, r.constant(name, w), r.floats(folded...))
}
