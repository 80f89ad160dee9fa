package convert

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// tfNode is a node of a TensorFlow graph as TensorFlow.js writes it in JSON.
type tfNode struct {
	Name, Op string
	Input    []string
	Attr     map[string]struct {
		S     string
		List  struct{ I, S []json.RawMessage }
		Shape struct {
			Dim []struct{ Size json.RawMessage }
		}
	}
}

// sameOperator lists the operators that differ from ONNX in nothing but, at times, the name.
var sameOperator = map[string]string{
	"Add": "Add", "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "Minimum": "Min", "Maximum": "Max",
	"Relu": "Relu", "Sigmoid": "Sigmoid", "Abs": "Abs", "Identity": "Identity",
	"Reshape": "Reshape",
}

// GraphModel converts the TensorFlow.js graph model in the file model (JSON, with its weights beside
// it) to ONNX. Inputs keep their names and NHWC shapes; outputs are the nodes that nothing reads.
func GraphModel(files fs.FS, model string) ([]byte, error) {
	raw, err := fs.ReadFile(files, model)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", model, err)
	}
	var m struct {
		ModelTopology   struct{ Node []tfNode }
		WeightsManifest []weightGroup
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("converting %s: %w", model, err)
	}
	w, err := readWeights(files, path.Dir(model), m.WeightsManifest)
	if err != nil {
		return nil, fmt.Errorf("converting %s: %w", model, err)
	}
	t := translator{weights: w, emitted: map[string]bool{}}
	if err := t.translate(m.ModelTopology.Node); err != nil {
		return nil, fmt.Errorf("converting %s: %w", model, err)
	}
	return t.model(), nil
}

type translator struct {
	builder
	weights map[string]tensor
	emitted map[string]bool // constants already in the graph
}

func (t *translator) translate(nodes []tfNode) error {
	read := map[string]bool{}
	for _, n := range nodes {
		for k, in := range n.Input {
			n.Input[k] = strings.TrimSuffix(in, ":0")
			read[n.Input[k]] = true
		}
	}
	for _, n := range nodes {
		if err := t.operator(n); err != nil {
			return err
		}
		if n.Op != "Const" && n.Op != "Placeholder" && !read[n.Name] {
			t.port(graphOutput, n.Name, nil)
		}
	}
	return nil
}

func (t *translator) operator(n tfNode) error {
	switch {
	case n.Op == "Const":
	case n.Op == "Placeholder":
		var shape []int64
		for _, d := range n.Attr["shape"].Shape.Dim {
			shape = append(shape, max(1, number(d.Size))) // an open batch becomes 1
		}
		t.port(graphInput, n.Name, shape)
	case strings.HasSuffix(n.Op, "Conv2D"), strings.HasSuffix(n.Op, "DepthwiseConv2dNative"):
		return t.convolution(n)
	case n.Op == "MaxPool":
		a := n.padding()
		a["kernel_shape"], a["strides"] = n.square("ksize"), n.square("strides")
		t.nhwc(t.node("MaxPool", "", a, t.nchw(n.Input[0])), n.Name)
	case n.Op == "ConcatV2":
		last := len(n.Input) - 1
		t.node("Concat", n.Name, attrs{"axis": int(t.weights[n.Input[last]].ints[0])}, n.Input[:last]...)
	case n.Op == "Pad":
		t.node("Pad", n.Name, nil, n.Input[0], t.ints(padding(t.weights[n.Input[1]].ints)...))
	case n.Op == "Prelu":
		return t.prelu(n.Name, n.Input[0], n.Input[1])
	case sameOperator[n.Op] != "":
		in := make([]string, len(n.Input))
		for k := range in {
			in[k] = t.ref(n.Input[k])
		}
		t.node(sameOperator[n.Op], n.Name, nil, in...)
	default:
		return fmt.Errorf("operator %s is not known", n.Op)
	}
	return nil
}

// convolution translates a plain, depthwise or fused convolution: bias and activation come along.
func (t *translator) convolution(n tfNode) error {
	filters, ok := t.weights[n.Input[1]]
	if !ok {
		return fmt.Errorf("convolution %s without constant weights", n.Name)
	}
	depthwise := strings.HasSuffix(n.Op, "DepthwiseConv2dNative")
	w, activation := filters.convolution(depthwise), "Identity"
	in := []string{t.nchw(t.ref(n.Input[0])), t.constant(n.Name+"_w", w)}
	for _, s := range n.Attr["fused_ops"].List.S {
		if f := text(string(s)); f == "BiasAdd" {
			in = append(in, t.ref(n.Input[2]))
		} else {
			activation = f
		}
	}
	a := n.padding()
	a["strides"], a["kernel_shape"] = n.square("strides"), w.shape[2:]
	if depthwise {
		a["group"] = int(filters.shape[2])
	}
	x := t.nhwc(t.node("Conv", "", a, in...), "")
	switch op := sameOperator[activation]; {
	case activation == "Prelu":
		return t.prelu(n.Name, x, n.Input[len(n.Input)-1])
	case op == "":
		return fmt.Errorf("activation %s is not known", activation)
	default:
		t.node(op, n.Name, nil, x)
	}
	return nil
}

// ref returns name, after adding it to the graph when it is a constant that was not used before.
func (t *translator) ref(name string) string {
	if c, ok := t.weights[name]; ok && !t.emitted[name] {
		t.emitted[name] = true
		t.constant(name, c)
	}
	return name
}

func (t *translator) nchw(x string) string {
	return t.node("Transpose", "", attrs{"perm": []int64{0, 3, 1, 2}}, x)
}

func (t *translator) nhwc(x, out string) string {
	return t.node("Transpose", out, attrs{"perm": []int64{0, 2, 3, 1}}, x)
}

func (n tfNode) padding() attrs {
	if text(n.Attr["padding"].S) == "SAME" {
		return attrs{"auto_pad": "SAME_UPPER"}
	}
	return attrs{}
}

// square returns the height and width of an NHWC list attribute.
func (n tfNode) square(key string) []int64 {
	l := n.Attr[key].List.I
	return []int64{number(l[1]), number(l[2])}
}

// padding turns TensorFlow's (before, after) pairs into ONNX's list of all befores, then all afters.
func padding(pairs []int64) []int64 {
	out := make([]int64, len(pairs))
	for k, v := range pairs {
		out[k/2+k%2*len(pairs)/2] = v
	}
	return out
}

// number reads an integer that is written with or without quotes; what is neither counts as 0.
func number(r json.RawMessage) int64 {
	v, _ := strconv.ParseInt(strings.Trim(string(r), `"`), 10, 64)
	return v
}

// text undoes the base64 in which some exporters write strings ("U0FNRQ==" is SAME).
func text(s string) string {
	s = strings.Trim(s, `"`)
	for _, known := range []string{"SAME", "VALID", "BiasAdd", "Relu", "Prelu", "Sigmoid"} {
		if s == known || s == base64.StdEncoding.EncodeToString([]byte(known)) {
			return known
		}
	}
	return s
}
