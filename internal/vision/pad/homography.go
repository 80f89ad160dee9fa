package pad

import (
	"math"
	"math/rand/v2"
	"sort"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// fitHomography returns the homography with the least squared algebraic error, both sets brought to unit size first
// (Hartley, 1997); false where the points do not determine one.
func fitHomography(from, to []pix.Pt) ([9]float64, bool) {
	a, b := normalise(from), normalise(to)
	var m [8][9]float64 // normal equations, augmented
	for i := range from {
		p, q := a.apply(from[i]), b.apply(to[i])
		accumulate(&m, [8]float64{p.X, p.Y, 1, 0, 0, 0, -p.X * q.X, -p.Y * q.X}, q.X)
		accumulate(&m, [8]float64{0, 0, 0, p.X, p.Y, 1, -p.X * q.Y, -p.Y * q.Y}, q.Y)
	}
	h, ok := solve(&m)
	if !ok {
		return [9]float64{}, false
	}
	return multiply(multiply(b.inverse(), [9]float64{h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], 1}), a.matrix()), true
}

// unit is a shift and a scale: (p − c) · s.
type unit struct {
	c pix.Pt
	s float64
}

func normalise(ps []pix.Pt) unit {
	var u unit
	for _, p := range ps {
		u.c = u.c.Add(p.Mul(1 / float64(len(ps))))
	}
	var r float64
	for _, p := range ps {
		r += p.Dist(u.c) / float64(len(ps))
	}
	u.s = math.Sqrt2 / math.Max(r, 1e-9)
	return u
}

func (u unit) apply(p pix.Pt) pix.Pt { return p.Sub(u.c).Mul(u.s) }

func (u unit) matrix() [9]float64 {
	return [9]float64{u.s, 0, -u.c.X * u.s, 0, u.s, -u.c.Y * u.s, 0, 0, 1}
}

func (u unit) inverse() [9]float64 {
	return [9]float64{1 / u.s, 0, u.c.X, 0, 1 / u.s, u.c.Y, 0, 0, 1}
}

func accumulate(m *[8][9]float64, row [8]float64, value float64) {
	for i := range 8 {
		for j := range 8 {
			m[i][j] += row[i] * row[j]
		}
		m[i][8] += row[i] * value
	}
}

// solve is Gaussian elimination with row pivots.
func solve(m *[8][9]float64) (x [8]float64, ok bool) {
	for c := range 8 {
		p := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		if math.Abs(m[p][c]) < 1e-10 {
			return x, false
		}
		m[c], m[p] = m[p], m[c]
		for r := range 8 {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for k := c; k < 9; k++ {
				m[r][k] -= f * m[c][k]
			}
		}
	}
	for i := range x {
		x[i] = m[i][8] / m[i][i]
	}
	return x, true
}

func multiply(a, b [9]float64) (c [9]float64) {
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				c[3*i+j] += a[3*i+k] * b[3*k+j]
			}
		}
	}
	return c
}

// robust fits a homography to the agreeing majority: RANSAC with a fixed seed, so that the same video always gives
// the same answer, then a least-squares fit to everything within tol pixels.
func robust(from, to []pix.Pt, tol float64) ([9]float64, bool) {
	if len(from) < 8 {
		return [9]float64{}, false
	}
	rng := rand.New(rand.NewPCG(1, uint64(len(from))))
	best, most := [9]float64{}, 0
	for range 150 {
		var a, b pix.Quad
		for k, i := range rng.Perm(len(from))[:4] {
			a[k], b[k] = from[i], to[i]
		}
		h := pix.Homography(a, b)
		if n := len(within(h, from, to, tol)); n > most {
			best, most = h, n
		}
	}
	for range 2 {
		in := within(best, from, to, tol)
		if len(in) < 8 {
			return best, false
		}
		f, t := make([]pix.Pt, len(in)), make([]pix.Pt, len(in))
		for k, i := range in {
			f[k], t[k] = from[i], to[i]
		}
		h, ok := fitHomography(f, t)
		if !ok {
			return best, false
		}
		best = h
	}
	return best, true
}

func within(h [9]float64, from, to []pix.Pt, tol float64) []int {
	var in []int
	for i := range from {
		if pix.Project(h, from[i]).Dist(to[i]) <= tol {
			in = append(in, i)
		}
	}
	return in
}

// misfits are the distances that a map leaves, smallest first.
func misfits(apply func(pix.Pt) pix.Pt, from, to []pix.Pt) []float64 {
	d := make([]float64, len(from))
	for i := range from {
		d[i] = apply(from[i]).Dist(to[i])
	}
	sort.Float64s(d)
	return d
}

// quantile of sorted values, 0 for none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}
