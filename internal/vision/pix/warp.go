package pix

import "math"

// Warp returns the content of q in m as an upright w × h picture, bilinear. Where q is more than twice as
// large as the output, the source is first shrunk by a whole factor, so that thin strokes are averaged and
// not dropped. Outside the picture the border pixels repeat.
func Warp(m *RGB, q Quad, w, h int) *RGB {
	w, h = max(w, 1), max(h, 1)
	out := &RGB{W: w, H: h}
	out.Pix = warp(m.plane(), q, w, h)
	return out
}

// WarpG is Warp for a grey picture.
func WarpG(g *Gray, q Quad, w, h int) *Gray {
	w, h = max(w, 1), max(h, 1)
	out := &Gray{W: w, H: h}
	out.Pix = warp(g.plane(), q, w, h)
	return out
}

func warp(src plane, q Quad, w, h int) []uint8 {
	dst := make([]uint8, src.ch*w*h)
	if src.w == 0 || src.h == 0 {
		return dst
	}
	src, q = shrinkFor(src, q, w, h)
	// A single row or column has no extent of its own: it samples the middle of q.
	hm := Homography(frame(w, h), q)
	for y := range h {
		src.warpRow(dst[src.ch*y*w:src.ch*(y+1)*w], hm, float64(y))
	}
	return dst
}

// warpRow writes one row of the output: numerators and denominator of the homography are linear along it.
func (s *plane) warpRow(dst []uint8, hm [9]float64, row float64) {
	nx, ny, d := hm[1]*row+hm[2], hm[4]*row+hm[5], hm[7]*row+hm[8]
	right, bottom, stride := float64(s.w-1), float64(s.h-1), 3*s.w
	for i, col := 0, 0.0; i < len(dst); i, col = i+s.ch, col+1 {
		w := hm[6]*col + d
		x, y := (hm[0]*col+nx)/w, (hm[3]*col+ny)/w
		if s.ch != 3 || !(x >= 0 && y >= 0 && x < right && y < bottom) {
			s.sample(dst[i:i+s.ch], x, y)
			continue
		}
		// As sample does it, for a point with neighbours on the right and below.
		xi, yi := int(x), int(y)
		f := weightsAt(x-float64(xi), y-float64(yi))
		at := yi*stride + 3*xi
		up, down, out := s.pix[at:at+6:at+6], s.pix[at+stride:at+stride+6:at+stride+6], dst[i:i+3:i+3]
		out[0] = f.mix(up[0], up[3], down[0], down[3])
		out[1] = f.mix(up[1], up[4], down[1], down[4])
		out[2] = f.mix(up[2], up[5], down[2], down[5])
	}
}

// weights of the four pixels round a point, which add up to 2¹⁶.
type weights struct{ a, b, c, d uint32 }

func weightsAt(fx, fy float64) weights {
	r, d := uint32(fx*256), uint32(fy*256)
	return weights{(256 - r) * (256 - d), r * (256 - d), (256 - r) * d, r * d}
}

func (w weights) mix(a, b, c, d uint8) uint8 {
	return uint8((w.a*uint32(a) + w.b*uint32(b) + w.c*uint32(c) + w.d*uint32(d) + 1<<15) >> 16)
}

func frame(w, h int) Quad {
	x0, x1, y0, y1 := 0.0, float64(w-1), 0.0, float64(h-1)
	if w == 1 {
		x0, x1 = -0.5, 0.5
	}
	if h == 1 {
		y0, y1 = -0.5, 0.5
	}
	return Rect(x0, y0, x1, y1)
}

// shrinkFor reduces the part of src around q by the whole factor by which q shrinks, if that is two or more.
func shrinkFor(src plane, q Quad, w, h int) (plane, Quad) {
	qw, qh := q.Size()
	f := int(math.Min(qw/float64(w), qh/float64(h)))
	x0, y0, x1, y1 := q.Bounds()
	if f < 2 || math.IsNaN(x0+y0+x1+y1) {
		return src, q
	}
	x, y, cw, ch := src.clip(clampInt(x0, src.w)-f, clampInt(y0, src.h)-f,
		clampInt(x1-x0, src.w)+3*f, clampInt(y1-y0, src.h)+3*f)
	cw, ch = cw-cw%f, ch-ch%f
	if cw < f || ch < f {
		return src, q
	}
	small := src.crop(x, y, cw, ch).resize(cw/f, ch/f)
	for i, p := range q {
		q[i] = Pt{p.X - float64(x), p.Y - float64(y)}
	}
	return small, q.Scale(1/float64(f), 1/float64(f))
}

func clampInt(v float64, limit int) int {
	return int(math.Min(math.Max(v, -float64(limit)), float64(2*limit)))
}

// sample writes the bilinear value at x, y into dst; a point that is no number reads the first pixel.
func (s *plane) sample(dst []uint8, x, y float64) {
	x, y = inside(x, s.w), inside(y, s.h)
	xi, yi := int(x), int(y)
	f := weightsAt(x-float64(xi), y-float64(yi))
	right, below := s.ch, s.ch*s.w
	if xi+1 >= s.w {
		right = 0
	}
	if yi+1 >= s.h {
		below = 0
	}
	i := s.ch * (yi*s.w + xi)
	for c := range dst {
		dst[c] = f.mix(s.pix[i+c], s.pix[i+c+right], s.pix[i+c+below], s.pix[i+c+below+right])
	}
}

func inside(v float64, n int) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Min(v, float64(n-1))
}
