package pad

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	halfWindow = 6    // 13 × 13 pixels
	maxRounds  = 12   // of refinement on each level
	maxChange  = 14.0 // mean absolute difference of grey between the windows, above which a corner is lost
)

// follow finds the point of next that looks like p of prev: Lucas and Kanade's method on a pyramid, with the mean
// grey of both windows taken out, so that flicker and shadows do not matter.
func follow(prev, next *pyramid, p pix.Pt) (pix.Pt, bool) {
	var by offset
	for l := levels - 1; l >= 0; l-- {
		f := float64(int(1) << l)
		x, y := float32((p.X+0.5)/f-0.5), float32((p.Y+0.5)/f-0.5)
		if !inside(prev[l], x, y, halfWindow) {
			if l > 0 {
				continue
			}
			return pix.Pt{}, false
		}
		var ok bool
		if by, ok = refine(prev[l], next[l], offset{x, y}, by); !ok {
			return pix.Pt{}, false
		}
		if l > 0 {
			by = offset{2 * by.x, 2 * by.y}
		}
	}
	return pix.Pt{X: p.X + float64(by.x), Y: p.Y + float64(by.y)}, true
}

const window = 2*halfWindow + 1

// patch is a window of a picture with its gradients.
type patch struct {
	v, gx, gy [window * window]float32
}

// offset is a place on one level, or the way between two.
type offset struct{ x, y float32 }

// refine improves the shift by of the window around at on one level.
func refine(prev, next *pix.Gray, at, by offset) (offset, bool) {
	x, y, dx, dy := at.x, at.y, by.x, by.y
	var p patch
	xx, xy, yy := p.take(prev, x, y)
	det := xx*yy - xy*xy
	if smallerEigen(float64(xx), float64(xy), float64(yy)) < window*window {
		return by, true // flat on this level: keep what the coarser one found
	}
	change := float32(0)
	for range maxRounds {
		if !inside(next, x+dx, y+dy, halfWindow) {
			return offset{}, false
		}
		var bx, by float32
		bx, by, change = p.mismatch(next, x+dx, y+dy)
		sx, sy := (yy*bx-xy*by)/det, (xx*by-xy*bx)/det
		dx, dy = dx+sx, dy+sy
		if sx*sx+sy*sy < 0.0004 {
			break
		}
	}
	return offset{dx, dy}, change <= maxChange
}

// take samples a window, takes out its mean and gives the sums of the products of its gradients.
func (p *patch) take(g *pix.Gray, x, y float32) (xx, xy, yy float32) {
	const side = window + 2 // the gradients look one pixel further
	var w [side * side]float32
	sampleSquare(w[:], side, g, x, y)
	var mean float32
	i := 0
	for v := 1; v <= window; v++ {
		for u := 1; u <= window; u++ {
			at := v*side + u
			gx, gy := (w[at+1]-w[at-1])/2, (w[at+side]-w[at-side])/2
			p.v[i], p.gx[i], p.gy[i] = w[at], gx, gy
			xx, xy, yy = xx+gx*gx, xy+gx*gy, yy+gy*gy
			mean += w[at]
			i++
		}
	}
	mean /= window * window
	for i := range p.v {
		p.v[i] -= mean
	}
	return xx, xy, yy
}

// mismatch compares the window with next around x, y: the gradients weighted by the difference, and its mean size.
func (p *patch) mismatch(next *pix.Gray, x, y float32) (bx, by, change float32) {
	var w [window * window]float32
	sampleSquare(w[:], window, next, x, y)
	var mean float32
	for _, v := range w {
		mean += v
	}
	mean /= window * window
	for i := range w {
		d := p.v[i] - (w[i] - mean)
		bx, by = bx+d*p.gx[i], by+d*p.gy[i]
		change += float32(math.Abs(float64(d)))
	}
	return bx, by, change / (window * window)
}

// smallerEigen is the smaller eigenvalue of the symmetric matrix a b, b c.
func smallerEigen(a, b, c float64) float64 {
	return (a + c - math.Sqrt((a-c)*(a-c)+4*b*b)) / 2
}
