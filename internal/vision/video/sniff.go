package video

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

// sniff tells the format from the first bytes and gives a reader that still has them.
func sniff(r io.Reader) (picture.Kind, io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(picture.SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", nil, fmt.Errorf("reading recording: %w", err)
	}
	kind, err := picture.Sniff(head)
	return kind, b, refused(err)
}

// refused is a refusal by package picture in the words of this one; other errors pass as they are.
func refused(err error) error {
	var e *picture.Error
	if errors.As(err, &e) {
		return &Error{Code: Code(e.Code), Detail: e.Detail}
	}
	return err
}
