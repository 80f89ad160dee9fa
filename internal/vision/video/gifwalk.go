package video

import (
	"encoding/binary"
	"time"
)

// gifPlan is what a GIF's block headers announce, read without decoding a pixel.
type gifPlan struct {
	w, h     int
	frames   int
	pixels   int // of all pictures together
	duration time.Duration
}

// gifWalker steps over the blocks of a GIF.
type gifWalker struct {
	b   []byte
	off int
	bad bool
}

// walkGIF measures a GIF. It stops at the trailer; a file that ends before one is damaged.
func walkGIF(b []byte) (gifPlan, error) {
	w := &gifWalker{b: b, off: 6}
	lsd := w.take(7)
	if w.bad {
		return gifPlan{}, &Error{Code: Damaged, Detail: "GIF: no screen descriptor"}
	}
	p := gifPlan{w: int(binary.LittleEndian.Uint16(lsd)), h: int(binary.LittleEndian.Uint16(lsd[2:]))}
	w.table(lsd[4])
	if p.w == 0 || p.h == 0 {
		return p, &Error{Code: Damaged, Detail: "GIF: empty screen"}
	}
	delay := 0
	for !w.bad {
		switch kind := w.take(1); {
		case w.bad:
		case kind[0] == 0x21:
			w.extension(&delay)
		case kind[0] == 0x2c:
			w.picture(&p, delay)
			delay = 0
		case kind[0] == 0x3b:
			return p, nil
		default:
			w.bad = true
		}
	}
	return p, &Error{Code: Damaged, Detail: "GIF: ends before its trailer"}
}

// take gives the next n bytes and marks the file bad where there are fewer.
func (w *gifWalker) take(n int) []byte {
	if w.bad || n > len(w.b)-w.off {
		w.bad = true
		return nil
	}
	w.off += n
	return w.b[w.off-n : w.off]
}

// table steps over a colour table, if the flags say that there is one.
func (w *gifWalker) table(flags byte) {
	if flags&0x80 != 0 {
		w.take(3 << (flags&7 + 1))
	}
}

// blocks steps over data sub-blocks up to the empty one.
func (w *gifWalker) blocks() {
	for n := w.take(1); !w.bad && n[0] != 0; n = w.take(1) {
		w.take(int(n[0]))
	}
}

// extension steps over an extension, keeping the delay of a graphic control.
func (w *gifWalker) extension(delay *int) {
	label := w.take(1)
	if !w.bad && label[0] == 0xf9 && w.off+4 < len(w.b) && w.b[w.off] == 4 {
		*delay = int(binary.LittleEndian.Uint16(w.b[w.off+2:]))
	}
	w.blocks()
}

func (w *gifWalker) picture(p *gifPlan, delay int) {
	d := w.take(9)
	if w.bad {
		return
	}
	w.table(d[8])
	w.take(1)
	w.blocks()
	p.frames++
	p.pixels += int(binary.LittleEndian.Uint16(d[4:])) * int(binary.LittleEndian.Uint16(d[6:]))
	p.duration += gifDelay(delay)
}
