package logbench

import (
	"os"
	"syscall"
)

// datasync makes data durable, and of the metadata only what is needed to read it.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
