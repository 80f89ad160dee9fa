package models

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pinned lists every file that takes part in a result, with its SHA-256, in the format of sha256sum.
//
//go:embed SHA256SUMS
var pinned string

// library is ONNX Runtime's file in the models directory.
const library = "libonnxruntime.so.1.30.0"

// manifest reads lines "digest  file" into file → hexadecimal digest.
func manifest(text string) map[string]string {
	files := map[string]string{}
	for line := range strings.Lines(text) {
		if digest, file, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			files[file] = digest
		}
	}
	return files
}

// verify checks that file in dir exists and has the digest.
func verify(dir, file, digest string) error {
	got, err := sum(filepath.Join(dir, file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("model file %s is missing: run `make setup`", filepath.Join(dir, file))
	case err != nil:
		return fmt.Errorf("reading model file %s: %w", file, err)
	case got != digest:
		return fmt.Errorf("model file %s is damaged (SHA-256 %s, expected %s): run `make setup`",
			filepath.Join(dir, file), got, digest)
	}
	return nil
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Pin writes a manifest of the model files that are in dir now to path. Set-up calls it when a model
// was changed on purpose.
func Pin(dir, path string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	for _, f := range append(files, filepath.Join(dir, library)) {
		digest, err := sum(f)
		if err != nil {
			return errors.Join(fmt.Errorf("pinning: %w", err), out.Close())
		}
		fmt.Fprintf(w, "%s  %s\n", digest, filepath.Base(f))
	}
	return errors.Join(w.Flush(), out.Close())
}
