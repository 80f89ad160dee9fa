package app

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Research sets keep faces as binary portable greymaps (P5: width, height, largest value, one white space, pixels), which nobody uploads; so they are
// read here and not at the door.

var errGreymap = errors.New("not a binary portable greymap of 8 bits")

// maxGreymap bounds the side of a greymap in pixels.
const maxGreymap = 1 << 13

func greymap(data []byte) (*pix.RGB, error) {
	rest, ok := bytes.CutPrefix(data, []byte("P5"))
	if !ok {
		return nil, errGreymap
	}
	var head [3]int
	for i := range head {
		var err error
		if head[i], rest, err = number(rest); err != nil {
			return nil, err
		}
	}
	w, h := head[0], head[1]
	if w < 1 || h < 1 || w > maxGreymap || h > maxGreymap || head[2] != 255 || len(rest) < 1+w*h {
		return nil, errGreymap
	}
	m := &pix.RGB{W: w, H: h, Pix: make([]uint8, 0, 3*w*h)}
	for _, v := range rest[1 : 1+w*h] {
		m.Pix = append(m.Pix, v, v, v)
	}
	return m, nil
}

// number reads a decimal number behind white space and comments.
func number(b []byte) (n int, rest []byte, err error) {
	for b = bytes.TrimLeft(b, " \t\r\n"); len(b) > 0 && b[0] == '#'; b = bytes.TrimLeft(b, " \t\r\n") {
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	if _, err := fmt.Sscanf(string(b[:min(len(b), 8)]), "%d", &n); err != nil {
		return 0, nil, errGreymap
	}
	return n, bytes.TrimLeft(b, "0123456789"), nil
}
