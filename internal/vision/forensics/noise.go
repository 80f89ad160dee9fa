package forensics

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// signal weighs red, green and blue, in quarters of a level.
type signal [3]int32

var (
	luma   = signal{1, 2, 1}
	chroma = signal{4, 0, -4}
)

// block is the side of the squares whose noise is measured.
const block = 8

// quietest levels are added to both noises, so that a page without any (a drawing) does not divide by nothing.
const quietest = 0.3

// noiseRatio compares the noise of the squares in the face with that of those at least a face away from it.
func noiseRatio(m *pix.RGB, f box, by signal) float64 {
	s := by.of(m)
	var in, out []float64
	far := box{f.x0 - f.w(), f.y0 - f.h(), f.x1 + f.w(), f.y1 + f.h()}
	for y := 0; y+block < m.H; y += block {
		for x := 0; x+block < m.W; x += block {
			b := box{float64(x), float64(y), float64(x + block), float64(y + block)}
			switch {
			case b.inside(f):
				in = append(in, s.residual(x, y))
			case b.outside(far):
				out = append(out, s.residual(x, y))
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

// plane is one signal of every pixel of a page, row by row.
type plane struct {
	w int
	v []int32
}

func (by signal) of(m *pix.RGB) plane {
	s := plane{m.W, make([]int32, m.W*m.H)}
	for i := range s.v {
		p := m.Pix[3*i : 3*i+3 : 3*i+3]
		s.v[i] = by[0]*int32(p[0]) + by[1]*int32(p[1]) + by[2]*int32(p[2])
	}
	return s
}

// residual is the root mean square of the diagonal detail (the HH band of the Haar transform), in levels: what neither
// slopes nor edges along the axes leave.
func (s plane) residual(x0, y0 int) float64 {
	sum := int32(0)
	for y := y0; y < y0+block; y++ {
		up, down := s.v[y*s.w+x0:][:block+1], s.v[(y+1)*s.w+x0:][:block+1]
		for x := range block {
			d := up[x] - up[x+1] - down[x] + down[x+1]
			sum += d * d
		}
	}
	return math.Sqrt(float64(sum)/(block*block)) / 8
}

func (b box) inside(o box) bool { return b.x0 >= o.x0 && b.x1 <= o.x1 && b.y0 >= o.y0 && b.y1 <= o.y1 }

func (b box) outside(o box) bool { return b.x0 > o.x1 || b.x1 < o.x0 || b.y0 > o.y1 || b.y1 < o.y0 }
