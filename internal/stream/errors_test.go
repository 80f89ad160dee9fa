package stream

import (
	"errors"
	"strings"
	"testing"
)

// A panic tells what Go says of it; what a service panics with may hold what stands on a document.
func TestPanicsAreNotQuoted(t *testing.T) {
	var none []int
	err := guard(func() error { return errors.New(string(rune(none[len(none)]))) })
	if s := err.Error(); !strings.Contains(s, "index out of range [0] with length 0") || !strings.Contains(s, "TestPanicsAreNotQuoted") {
		t.Error("neither what happened nor where is told:", s)
	}
	for _, cause := range []any{"MUSTERMANN", errors.New("MUSTERMANN"), []string{"MUSTERMANN"}} {
		err := guard(func() error { panic(cause) })
		if s := err.Error(); strings.Contains(s, "MUSTERMANN") || !strings.Contains(s, "a value of type") || !isBug(err) {
			t.Error(s)
		}
	}
}
