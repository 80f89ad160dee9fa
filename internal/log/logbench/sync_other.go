//go:build !linux

package logbench

import "os"

// datasync makes data durable.
func datasync(f *os.File) error { return f.Sync() }
