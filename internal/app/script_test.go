package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata are what a user could type.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			models, err := filepath.Abs("../../models")
			if err == nil {
				err = os.Symlink(models, filepath.Join(e.WorkDir, "models"))
			}
			return err
		},
	})
}
