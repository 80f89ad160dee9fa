// Command bonafide verifies that a person is who their identity document says they are.
package main

import (
	"os"

	"github.com/bonafide-id/bonafide/internal/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) }
