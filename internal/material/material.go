// Package material gives tests the real pictures and vectors that lie beside the checkout. They are no part of the project: where they are absent, a
// test that asks for them is skipped with the words "no data".
package material

import (
	"bufio"
	"encoding/json"
	"image"
	_ "image/jpeg" // what the pictures are
	_ "image/png"
	"os"
	"path/filepath"
	"testing"

	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Path is where something of the material lies, such as "A/manifest.jsonl".
func Path(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "..", "shared", "data", filepath.FromSlash(name))
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("this test runs outside of the module")
		}
	}
}

// Lines reads a file of JSON lines.
func Lines[T any](t testing.TB, name string) (all []T) {
	t.Helper()
	f, err := os.Open(Path(t, name))
	if err != nil {
		t.Skip("no data")
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Picture reads a picture that a manifest names.
func Picture(t testing.TB, name string) *pix.RGB {
	t.Helper()
	f, err := os.Open(Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return pix.FromImage(m)
}
