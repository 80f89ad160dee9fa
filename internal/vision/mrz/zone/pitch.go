package zone

import "math"

// offPitch is the cost of a character that begins a whole pitch from its place, and slack
// the part of a pitch that costs nothing.
const (
	offPitch = 40
	slack    = 0.35
)

// ruler says at which step the middle of each character is to be expected; nil knows
// nothing.
type ruler []float32

// cost of the k-th character (from 1) beginning at step t.
func (r ruler) cost(k, t int) float32 {
	if r == nil {
		return 0
	}
	pitch := r[min(k, len(r)-1)] - r[min(k, len(r)-1)-1]
	off := (float32(t) - r[k-1]) / pitch
	if off = max(off, -off) - slack; off <= 0 {
		return 0
	}
	return offPitch * off * off
}

// places fits a parabola to the positions of surely seen characters, by least squares:
// perspective makes the pitch grow along a line.
func places(slots []slot, steps int) (ruler, bool) {
	var a [3][4]float64 // normal equations
	n := 0
	for k, s := range slots {
		if s.seen < 0.6 {
			continue
		}
		n++
		x := [3]float64{1, float64(k), float64(k * k)}
		for i := range 3 {
			for j := range 3 {
				a[i][j] += x[i] * x[j]
			}
			a[i][3] += x[i] * (float64(s.at)*float64(steps) - 0.5)
		}
	}
	c, ok := solve(a)
	out := make(ruler, len(slots))
	for k := range out {
		out[k] = float32(c[0] + c[1]*float64(k) + c[2]*float64(k*k))
		ok = ok && (k == 0 || out[k]-out[k-1] > 1)
	}
	return out, ok && n >= 10
}

// solve solves three linear equations, by elimination without exchange: the normal
// equations of a fit are positive definite where they can be solved at all.
func solve(a [3][4]float64) ([3]float64, bool) {
	for i := range 3 {
		if math.Abs(a[i][i]) < 1e-9 {
			return [3]float64{}, false
		}
		for r := range 3 {
			if r == i {
				continue
			}
			f := a[r][i] / a[i][i]
			for c := i; c < 4; c++ {
				a[r][c] -= f * a[i][c]
			}
		}
	}
	return [3]float64{a[0][3] / a[0][0], a[1][3] / a[1][1], a[2][3] / a[2][2]}, true
}
