package pix

import (
	"math"
	"slices"
)

// Resize returns m at w × h pixels: the mean of the covered area along an axis that shrinks, linear
// interpolation along one that grows. A side below one is taken as one.
func Resize(m *RGB, w, h int) *RGB {
	w, h = max(w, 1), max(h, 1)
	return &RGB{W: w, H: h, Pix: m.plane().resize(w, h).pix}
}

// ResizeG is Resize for a grey picture.
func ResizeG(g *Gray, w, h int) *Gray {
	w, h = max(w, 1), max(h, 1)
	return &Gray{W: w, H: h, Pix: g.plane().resize(w, h).pix}
}

// Fit returns the size of a w × h picture whose long side is at most long, in the same proportions.
func Fit(w, h, long int) (int, int) {
	if max(w, h) <= long {
		return w, h
	}
	f := float64(long) / float64(max(w, h))
	return max(int(math.Round(float64(w)*f)), 1), max(int(math.Round(float64(h)*f)), 1)
}

// tap says which source pixels make one destination pixel, and with what weights; they add up to one.
type tap struct {
	start   int
	weights []uint32
}

// one is the fixed-point unit of a weight. Two passes over 8-bit values stay within 32 bits:
// 8 + 12 bits, minus 4 kept back after the first pass, plus 12.
const (
	oneBits = 12
	one     = 1 << oneBits
	kept    = 4
)

func (s plane) resize(dw, dh int) plane {
	if s.w == dw && s.h == dh {
		return plane{slices.Clone(s.pix), s.ch, dw, dh}
	}
	src, ch, sw, sh := s.pix, s.ch, s.w, s.h
	dst := make([]uint8, ch*dw*dh)
	out := plane{dst, ch, dw, dh}
	if sw == 0 || sh == 0 {
		return out
	}
	if sw == 2*dw && sh == 2*dh {
		halve(dst, src, ch, dw)
		return out
	}
	across, down := taps(sw, dw), taps(sh, dh)
	rows := newRowCache(down, ch*dw)
	acc := make([]uint32, ch*dw)
	for y, t := range down {
		clear(acc)
		for i, wt := range t.weights {
			row, fresh := rows.get(t.start + i)
			if fresh {
				y := t.start + i
				narrow(row, src[ch*y*sw:ch*(y+1)*sw], ch, across)
			}
			for k, v := range row {
				acc[k] += v * wt
			}
		}
		line := dst[ch*y*dw : ch*(y+1)*dw]
		for k, v := range acc {
			line[k] = uint8((v + 1<<(2*oneBits-kept-1)) >> (2*oneBits - kept))
		}
	}
	return out
}

// halve writes the means of 2 × 2 pixels, dw of them a row: what resize would make, in a third of the time.
func halve(dst, src []uint8, ch, dw int) {
	for n := ch * dw; len(dst) > 0; dst, src = dst[n:], src[4*n:] {
		up, down, out := src[:2*n], src[2*n:4*n], dst[:n]
		for x, i := 0, 0; x < n; x, i = x+ch, i+2*ch {
			for c := range ch {
				a, b := i+c, i+c+ch
				out[x+c] = uint8((uint32(up[a]) + uint32(up[b]) + uint32(down[a]) + uint32(down[b]) + 2) >> 2)
			}
		}
	}
}

// narrow resamples one row.
func narrow(dst []uint32, src []uint8, ch int, across []tap) {
	if ch == 1 {
		for x, t := range across {
			var v uint32
			for i, p := range src[t.start : t.start+len(t.weights)] {
				v += uint32(p) * t.weights[i]
			}
			dst[x] = v >> kept
		}
		return
	}
	for x, t := range across {
		var r, g, b uint32
		s := src[3*t.start : 3*(t.start+len(t.weights))]
		for i, wt := range t.weights {
			p := s[3*i : 3*i+3 : 3*i+3]
			r += uint32(p[0]) * wt
			g += uint32(p[1]) * wt
			b += uint32(p[2]) * wt
		}
		dst[3*x], dst[3*x+1], dst[3*x+2] = r>>kept, g>>kept, b>>kept
	}
}

func taps(from, to int) []tap {
	ts := make([]tap, to)
	scale := float64(from) / float64(to)
	for i := range ts {
		if to < from {
			ts[i] = areaTap(float64(i)*scale, float64(i+1)*scale, from)
		} else {
			ts[i] = linearTap((float64(i)+0.5)*scale-0.5, from)
		}
	}
	return ts
}

func areaTap(lo, hi float64, n int) tap {
	first, last := int(lo), min(int(math.Ceil(hi)), n)
	share := make([]float64, last-first)
	for i := range share {
		p := float64(first + i)
		share[i] = math.Min(hi, p+1) - math.Max(lo, p)
	}
	return tap{first, fixed(share)}
}

func linearTap(at float64, n int) tap {
	at = math.Min(math.Max(at, 0), float64(n-1))
	first := min(int(at), max(n-2, 0))
	if n == 1 {
		return tap{0, []uint32{one}}
	}
	f := at - float64(first)
	return tap{first, fixed([]float64{1 - f, f})}
}

// fixed scales the shares to weights that add up to one exactly, so that a flat picture stays flat.
func fixed(share []float64) []uint32 {
	var sum, run float64
	for _, s := range share {
		sum += s
	}
	ws := make([]uint32, len(share))
	var done uint32
	for i, s := range share {
		run += s
		upTo := uint32(math.Round(run / sum * one))
		ws[i], done = upTo-done, upTo
	}
	return ws
}

// rowCache keeps the last few resampled source rows: neighbouring output rows share some.
type rowCache struct {
	index []int
	rows  [][]uint32
}

func newRowCache(down []tap, n int) *rowCache {
	most := 0
	for _, t := range down {
		most = max(most, len(t.weights))
	}
	c := &rowCache{index: make([]int, most), rows: make([][]uint32, most)}
	for i := range c.rows {
		c.index[i], c.rows[i] = -1, make([]uint32, n)
	}
	return c
}

// get returns the slot of source row y, and whether the caller has to fill it.
func (c *rowCache) get(y int) (row []uint32, fresh bool) {
	i := y % len(c.rows)
	fresh = c.index[i] != y
	c.index[i] = y
	return c.rows[i], fresh
}
