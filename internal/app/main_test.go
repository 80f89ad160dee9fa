package app

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bonafide": func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }})
}
