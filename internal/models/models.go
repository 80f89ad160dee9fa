// Package models opens the models directory.
//
// The directory holds ONNX Runtime's library and every network as NAME.onnx; `make setup` fills it. The
// digest of each file is compiled into the binary (SHA256SUMS), so a finding can name exactly the
// weights that made it, and a missing or damaged file is an error at the start, not a wrong answer later.
//
//	name            what it does
//	corners         finds the four corners of a document
//	mrz             reads a line of a machine-readable zone
//	text-det        finds lines of text
//	text-rec        reads a line of Latin text; its alphabet is in the metadata key "character"
//	text-cls        tells whether a line is upside down
//	blazeface       finds faces
//	facemesh        places 468 points on a face
//	face-embedding  maps an aligned face to 128 numbers
//
// docs/models has a card for each of the project's own networks.
package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// Set is a verified models directory. Its networks are opened when first asked for, and shared.
type Set struct {
	dir     string
	dep     *resilience.Dependency
	digests map[string]string // file → hexadecimal SHA-256

	mu     sync.Mutex
	opened map[string]*onnx.Model
}

// Config of a set.
type Config struct {
	Dir        string
	Dependency *resilience.Dependency // what is done when a network fails
}

// Open checks the directory and makes its networks ready to be asked for.
func Open(c Config) (*Set, error) {
	if c.Dependency == nil {
		return nil, errors.New("opening models: a dependency is needed")
	}
	if err := Check(c.Dir); err != nil {
		return nil, fmt.Errorf("opening models: %w", err)
	}
	return &Set{dir: c.Dir, dep: c.Dependency, digests: manifest(pinned), opened: map[string]*onnx.Model{}}, nil
}

// Check compares every file of dir with the digests in the binary. The error names the first file
// that is missing or damaged, and how to restore it.
func Check(dir string) error {
	var g errgroup.Group
	for file, digest := range manifest(pinned) {
		g.Go(func() error { return verify(dir, file, digest) })
	}
	return g.Wait()
}

// guard runs a network as was decided for the models. It cannot be broken off, so its time is only looked at.
func (s *Set) guard(run func() error) error {
	return s.dep.Do(context.Background(), func(context.Context) error { return run() })
}

// Get returns the network of that name, opened with one thread; it is the same for every caller and
// safe for concurrent use. Callers do not close it.
func (s *Set) Get(name string) (*onnx.Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.opened[name]; m != nil {
		return m, nil
	}
	if s.digests[name+".onnx"] == "" {
		return nil, fmt.Errorf("opening model %s: no such model", name)
	}
	if err := onnx.Load(filepath.Join(s.dir, library)); err != nil {
		return nil, fmt.Errorf("opening model %s: %w", name, err)
	}
	m, err := onnx.Open(filepath.Join(s.dir, name+".onnx"), onnx.Options{Around: s.guard})
	if err != nil {
		return nil, fmt.Errorf("opening model %s: %w", name, err)
	}
	s.opened[name] = m
	return m, nil
}

// Digest returns "sha256:" and the hexadecimal digest of the network of that name, "" if there is none.
func (s *Set) Digest(name string) string {
	if d := s.digests[name+".onnx"]; d != "" {
		return "sha256:" + d
	}
	return ""
}

// Dir returns the directory; demo/ and fonts/ in it are for the specimen generator and the demo.
func (s *Set) Dir() string { return s.dir }

// Close frees the networks; none may be running or used afterwards.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for name, m := range s.opened {
		errs = append(errs, m.Close())
		delete(s.opened, name)
	}
	return errors.Join(errs...)
}

// Find returns where the models directory is: $BONAFIDE_MODELS, else ./models, else models beside the
// folder of the running binary, else models in the nearest folder above that holds go.mod (for tests).
// When there is none it returns ./models, and Open says what is missing.
func Find() string {
	if dir := os.Getenv("BONAFIDE_MODELS"); dir != "" {
		return dir
	}
	candidates := []string{"models"}
	if exe, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(filepath.Dir(exe)), "models"))
	}
	if root := moduleRoot(); root != "" {
		candidates = append(candidates, filepath.Join(root, "models"))
	}
	for _, dir := range candidates {
		if _, err := os.Stat(filepath.Join(dir, library)); err == nil {
			return dir
		}
	}
	return "models"
}

// moduleRoot returns the nearest folder above the working directory with a go.mod, "" if there is none.
func moduleRoot() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	return ""
}
