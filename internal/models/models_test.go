package models_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
)

var names = []string{
	"corners", "mrz", "text-det", "text-rec", "text-cls", "blazeface", "facemesh", "face-embedding",
}

func open(t *testing.T, dir string) *models.Set {
	t.Helper()
	s, err := models.Open(models.Config{Dir: dir, Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestEveryModelOpensOnceAndHasADigest(t *testing.T) {
	s := open(t, models.Find())
	seen := map[string]string{}
	for _, name := range names {
		m, err := s.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Get(name); err != nil || again != m {
			t.Errorf("%s: opened twice (%v)", name, err)
		}
		d := s.Digest(name)
		if !strings.HasPrefix(d, "sha256:") || len(d) != len("sha256:")+64 || seen[d] != "" {
			t.Errorf("%s has digest %q, as has %q", name, d, seen[d])
		}
		seen[d] = name
	}
}

// A network that fails is a matter of decision, and what was decided is told.
func TestFailingModelIsDecidedOn(t *testing.T) {
	s, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Gone(t, "models", "model_failed")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m, err := s.Get("face-embedding")
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Run(onnx.Tensor{Shape: []int64{1, 3, 112, 112}, Data: make([]float32, 3*112*112)})
	if reason, ok := resilience.Skipped(err); !ok || reason != "model_failed" {
		t.Errorf("running it: %v", err)
	}
}

func TestModelsNeedTheirDecisions(t *testing.T) {
	if _, err := models.Open(models.Config{Dir: models.Find()}); err == nil {
		t.Error("models without their decisions were opened")
	}
}

func TestUnknownModelIsAnError(t *testing.T) {
	s := open(t, models.Find())
	if m, err := s.Get("no-such"); err == nil {
		t.Errorf("no error, %v", m)
	}
	if d := s.Digest("no-such"); d != "" {
		t.Errorf("it has digest %q", d)
	}
}

// copyModels links every model file into a folder that a test may damage.
func copyModels(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, pattern := range []string{"*.onnx", "lib*"} {
		files, err := filepath.Glob(filepath.Join(models.Find(), pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s in %s: run `make setup` (%v)", pattern, models.Find(), err)
		}
		for _, f := range files {
			abs, err := filepath.Abs(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(abs, filepath.Join(dir, filepath.Base(f))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func wantError(t *testing.T, dir, file, word string) {
	t.Helper()
	_, err := models.Open(models.Config{Dir: dir, Dependency: resiliencetest.Refusing(t, "models")})
	if err == nil {
		t.Fatalf("%s %s: no error", file, word)
	}
	for _, want := range []string{file, word, "make setup"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
}

func TestAMissingOrDamagedFileIsNamed(t *testing.T) {
	dir := copyModels(t)
	open(t, dir)
	const file = "facemesh.onnx"
	path := filepath.Join(dir, file)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantError(t, dir, file, "missing")
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, dir, file, "damaged")
}

func TestPinWritesTheManifestInUse(t *testing.T) {
	out := filepath.Join(t.TempDir(), "SHA256SUMS")
	if err := models.Pin(models.Find(), out); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("pinning the models directory gives\n%s\nbut the repository has\n%s", got, want)
	}
}

func TestFindPrefersTheEnvironment(t *testing.T) {
	t.Setenv("BONAFIDE_MODELS", "/somewhere/else")
	if got := models.Find(); got != "/somewhere/else" {
		t.Errorf("found %s", got)
	}
	t.Setenv("BONAFIDE_MODELS", "")
	if got := models.Find(); filepath.Base(got) != "models" {
		t.Errorf("found %s", got)
	}
}
