package pix

// Homography returns the projective map, row by row, that takes the corners of from to those of to.
// It is the product of the maps to and from the unit square (Heckbert, 1989), which needs no solver.
// Corners of which three lie on a line have no such map; the result then holds NaN or infinities.
func Homography(from, to Quad) [9]float64 {
	return Compose(squareTo(to), adjugate(squareTo(from)))
}

// Project applies the homography h to p.
func Project(h [9]float64, p Pt) Pt {
	d := h[6]*p.X + h[7]*p.Y + h[8]
	return Pt{(h[0]*p.X + h[1]*p.Y + h[2]) / d, (h[3]*p.X + h[4]*p.Y + h[5]) / d}
}

// ProjectQuad applies the homography h to the four corners of q.
func ProjectQuad(h [9]float64, q Quad) Quad {
	for i, p := range q {
		q[i] = Project(h, p)
	}
	return q
}

func squareTo(q Quad) [9]float64 {
	s := q[0].Sub(q[1]).Add(q[2]).Sub(q[3])
	d1, d2 := q[1].Sub(q[2]), q[3].Sub(q[2])
	det := d1.X*d2.Y - d2.X*d1.Y
	g := (s.X*d2.Y - d2.X*s.Y) / det
	h := (d1.X*s.Y - s.X*d1.Y) / det
	return [9]float64{
		q[1].X - q[0].X + g*q[1].X, q[3].X - q[0].X + h*q[3].X, q[0].X,
		q[1].Y - q[0].Y + g*q[1].Y, q[3].Y - q[0].Y + h*q[3].Y, q[0].Y,
		g, h, 1,
	}
}

// Compose returns the homography that applies b first and then a.
func Compose(a, b [9]float64) [9]float64 {
	var c [9]float64
	for r := range 3 {
		for k := range 3 {
			c[3*r+k] = a[3*r]*b[k] + a[3*r+1]*b[3+k] + a[3*r+2]*b[6+k]
		}
	}
	return c
}

// adjugate is the inverse up to a factor, which does not matter to a projective map.
func adjugate(m [9]float64) [9]float64 {
	return [9]float64{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}
