package embedded

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

func damaged(file string, err error) error {
	return &log.DamagedError{Lane: -1, File: file, Err: plain(err)}
}

// wrapDamage turns Pebble's word for corruption into ours, with the file if Pebble knows it.
func wrapDamage(err error) error {
	if err == nil || errors.Is(err, log.ErrDamaged) {
		return err
	}
	var file string
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		file = info.Path
	} else if !pebble.IsCorruptionError(err) {
		return err
	}
	return damaged(file, err)
}

// plainError is an error of Pebble in one line: without the stack traces that its format %+v, which slog uses, would add to it.
type plainError struct {
	text  string
	cause error
}

func plain(err error) error { return &plainError{sentence(err.Error()), err} }

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.cause }

// sentence is what Pebble says in one line, without what is meant for its own developers.
func sentence(s string) string {
	s, _, _ = strings.Cut(s, "\n(1)") // stack traces
	var parts []string
	for _, line := range strings.Split(s, "\n") {
		if line = strings.TrimSpace(line); line != "" && line != "<corruption detail carrier>" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// corrupt logs what file Pebble found damaged. Who read it says what is affected.
func (s *store) corrupt(i pebble.DataCorruptionInfo) {
	s.log.Error("a file is damaged", "file", i.Path, "err", plain(i.Details))
}
