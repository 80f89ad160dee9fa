package pix

import "math"

// Warp returns the content of q in m as an upright w × h picture, bilinear. Where q is more than twice as
// large as the output, the source is first shrunk by a whole factor, so that thin strokes are averaged and
// not dropped. Outside the picture the border pixels repeat.
func Warp(m *RGB, q Quad, w, h int) *RGB {
	w, h = max(w, 1), max(h, 1)
	out := &RGB{W: w, H: h}
	out.Pix = warp(plane{m.Pix, 3, m.W, m.H}, q, w, h)
	return out
}

// WarpG is Warp for a grey picture.
func WarpG(g *Gray, q Quad, w, h int) *Gray {
	w, h = max(w, 1), max(h, 1)
	out := &Gray{W: w, H: h}
	out.Pix = warp(plane{g.Pix, 1, g.W, g.H}, q, w, h)
	return out
}

// plane is a picture of ch interleaved channels.
type plane struct {
	pix  []uint8
	ch   int
	w, h int
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
		for x := range w {
			p := Project(hm, Pt{float64(x), float64(y)})
			src.sample(dst[src.ch*(y*w+x):], p)
		}
	}
	return dst
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
	x, y, cw, ch := clip(clampInt(x0, src.w)-f, clampInt(y0, src.h)-f,
		clampInt(x1-x0, src.w)+3*f, clampInt(y1-y0, src.h)+3*f, src.w, src.h)
	cw, ch = cw-cw%f, ch-ch%f
	if cw < f || ch < f {
		return src, q
	}
	part := crop(src.pix, src.ch, src.w, x, y, cw, ch)
	small := plane{resize(part, src.ch, cw, ch, cw/f, ch/f), src.ch, cw / f, ch / f}
	for i, p := range q {
		q[i] = Pt{p.X - float64(x), p.Y - float64(y)}
	}
	return small, q.Scale(1/float64(f), 1/float64(f))
}

func clampInt(v float64, limit int) int {
	return int(math.Min(math.Max(v, -float64(limit)), float64(2*limit)))
}

// sample writes the bilinear value at p into dst; a point that is no number reads the first pixel.
func (s plane) sample(dst []uint8, p Pt) {
	x, y := inside(p.X, s.w), inside(p.Y, s.h)
	xi, yi := int(x), int(y)
	fx, fy := uint32((x-float64(xi))*256), uint32((y-float64(yi))*256)
	right, below := s.ch, s.ch*s.w
	if xi+1 >= s.w {
		right = 0
	}
	if yi+1 >= s.h {
		below = 0
	}
	i := s.ch * (yi*s.w + xi)
	for c := range s.ch {
		a, b := uint32(s.pix[i+c]), uint32(s.pix[i+c+right])
		d, e := uint32(s.pix[i+c+below]), uint32(s.pix[i+c+below+right])
		top, bottom := a*(256-fx)+b*fx, d*(256-fx)+e*fx
		dst[c] = uint8((top*(256-fy) + bottom*fy + 1<<15) >> 16)
	}
}

func inside(v float64, n int) float64 {
	if !(v > 0) {
		return 0
	}
	return math.Min(v, float64(n-1))
}
