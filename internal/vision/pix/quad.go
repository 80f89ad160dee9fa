package pix

import "math"

// Pt is a point in pixels; integers are the centres of pixels.
type Pt struct{ X, Y float64 }

// Quad is a quadrilateral, clockwise from the corner that is top-left when its content is upright.
type Quad [4]Pt

// Full returns the quadrilateral through the centres of the four corner pixels of a w × h picture.
func Full(w, h int) Quad {
	return Rect(0, 0, float64(w-1), float64(h-1))
}

// Rect returns the upright rectangle between the corners x0, y0 and x1, y1.
func Rect(x0, y0, x1, y1 float64) Quad {
	return Quad{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
}

// Add returns p + q.
func (p Pt) Add(q Pt) Pt { return Pt{p.X + q.X, p.Y + q.Y} }

// Sub returns p − q.
func (p Pt) Sub(q Pt) Pt { return Pt{p.X - q.X, p.Y - q.Y} }

// Mul returns p scaled by f.
func (p Pt) Mul(f float64) Pt { return Pt{p.X * f, p.Y * f} }

// Dist returns the distance from p to q in pixels.
func (p Pt) Dist(q Pt) float64 { return math.Hypot(p.X-q.X, p.Y-q.Y) }

// Centre returns the mean of the four corners.
func (q Quad) Centre() Pt {
	return q[0].Add(q[1]).Add(q[2]).Add(q[3]).Mul(0.25)
}

// Size returns the mean lengths of the two sides along the text and of the two across it.
func (q Quad) Size() (w, h float64) {
	return (q[0].Dist(q[1]) + q[3].Dist(q[2])) / 2, (q[0].Dist(q[3]) + q[1].Dist(q[2])) / 2
}

// Area returns the signed area in square pixels, positive when the corners go clockwise on the screen.
func (q Quad) Area() float64 {
	var a float64
	for i, p := range q {
		n := q[(i+1)%4]
		a += p.X*n.Y - n.X*p.Y
	}
	return a / 2
}

// Convex reports whether the corners go clockwise round a convex shape.
func (q Quad) Convex() bool {
	for i := range q {
		a, b := q[(i+1)%4].Sub(q[i]), q[(i+2)%4].Sub(q[(i+1)%4])
		if !(a.X*b.Y-a.Y*b.X > 0) {
			return false
		}
	}
	return true
}

// Bounds returns the upright box around the corners.
func (q Quad) Bounds() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = q[0].X, q[0].Y, q[0].X, q[0].Y
	for _, p := range q[1:] {
		x0, y0 = math.Min(x0, p.X), math.Min(y0, p.Y)
		x1, y1 = math.Max(x1, p.X), math.Max(y1, p.Y)
	}
	return x0, y0, x1, y1
}

// Grow returns the quadrilateral whose sides lie dx and dy further out along its own two axes, in pixels.
func (q Quad) Grow(dx, dy float64) Quad {
	w, h := q.Size()
	u := q[1].Add(q[2]).Sub(q[0]).Sub(q[3]).Mul(0.5 / math.Max(w, 1e-9)).Mul(dx)
	v := q[3].Add(q[2]).Sub(q[0]).Sub(q[1]).Mul(0.5 / math.Max(h, 1e-9)).Mul(dy)
	return Quad{q[0].Sub(u).Sub(v), q[1].Add(u).Sub(v), q[2].Add(u).Add(v), q[3].Sub(u).Add(v)}
}

// Scale returns the quadrilateral in a picture that was resized by the factors fx and fy.
func (q Quad) Scale(fx, fy float64) Quad {
	for i, p := range q {
		q[i] = Pt{(p.X+0.5)*fx - 0.5, (p.Y+0.5)*fy - 0.5}
	}
	return q
}

// Turn returns q with its first corner moved k places clockwise: the same shape, read after k quarter turns
// counter-clockwise.
func (q Quad) Turn(k int) Quad {
	var r Quad
	for i := range r {
		r[i] = q[((i+k)%4+4)%4]
	}
	return r
}
