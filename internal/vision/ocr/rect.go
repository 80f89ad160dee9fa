package ocr

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// hull returns the convex hull of points, by Andrew's monotone chain.
func hull(pts []pix.Pt) []pix.Pt {
	pts = slices.Clone(pts)
	slices.SortFunc(pts, func(a, b pix.Pt) int {
		if a.X != b.X {
			return cmpFloat(a.X, b.X)
		}
		return cmpFloat(a.Y, b.Y)
	})
	if len(pts) < 3 {
		return pts
	}
	lower := chain(pts)
	slices.Reverse(pts)
	upper := chain(pts)
	return append(lower[:len(lower)-1], upper[:len(upper)-1]...)
}

// chain keeps the points of one side of the hull, ends included.
func chain(pts []pix.Pt) []pix.Pt {
	var out []pix.Pt
	for _, p := range pts {
		for len(out) > 1 && cross(out[len(out)-2], out[len(out)-1], p) <= 0 {
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	return out
}

func cross(a, b, c pix.Pt) float64 {
	return (b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X)
}

// minAreaRect returns the rectangle of least area around a convex hull: one of its
// sides lies on a side of the hull.
func minAreaRect(h []pix.Pt) rect {
	best, least := rect{}, math.Inf(1)
	for i, p := range h {
		q := h[(i+1)%len(h)]
		d := p.Dist(q)
		if d == 0 {
			continue
		}
		u := q.Sub(p).Mul(1 / d)
		if r := around(h, u); r.w*r.h < least {
			best, least = r, r.w*r.h
		}
	}
	return best
}

// around returns the rectangle around points whose width runs along u.
func around(pts []pix.Pt, u pix.Pt) rect {
	lo, hi := pix.Pt{X: math.Inf(1), Y: math.Inf(1)}, pix.Pt{X: math.Inf(-1), Y: math.Inf(-1)}
	for _, p := range pts {
		a, b := p.X*u.X+p.Y*u.Y, p.Y*u.X-p.X*u.Y
		lo = pix.Pt{X: math.Min(lo.X, a), Y: math.Min(lo.Y, b)}
		hi = pix.Pt{X: math.Max(hi.X, a), Y: math.Max(hi.Y, b)}
	}
	m := lo.Add(hi).Mul(0.5)
	c := pix.Pt{X: m.X*u.X - m.Y*u.Y, Y: m.X*u.Y + m.Y*u.X}
	return rect{c: c, u: u, w: hi.X - lo.X, h: hi.Y - lo.Y}
}
