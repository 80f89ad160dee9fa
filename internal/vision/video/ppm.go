package video

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// readPPM reads one binary portable pixmap of 8 bits a channel, io.EOF at a clean end. The sides are checked
// against max before anything is allocated: the child is not trusted to keep to the size that it was given.
func readPPM(r *bufio.Reader, max int) (*pix.RGB, error) {
	var w, h, depth int
	if _, err := r.Peek(1); errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if _, err := fmt.Fscanf(r, "P6\n%d %d\n%d\n", &w, &h, &depth); err != nil {
		return nil, fmt.Errorf("reading frame header: %w", noEOF(err))
	}
	if w < 1 || h < 1 || w > max || h > max || depth != 255 {
		return nil, fmt.Errorf("frame of %dx%d, depth %d, where at most %d was asked", w, h, depth, max)
	}
	m := &pix.RGB{W: w, H: h, Pix: make([]uint8, 3*w*h)}
	if _, err := io.ReadFull(r, m.Pix); err != nil {
		return nil, fmt.Errorf("reading frame: %w", noEOF(err))
	}
	return m, nil
}

// noEOF keeps a cut-off frame from looking like a clean end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
