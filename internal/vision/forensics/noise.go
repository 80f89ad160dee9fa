package forensics

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Signals of a pixel, in steps of a quarter of a level for brightness and whole levels for colour.
func luma(p []uint8) int   { return int(p[0]) + 2*int(p[1]) + int(p[2]) }
func chroma(p []uint8) int { return 4 * (int(p[0]) - int(p[2])) }

// block is the side of the squares whose noise is measured.
const block = 8

// quietest levels are added to both noises, so that a page without any (a drawing) does not divide by nothing.
const quietest = 0.3

// noiseRatio compares the noise of the squares in the face with that of those at least a face away from it.
func noiseRatio(m *pix.RGB, f box, signal func([]uint8) int) float64 {
	var in, out []float64
	far := box{f.x0 - f.w(), f.y0 - f.h(), f.x1 + f.w(), f.y1 + f.h()}
	for y := 0; y+block < m.H; y += block {
		for x := 0; x+block < m.W; x += block {
			b := box{float64(x), float64(y), float64(x + block), float64(y + block)}
			switch {
			case b.inside(f):
				in = append(in, residual(m, x, y, signal))
			case b.outside(far):
				out = append(out, residual(m, x, y, signal))
			}
		}
	}
	if len(in) == 0 || len(out) == 0 {
		return 1
	}
	return (quiet(in) + quietest) / (quiet(out) + quietest)
}

// quiet is the noise of the quieter squares: the quarter point, since letters and hair make the others.
func quiet(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/4]
}

// residual is the root mean square of the diagonal detail (the HH band of the Haar transform), in levels: what neither
// slopes nor edges along the axes leave.
func residual(m *pix.RGB, x0, y0 int, signal func([]uint8) int) float64 {
	at := func(x, y int) int { return signal(m.Pix[3*(y*m.W+x) : 3*(y*m.W+x)+3]) }
	sum := 0
	for y := y0; y < y0+block; y++ {
		for x := x0; x < x0+block; x++ {
			d := at(x, y) - at(x+1, y) - at(x, y+1) + at(x+1, y+1)
			sum += d * d
		}
	}
	return math.Sqrt(float64(sum)/(block*block)) / 8
}

func (b box) inside(o box) bool { return b.x0 >= o.x0 && b.x1 <= o.x1 && b.y0 >= o.y0 && b.y1 <= o.y1 }

func (b box) outside(o box) bool { return b.x0 > o.x1 || b.x1 < o.x0 || b.y0 > o.y1 || b.y1 < o.y0 }
