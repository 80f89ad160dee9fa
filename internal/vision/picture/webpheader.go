package picture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// webpHeader walks the chunks up to the coded picture. A canvas size (VP8X) that differs from the coded
// picture's own is refused: the decoder allocates by the latter, whatever the former promises.
func webpHeader(r *bufio.Reader, _ Limits) (Info, error) {
	if _, err := r.Discard(12); err != nil {
		return Info{}, damaged(err, "reading the WebP header")
	}
	var canvas, coded Info
	pixel := int64(perWebP)
	for coded.W == 0 {
		var h [8]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return Info{}, damaged(err, "reading the WebP header")
		}
		n := int64(binary.LittleEndian.Uint32(h[4:]))
		var err error
		switch string(h[:4]) {
		case "VP8X":
			canvas, err = webpCanvas(r)
		case "VP8 ":
			coded, err = webpLossy(r)
		case "ALPH":
			pixel = perDeepWebP
		case "VP8L":
			pixel = perDeepWebP
			coded, err = webpLossless(r)
		case "ANIM", "ANMF":
			return Info{}, refuse(Unsupported, "an animated WebP")
		}
		if err != nil {
			return Info{}, err
		}
		if err := skipChunk(r, n, string(h[:4])); err != nil && coded.W == 0 {
			return Info{}, damaged(err, "reading the WebP header")
		}
	}
	if canvas.W != 0 && (canvas.W != coded.W || canvas.H != coded.H) {
		return Info{}, refuse(Damaged, "a WebP canvas of another size than its picture")
	}
	coded.Orientation, coded.Frames, coded.Bytes = 1, 1, area(coded.W, coded.H)*(pixel+perRGB)
	return coded, nil
}

// skipChunk discards what is left of a chunk of n bytes, padded to an even number. The size readers only peek.
func skipChunk(r *bufio.Reader, n int64, id string) error {
	if id == "VP8 " || id == "VP8L" {
		return nil
	}
	_, err := io.CopyN(io.Discard, r, n+n&1)
	return err
}

func webpCanvas(r *bufio.Reader) (Info, error) {
	b, err := r.Peek(10)
	if err != nil {
		return Info{}, damaged(err, "reading the WebP header")
	}
	if b[0]&2 != 0 {
		return Info{}, refuse(Unsupported, "an animated WebP")
	}
	u24 := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	return Info{W: u24(b[4:]) + 1, H: u24(b[7:]) + 1}, nil
}

func webpLossy(r *bufio.Reader) (Info, error) {
	b, err := r.Peek(10)
	if err == nil && (b[0]&1 != 0 || string(b[3:6]) != "\x9d\x01\x2a") {
		err = errors.New("no key frame")
	}
	if err != nil {
		return Info{}, damaged(err, "reading the WebP header")
	}
	u14 := func(b []byte) int { return int(binary.LittleEndian.Uint16(b) & 0x3fff) }
	return webpSize(u14(b[6:]), u14(b[8:]))
}

func webpLossless(r *bufio.Reader) (Info, error) {
	b, err := r.Peek(5)
	if err == nil && b[0] != 0x2f {
		err = errors.New("no lossless signature")
	}
	if err != nil {
		return Info{}, damaged(err, "reading the WebP header")
	}
	bits := binary.LittleEndian.Uint32(b[1:])
	return webpSize(int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1)
}

func webpSize(w, h int) (Info, error) {
	if w == 0 || h == 0 {
		return Info{}, refuse(Damaged, "a WebP of %d×%d pixels", w, h)
	}
	return Info{W: w, H: h}, nil
}
