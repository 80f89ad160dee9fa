package onnx_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
)

func library() string { return filepath.Join(models.Find(), "libonnxruntime.so.1.30.0") }

func open(t *testing.T, name string) *onnx.Model {
	t.Helper()
	if err := onnx.Load(library()); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(filepath.Join(models.Find(), name+".onnx"), onnx.Options{})
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

// noise is a tensor of values in -1…1 that depend on seed alone.
func noise(seed uint32, shape ...int64) onnx.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	t := onnx.Tensor{Shape: shape, Data: make([]float32, n)}
	for k := range t.Data {
		seed = seed*1664525 + 1013904223
		t.Data[k] = float32(int32(seed)) / (1 << 31)
	}
	return t
}

func TestRunGivesEveryOutput(t *testing.T) {
	m := open(t, "blazeface")
	out, err := m.Run(noise(1, 1, 256, 256, 3))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]int64{}
	for k, name := range m.Outputs() {
		got[name] = out[k].Shape
		if n := out[k].Shape[1] * out[k].Shape[2]; int64(len(out[k].Data)) != n {
			t.Errorf("%s: %d values for shape %v", name, len(out[k].Data), out[k].Shape)
		}
	}
	want := map[string][]int64{
		"Identity": {1, 512, 1}, "Identity_1": {1, 384, 1}, "Identity_2": {1, 512, 16}, "Identity_3": {1, 384, 16},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRunTakesAnyWidthWhereTheNetworkDoes(t *testing.T) {
	m := open(t, "mrz")
	for _, w := range []int64{64, 512, 1024} {
		out, err := m.Run(noise(2, 1, 1, 32, w))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]int64{1, w / 4, 38}, out[0].Shape); d != "" {
			t.Errorf("width %d: %s", w, d)
		}
	}
}

func TestRunRefusesWhatTheNetworkDoesNotTake(t *testing.T) {
	m := open(t, "corners")
	cases := map[string][]onnx.Tensor{
		"no input":        {},
		"two inputs":      {noise(1, 1, 3, 192, 192), noise(1, 1, 3, 192, 192)},
		"wrong rank":      {noise(1, 3, 192, 192)},
		"wrong dimension": {noise(1, 1, 4, 192, 192)},
		"too little data": {{Shape: []int64{1, 3, 192, 192}, Data: make([]float32, 10)}},
		"empty":           {{}},
		"negative":        {{Shape: []int64{-1, 3, 192, 192}, Data: make([]float32, 10)}},
	}
	for name, in := range cases {
		if out, err := m.Run(in...); err == nil {
			t.Errorf("%s: no error, %d outputs", name, len(out))
		}
	}
	if _, err := m.Run(noise(1, 1, 3, 192, 192)); err != nil {
		t.Errorf("a right input after wrong ones: %v", err)
	}
}

func TestConcurrentRunsDoNotMix(t *testing.T) {
	m := open(t, "corners")
	want := make([][]float32, 8)
	for k := range want {
		want[k] = run(t, m, uint32(k))
	}
	if cmp.Equal(want[0], want[1]) {
		t.Fatal("two inputs give one output; the test could not see a mix")
	}
	var wg sync.WaitGroup
	for k := range want {
		wg.Go(func() {
			for range 10 {
				if got := run(t, m, uint32(k)); !cmp.Equal(want[k], got) {
					t.Errorf("run %d gave another answer beside others", k)
				}
			}
		})
	}
	wg.Wait()
}

func run(t *testing.T, m *onnx.Model, seed uint32) []float32 {
	out, err := m.Run(noise(seed, 1, 3, 192, 192))
	if err != nil {
		t.Error(err)
		return nil
	}
	return out[0].Data
}

// A run that leaves its native values behind loses about 300 bytes each time, so many short runs show it.
func TestRunFreesItsMemory(t *testing.T) {
	m, in := open(t, "mrz"), noise(1, 1, 1, 32, 64)
	repeat := func(n int) int {
		for range n {
			if _, err := m.Run(in); err != nil {
				t.Fatal(err)
			}
		}
		debug.FreeOSMemory()
		return resident(t)
	}
	before := repeat(4000)
	if grown := repeat(25000) - before; grown > 3<<20 {
		t.Errorf("resident memory grew by %d kB", grown>>10)
	}
}

// resident returns the resident memory of this process in bytes.
func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func TestMetaReadsTheAlphabet(t *testing.T) {
	m := open(t, "text-rec")
	alphabet := strings.Split(m.Meta("character"), "\n")
	out, err := m.Run(noise(3, 1, 3, 48, 64))
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(len(alphabet) + 2); out[0].Shape[2] != want { // the blank and the space
		t.Errorf("%d classes, want %d", out[0].Shape[2], want)
	}
	if got := m.Meta("no such key"); got != "" {
		t.Errorf("an absent key gives %q", got)
	}
}

func TestOpenAndLoadSayWhatIsWrong(t *testing.T) {
	open(t, "corners")
	if err := onnx.Load(library()); err != nil {
		t.Errorf("loading the same library again: %v", err)
	}
	if err := onnx.Load("elsewhere.so"); err == nil {
		t.Error("loading another library: no error")
	}
	damaged := filepath.Join(t.TempDir(), "damaged.onnx")
	if err := os.WriteFile(damaged, []byte("not a network"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{damaged, damaged + ".missing"} {
		m, err := onnx.Open(path, onnx.Options{})
		if err == nil {
			err = errors.Join(errors.New("no error"), m.Close())
			t.Error(err)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("the error does not name the file: %v", err)
		}
	}
}
