// Package convert turns the model files of other frameworks into the ONNX files that bonafide runs.
//
// It knows four jobs, all of them deterministic: the same input gives the same bytes, so that the
// digests of the results can be pinned.
//
//   - GraphModel: a TensorFlow.js graph model (model.json and its weight files) becomes ONNX. These
//     are the face networks. TensorFlow keeps pictures as NHWC and ONNX convolutions want NCHW, so
//     each convolution is wrapped in two transposes; ONNX Runtime cancels those that meet.
//   - Descriptor: the weights of dlib's face ResNet, which come without a graph, get the graph
//     that dlib defines for them.
//   - PruneClasses: the head of a text recogniser is cut down to the characters that are wanted.
//   - FlushDenormals: weights too small for a processor to be quick with become zero.
package convert

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers and constants of onnx.proto (ONNX 1.8, IR version 8).
const (
	modelIRVersion, modelGraph, modelOpset, modelMetadata           = 1, 7, 8, 14
	graphNode, graphName, graphInitializer, graphInput, graphOutput = 1, 2, 5, 11, 12
	graphValueInfo                                                  = 13
	nodeInput, nodeOutput, nodeOp, nodeAttribute                    = 1, 2, 4, 5
	attrName, attrInt, attrString, attrInts, attrType               = 1, 3, 4, 8, 20
	tensorDims, tensorType, tensorName, tensorRaw                   = 1, 2, 8, 9
	valueName, valueType, typeTensor, typeElem, typeShape, shapeDim = 1, 2, 1, 1, 2, 1
	dimValue                                                        = 1
	elemFloat, elemInt64                                            = 1, 7
	attrTypeInt, attrTypeString, attrTypeInts                       = 2, 3, 7
	irVersion, opsetVersion                                         = 8, 13
)

// tensor is a constant of a graph: row-major values of one kind.
type tensor struct {
	shape  []int64
	floats []float32
	ints   []int64 // used instead of floats when not nil
}

// builder collects an ONNX graph. Names of tensors are the only links between nodes.
type builder struct {
	graph []byte // serialised GraphProto so far
	temps int
}

func appendInt(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendText(b []byte, field protowire.Number, v string) []byte {
	return appendBytes(b, field, []byte(v))
}

// temp returns a tensor name that is not in use.
func (g *builder) temp() string {
	g.temps++
	return fmt.Sprintf("t_%d", g.temps)
}

// constant adds t under name and returns the name.
func (g *builder) constant(name string, t tensor) string {
	var p, raw []byte
	for _, d := range t.shape {
		p = appendInt(p, tensorDims, d)
	}
	if t.ints != nil {
		p = appendInt(p, tensorType, elemInt64)
		raw, _ = binary.Append(nil, binary.LittleEndian, t.ints) // cannot fail on a slice of int64
	} else {
		p = appendInt(p, tensorType, elemFloat)
		raw, _ = binary.Append(nil, binary.LittleEndian, t.floats)
	}
	p = appendBytes(appendText(p, tensorName, name), tensorRaw, raw)
	g.graph = appendBytes(g.graph, graphInitializer, p)
	return name
}

func (g *builder) ints(v ...int64) string {
	return g.constant(g.temp(), tensor{shape: []int64{int64(len(v))}, ints: v})
}

func (g *builder) floats(v ...float32) string {
	return g.constant(g.temp(), tensor{shape: []int64{int64(len(v))}, floats: v})
}

// attrs are the attributes of a node; values are int, string or []int64.
type attrs map[string]any

// node adds an operator and returns the name of its output: out, or a new name when out is empty.
func (g *builder) node(op, out string, a attrs, in ...string) string {
	if out == "" {
		out = g.temp()
	}
	var p []byte
	for _, name := range in {
		p = appendText(p, nodeInput, name)
	}
	p = appendText(appendText(p, nodeOutput, out), nodeOp, op)
	for _, name := range sortedKeys(a) {
		p = appendBytes(p, nodeAttribute, attribute(name, a[name]))
	}
	g.graph = appendBytes(g.graph, graphNode, p)
	return out
}

func attribute(name string, value any) []byte {
	p := appendText(nil, attrName, name)
	switch v := value.(type) {
	case int:
		p = appendInt(appendInt(p, attrInt, int64(v)), attrType, attrTypeInt)
	case string:
		p = appendInt(appendText(p, attrString, v), attrType, attrTypeString)
	case []int64:
		for _, x := range v {
			p = appendInt(p, attrInts, x)
		}
		p = appendInt(p, attrType, attrTypeInts)
	}
	return p
}

// port declares an input or output of the graph; a nil shape leaves the shape to inference.
func (g *builder) port(field protowire.Number, name string, shape []int64) {
	var dims []byte
	for _, d := range shape {
		dims = appendBytes(dims, shapeDim, appendInt(nil, dimValue, d))
	}
	typ := appendInt(nil, typeElem, elemFloat)
	if shape != nil {
		typ = appendBytes(typ, typeShape, dims)
	}
	v := appendBytes(appendText(nil, valueName, name), valueType, appendBytes(nil, typeTensor, typ))
	g.graph = appendBytes(g.graph, field, v)
}

// model returns the serialised ModelProto.
func (g *builder) model() []byte {
	graph := appendText(g.graph, graphName, "g")
	opset := appendInt(appendText(nil, 1, ""), 2, opsetVersion)
	m := appendInt(nil, modelIRVersion, irVersion)
	return appendBytes(appendBytes(m, modelGraph, graph), modelOpset, opset)
}
