package ocr

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// heat is the detector's map: how likely each pixel is text, 0 to 1.
type heat struct {
	w, h int
	p    []float32
}

// boxes makes a grown rectangle of each stain that is large and dark enough.
func boxes(m heat) []pix.Quad {
	var out []pix.Quad
	seen := make([]bool, len(m.p))
	var stack []int
	for i, p := range m.p {
		if p <= inkAt || seen[i] {
			continue
		}
		var rim []pix.Pt
		rim, stack = m.flood(i, seen, stack[:0])
		r := minAreaRect(hull(rim))
		if min(r.w, r.h) < 3 || m.mean(r) < boxAt {
			continue
		}
		r.grow(unclip)
		out = append(out, r.quad())
	}
	return out
}

// flood marks the stain around start and returns the points of its rim.
func (m heat) flood(start int, seen []bool, stack []int) (rim []pix.Pt, reuse []int) {
	stack = append(stack, start)
	seen[start] = true
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x, y := i%m.w, i/m.w
		edge := false
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				nx, ny := x+dx, y+dy
				if nx < 0 || ny < 0 || nx >= m.w || ny >= m.h || m.p[ny*m.w+nx] <= inkAt {
					edge = true
					continue
				}
				if j := ny*m.w + nx; !seen[j] {
					seen[j] = true
					stack = append(stack, j)
				}
			}
		}
		if edge {
			rim = append(rim, pix.Pt{X: float64(x), Y: float64(y)})
		}
	}
	return rim, stack
}

// rect is a rectangle by centre, unit vector along its width, and size.
type rect struct {
	c, u pix.Pt
	w, h float64
}

// grow moves the sides out by area·by/perimeter, as PP-OCR shrank them.
func (r *rect) grow(by float64) {
	e := r.w * r.h * by / (2 * (r.w + r.h))
	r.w, r.h = r.w+2*e, r.h+2*e
}

// quad returns the corners clockwise from the top-left of the text. A rectangle is
// taken for the reading direction nearest to left-to-right.
func (r rect) quad() pix.Quad {
	u, w, h := r.u, r.w, r.h
	if math.Abs(u.Y) > math.Abs(u.X) {
		u, w, h = pix.Pt{X: -u.Y, Y: u.X}, h, w
	}
	if u.X < 0 {
		u = u.Mul(-1)
	}
	x, y := u.Mul(w/2), pix.Pt{X: -u.Y, Y: u.X}.Mul(h/2)
	return pix.Quad{r.c.Sub(x).Sub(y), r.c.Add(x).Sub(y), r.c.Add(x).Add(y), r.c.Sub(x).Add(y)}
}

// mean returns the mean heat inside r.
func (m heat) mean(r rect) float64 {
	x0, y0, x1, y1 := r.quad().Bounds()
	sum, n := 0.0, 0
	for y := max(0, int(y0)); y <= min(m.h-1, int(y1)+1); y++ {
		for x := max(0, int(x0)); x <= min(m.w-1, int(x1)+1); x++ {
			d := pix.Pt{X: float64(x), Y: float64(y)}.Sub(r.c)
			if math.Abs(d.X*r.u.X+d.Y*r.u.Y) <= r.w/2+0.01 && math.Abs(d.Y*r.u.X-d.X*r.u.Y) <= r.h/2+0.01 {
				sum += float64(m.p[y*m.w+x])
				n++
			}
		}
	}
	return sum / float64(max(n, 1))
}
