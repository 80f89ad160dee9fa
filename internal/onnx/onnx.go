// Package onnx runs neural networks stored as ONNX files, with ONNX Runtime.
//
// It is the only package that knows ONNX Runtime. Callers see files, slices of float32 and errors; the
// native memory behind a call is freed before the call returns. A Model may be run from many goroutines
// at once. Networks here are small: one thread each is fastest, because two would spend their time
// waiting for one another, and two models on two cores use them fully.
package onnx

import (
	"fmt"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// loaded is the one thing in the process that cannot be passed around: a native library has global
// state of its own.
var loaded struct {
	sync.Mutex
	path string
}

// Load loads ONNX Runtime from the shared library file lib. It must succeed once before Open; calling
// it again with the same path does nothing, with another path it is an error.
func Load(lib string) error {
	loaded.Lock()
	defer loaded.Unlock()
	switch loaded.path {
	case lib:
		return nil
	case "":
	default:
		return fmt.Errorf("loading ONNX Runtime %s: %s is already loaded", lib, loaded.path)
	}
	ort.SetSharedLibraryPath(lib)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("loading ONNX Runtime %s: %w", lib, err)
	}
	loaded.path = lib
	return nil
}

// Options tells how a network is run.
type Options struct {
	Threads int // threads inside one run; 0 means 1
	// Around is called for every run, with what runs the network, and gives what Run returns; nil: just run.
	Around func(run func() error) error
}

// Tensor is a dense row-major array. Data has as many values as the product of Shape.
type Tensor struct {
	Shape []int64
	Data  []float32
}

// Model is an opened network.
type Model struct {
	session *ort.DynamicAdvancedSession
	around  func(run func() error) error
	inputs  []string
	outputs []string
	meta    map[string]string
}

// Open reads the network in the file path. Its inputs and outputs must all be float32 tensors.
func Open(path string, o Options) (*Model, error) {
	m, err := open(path, o)
	if err != nil {
		return nil, fmt.Errorf("opening network %s: %w", path, err)
	}
	return m, nil
}

func open(path string, o Options) (*Model, error) {
	m := &Model{around: o.Around}
	if m.around == nil {
		m.around = func(run func() error) error { return run() }
	}
	if err := m.describe(path); err != nil {
		return nil, err
	}
	opts, err := options(max(1, o.Threads))
	if err != nil {
		return nil, err
	}
	defer opts.Destroy()
	if m.session, err = ort.NewDynamicAdvancedSession(path, m.inputs, m.outputs, opts); err != nil {
		return nil, err
	}
	if m.meta, err = metadata(m.session); err != nil {
		m.session.Destroy()
		return nil, err
	}
	return m, nil
}

// describe learns the names of inputs and outputs, from a session without optimisation: it is gone at
// once and should cost little.
func (m *Model) describe(path string) error {
	opts, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer opts.Destroy()
	if err := opts.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll); err != nil {
		return err
	}
	in, out, err := ort.GetInputOutputInfoWithOptions(path, opts)
	if err != nil {
		return err
	}
	for _, i := range in {
		m.inputs = append(m.inputs, i.Name)
	}
	for _, o := range out {
		m.outputs = append(m.outputs, o.Name)
	}
	return nil
}

// options are those of a server that shares its cores: threads that wait sleep instead of spinning,
// and no plan of memory is kept for every shape that was ever seen: text lines come in a hundred widths,
// and without the plans the detector and the reader of text together peak 55 MB lower at the same speed.
func options(threads int) (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	for _, set := range []func() error{
		func() error { return o.SetIntraOpNumThreads(threads) },
		func() error { return o.SetInterOpNumThreads(1) },
		func() error { return o.SetMemPattern(false) },
		func() error { return o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0") },
	} {
		if err := set(); err != nil {
			o.Destroy()
			return nil, err
		}
	}
	return o, nil
}

func metadata(s *ort.DynamicAdvancedSession) (map[string]string, error) {
	md, err := s.GetModelMetadata()
	if err != nil {
		return nil, err
	}
	defer md.Destroy()
	keys, err := md.GetCustomMetadataMapKeys()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, k := range keys {
		if out[k], _, err = md.LookupCustomMetadataMap(k); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Outputs returns the names of the outputs in the order in which Run returns them.
func (m *Model) Outputs() []string { return m.outputs }

// Meta returns the custom metadata stored in the file under key, "" if there is none.
func (m *Model) Meta(key string) string { return m.meta[key] }

// Close frees the network. No run may be under way.
func (m *Model) Close() error { return m.session.Destroy() }

// Run computes every output from the inputs, both in the order of the file. The outputs belong to the
// caller. A wrong number of inputs, or a shape that the network does not take, is an error. Run may be
// called concurrently.
func (m *Model) Run(in ...Tensor) ([]Tensor, error) {
	if len(in) != len(m.inputs) {
		return nil, fmt.Errorf("running network: %d inputs given, %d wanted", len(in), len(m.inputs))
	}
	var pin runtime.Pinner // the library reads the slices while Go code runs
	defer pin.Unpin()
	values := make([]ort.Value, len(in))
	defer destroy(values)
	for k, t := range in {
		if len(t.Shape) == 0 || len(t.Data) == 0 {
			return nil, fmt.Errorf("running network: input %s is empty", m.inputs[k])
		}
		pin.Pin(&t.Data[0])
		v, err := ort.NewTensor(ort.Shape(t.Shape), t.Data)
		if err != nil {
			return nil, fmt.Errorf("running network: input %s: %w", m.inputs[k], err)
		}
		values[k] = v
	}
	results := make([]ort.Value, len(m.outputs))
	defer destroy(results)
	if err := m.around(func() error { return m.session.Run(values, results) }); err != nil {
		return nil, fmt.Errorf("running network: %w", err)
	}
	return m.take(results)
}

// take returns what the results hold. The binding has already copied it into slices of Go, so it stays
// when the native values are destroyed.
func (m *Model) take(results []ort.Value) ([]Tensor, error) {
	out := make([]Tensor, len(results))
	for k, r := range results {
		t, ok := r.(*ort.Tensor[float32])
		if !ok {
			return nil, fmt.Errorf("running network: output %s is not float32", m.outputs[k])
		}
		out[k] = Tensor{Shape: t.GetShape(), Data: t.GetData()}
	}
	return out, nil
}

func destroy(values []ort.Value) {
	for _, v := range values {
		if v != nil {
			v.Destroy() // fails only on a value that was never made
		}
	}
}
