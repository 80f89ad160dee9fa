package convert_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/models/convert"
	"github.com/bonafide-id/bonafide/internal/onnx"
)

// A network of every translated kind of node: a padded 2×2 picture of two channels, a fused
// convolution with stride 1 and PReLU, a depthwise one, a pool, a concatenation and a reshape. Weights
// are float32, float16 and uint8 so that each decoding counts.
const graph = `{"modelTopology":{"node":[
 {"name":"x","op":"Placeholder","attr":{"shape":{"shape":{"dim":[{"size":"-1"},{"size":"2"},{"size":"2"},{"size":"2"}]}}}},
 {"name":"pads","op":"Const"},{"name":"w","op":"Const"},{"name":"b","op":"Const"},{"name":"a","op":"Const"},
 {"name":"dw","op":"Const"},{"name":"axis","op":"Const"},{"name":"flat","op":"Const"},
 {"name":"p","op":"Pad","input":["x","pads"]},
 {"name":"c","op":"_FusedConv2D","input":["p:0","w","b","a"],"attr":{
   "strides":{"list":{"i":["1","1","1","1"]}},"padding":{"s":"VkFMSUQ="},"fused_ops":{"list":{"s":["Qmlhc0FkZA==","UHJlbHU="]}}}},
 {"name":"d","op":"DepthwiseConv2dNative","input":["p","dw"],"attr":{
   "strides":{"list":{"i":[1,2,2,1]}},"padding":{"s":"SAME"}}},
 {"name":"m","op":"MaxPool","input":["c"],"attr":{
   "ksize":{"list":{"i":["1","2","2","1"]}},"strides":{"list":{"i":["1","2","2","1"]}},"padding":{"s":"U0FNRQ=="}}},
 {"name":"k","op":"ConcatV2","input":["d","m","axis"]},
 {"name":"y","op":"Reshape","input":["k","flat"]}]},
"weightsManifest":[{"paths":["w.bin"],"weights":[
 {"name":"pads","dtype":"int32","shape":[4,2]},
 {"name":"w","dtype":"float32","shape":[1,1,2,1]},
 {"name":"b","dtype":"float32","shape":[1],"quantization":{"dtype":"float16"}},
 {"name":"a","dtype":"float32","shape":[1,1,1],"quantization":{"dtype":"uint8","min":0.25,"scale":0.25}},
 {"name":"dw","dtype":"float32","shape":[1,1,2,1]},
 {"name":"axis","dtype":"int32","shape":[]},
 {"name":"flat","dtype":"int32","shape":[1]}]}]}`

func weights() []byte {
	var b []byte
	put := func(v ...any) {
		for _, x := range v {
			b, _ = binary.Append(b, binary.LittleEndian, x)
		}
	}
	put([]int32{0, 0, 1, 0, 0, 1, 0, 0}) // one row above, one column to the right
	put([]float32{1, 10})                // c = first channel + 10 × second
	put(uint16(0xC900))                  // -10
	put(uint8(1))                        // PReLU slope 0.25+0.25
	put([]float32{2, 3})                 // d = 2 × first, 3 × second
	put(int32(3), int32(-1))             // join along channels; flatten
	return b
}

func TestGraphModelComputesWhatTensorFlowWould(t *testing.T) {
	files := fstest.MapFS{"net.json": {Data: []byte(graph)}, "w.bin": {Data: weights()}}
	m := runnable(t, files)
	// x is [[ (1,0) (2,0) ] [ (3,1) (4,2) ]]; padded to 3×3 with zeros above and to the right.
	out, err := m.Run(onnx.Tensor{Shape: []int64{1, 2, 2, 2}, Data: []float32{1, 0, 2, 0, 3, 1, 4, 2}})
	if err != nil {
		t.Fatal(err)
	}
	// c before PReLU, less 10: row 0 -10 -10 -10, row 1 -9 -8 -10, row 2 3 14 -10; slope 0.5 below 0.
	// Pool 2×2 with stride 2, SAME pads below and right: (-4,-5) (14,-5). d picks rows and columns 0, 2.
	want := []float32{0, 0, -4, 0, 0, -5, 6, 3, 14, 0, 0, -5}
	if d := cmp.Diff(want, out[0].Data); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"y"}, m.Outputs()); d != "" {
		t.Error(d)
	}
}

func runnable(t *testing.T, files fstest.MapFS) *onnx.Model {
	t.Helper()
	b, err := convert.GraphModel(files, "net.json")
	if err != nil {
		t.Fatal(err)
	}
	return openBytes(t, b)
}

func openBytes(t *testing.T, b []byte) *onnx.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "net.onnx")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Load(filepath.Join(models.Find(), "libonnxruntime.so.1.30.0")); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestGraphModelNamesWhatItCannotConvert(t *testing.T) {
	cases := map[string]struct {
		json, want string
		weights    []byte
	}{
		"operator":   {strings.Replace(graph, `"op":"MaxPool"`, `"op":"Whirl"`, 1), "Whirl", weights()},
		"activation": {strings.Replace(graph, `"UHJlbHU="`, `"Swish"`, 1), "Swish", weights()},
		"type":       {strings.Replace(graph, `"uint8"`, `"int4"`, 1), "int4", weights()},
		"short file": {graph, "bytes wanted", weights()[:40]},
		"not JSON":   {"<html>", "net.json", weights()},
		"no weights": {strings.Replace(graph, "w.bin", "v.bin", 1), "v.bin", weights()},
	}
	for name, c := range cases {
		files := fstest.MapFS{"net.json": {Data: []byte(c.json)}, "w.bin": {Data: c.weights}}
		if _, err := convert.GraphModel(files, "net.json"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestDescriptorNamesMissingWeights(t *testing.T) {
	files := fstest.MapFS{"m.json": {Data: []byte(`[{"paths":["w.bin"],"weights":[]}]`)}, "w.bin": {}}
	if _, err := convert.Descriptor(files, "m.json"); err == nil || !strings.Contains(err.Error(), "conv32_down") {
		t.Errorf("error %v", err)
	}
}

// Pruning the already pruned recogniser to digits must leave the ratios between digits as they were.
func TestPruneKeepsTheRatiosOfWhatStays(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(models.Find(), "text-rec.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	digit := func(c string) bool { return len(c) == 1 && strings.Contains("0123456789", c) }
	cut, err := convert.PruneClasses(b, digit)
	if err != nil {
		t.Fatal(err)
	}
	full, small := openBytes(t, b), openBytes(t, cut)
	if d := cmp.Diff("0\n1\n2\n3\n4\n5\n6\n7\n8\n9", small.Meta("character")); d != "" {
		t.Fatal(d)
	}
	in := onnx.Tensor{Shape: []int64{1, 3, 48, 96}, Data: make([]float32, 3*48*96)}
	for k := range in.Data {
		in.Data[k] = float32(math.Sin(float64(k) * 0.37))
	}
	before, after := step(t, full, in), step(t, small, in)
	kept := []float32{before[0]}
	for k, c := range strings.Split(full.Meta("character"), "\n") {
		if digit(c) {
			kept = append(kept, before[k+1])
		}
	}
	kept = append(kept, before[len(before)-1])
	var total float32
	for _, p := range kept {
		total += p
	}
	for k := range kept {
		if diff := math.Abs(float64(kept[k]/total - after[k])); diff > 1e-5 {
			t.Errorf("class %d: %g after the cut, %g before", k, after[k], kept[k]/total)
		}
	}
}

// step returns the class probabilities of the first time step.
func step(t *testing.T, m *onnx.Model, in onnx.Tensor) []float32 {
	t.Helper()
	out, err := m.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	return out[0].Data[:out[0].Shape[2]]
}

func TestPruneRefusesWhatHasNoAlphabet(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(models.Find(), "corners.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for name, model := range map[string][]byte{"no alphabet": b, "noise": []byte("noise"), "cut off": b[:1000]} {
		if _, err := convert.PruneClasses(model, convert.Latin); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLatinKeepsEuropeanLetters(t *testing.T) {
	for _, c := range strings.Split("A,z,0,<,É,ß,Ł,ő,Ș,ț,ẞ,€,–", ",") {
		if !convert.Latin(c) {
			t.Errorf("%s is cut", c)
		}
	}
	for _, c := range []string{"中", "Я", "あ", " ", "", "ab", "ệ"} {
		if convert.Latin(c) {
			t.Errorf("%q is kept", c)
		}
	}
}
