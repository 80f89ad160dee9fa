package picture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"image/png"
	"io"
)

// Info is what a file's header says.
type Info struct {
	Kind        Kind
	W, H        int   // as stored, before Orientation is applied
	Orientation int   // EXIF orientation, 1 to 8; 1 where the file says nothing (it is read from JPEG only)
	Frames      int   // of an animated GIF; 1 otherwise
	Bytes       int64 // that decoding takes at its height, about; for a JPEG without its pixels, which may come shrunk
}

// Size returns the size of the picture as it is to be seen, after its EXIF orientation.
func (i Info) Size() (w, h int) {
	if i.Orientation >= 5 {
		return i.H, i.W
	}
	return i.W, i.H
}

// Header reads what a still picture's header says and refuses it if it is over the limits; no pixel is decoded.
// For a video it returns the kind and no size.
func Header(r io.Reader, lim Limits) (Info, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(SniffLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return Info{}, err
	}
	kind, err := Sniff(head)
	if err != nil || kind.Video() {
		return Info{Kind: kind}, err
	}
	lim = lim.defaults()
	info, err := readers[kind](b, lim)
	if err != nil {
		return Info{}, err
	}
	info.Kind = kind
	if err := lim.check(info.W, info.H); err != nil {
		return info, err
	}
	return info, lim.checkBytes(info)
}

var readers = map[Kind]func(*bufio.Reader, Limits) (Info, error){
	JPEG: jpegHeader, PNG: pngHeader, WebP: webpHeader, GIF: gifHeader,
}

// pngHeader holds the size against the limits before it goes on: image/png has no word for a size that overflows.
func pngHeader(r *bufio.Reader, lim Limits) (Info, error) {
	if size, err := r.Peek(24); err == nil {
		w, h := binary.BigEndian.Uint32(size[16:]), binary.BigEndian.Uint32(size[20:])
		if err := lim.check(int(w), int(h)); err != nil {
			return Info{}, err
		}
	}
	pixel := int64(perPNG)
	if h, err := r.Peek(29); err == nil {
		if depth := h[24]; depth == 16 {
			pixel *= 2
		}
		if interlaced := h[28]; interlaced != 0 {
			pixel *= 2
		}
	}
	c, err := png.DecodeConfig(r)
	if err != nil {
		return Info{}, damaged(err, "reading the PNG header")
	}
	return Info{W: c.Width, H: c.Height, Orientation: 1, Frames: 1, Bytes: area(c.Width, c.Height) * (pixel + perRGB)}, nil
}

// gifHeader walks the blocks of the whole file, because only they say how many frames there are.
func gifHeader(r *bufio.Reader, lim Limits) (Info, error) {
	screen, err := r.Peek(13)
	if err != nil {
		return Info{}, damaged(err, "reading the GIF header")
	}
	info := Info{W: int(screen[6]) | int(screen[7])<<8, H: int(screen[8]) | int(screen[9])<<8, Orientation: 1}
	if err := lim.check(info.W, info.H); err != nil {
		return Info{}, err
	}
	info.Bytes = area(info.W, info.H) * (perGIF + perRGB)
	info.Frames, err = gifFrames(r, lim)
	if err != nil {
		return Info{}, err
	}
	if info.Frames == 0 {
		return Info{}, refuse(Damaged, "a GIF without a picture")
	}
	return info, nil
}

func gifFrames(r *bufio.Reader, lim Limits) (int, error) {
	w := gifWalk{r: r}
	w.screen()
	pixels := 0
	for n := 0; ; {
		switch w.byte() {
		case ',':
			pixels += w.image()
			if n++; n > lim.MaxFrames || pixels > 4*lim.MaxPixels {
				return n, refuse(TooManyPixels, "an animation of more than %d frames, or %d million pixels in all", lim.MaxFrames, 4*lim.MaxPixels/1_000_000)
			}
		case '!':
			w.byte()
			w.blocks()
		case ';':
			return n, nil
		default:
			return n, damaged(w.err, "reading the blocks of a GIF")
		}
	}
}

// gifWalk skips through the blocks of a GIF; after an error every read gives zero.
type gifWalk struct {
	r   *bufio.Reader
	err error
}

func (w *gifWalk) byte() byte {
	if w.err != nil {
		return 0
	}
	var b byte
	b, w.err = w.r.ReadByte()
	return b
}

func (w *gifWalk) skip(n int) {
	if w.err == nil {
		_, w.err = w.r.Discard(n)
	}
}

func (w *gifWalk) table(flags byte) {
	if flags&0x80 != 0 {
		w.skip(3 << (flags&7 + 1))
	}
}

func (w *gifWalk) screen() {
	w.skip(10)
	flags := w.byte()
	w.skip(2)
	w.table(flags)
}

// image skips one frame and returns how many pixels it has.
func (w *gifWalk) image() int {
	var d [9]byte
	for i := range d {
		d[i] = w.byte()
	}
	w.table(d[8])
	w.byte()
	w.blocks()
	return (int(d[4]) | int(d[5])<<8) * (int(d[6]) | int(d[7])<<8)
}

func (w *gifWalk) blocks() {
	for n := w.byte(); n != 0; n = w.byte() {
		w.skip(int(n))
	}
}

func area(w, h int) int64 { return int64(w) * int64(h) }
