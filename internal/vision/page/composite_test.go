package page

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const data = "../../../../shared/data"

// material reads the pictures that match a pattern under the test data; without the data the test is skipped.
func material(t testing.TB, pattern string) map[string]*pix.RGB {
	names, err := filepath.Glob(filepath.Join(data, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skip("no data")
	}
	all := map[string]*pix.RGB{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		p, err := picture.Decode(b, picture.Options{})
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		all[filepath.Base(n)] = p.RGB
	}
	return all
}

// scene is a document laid on a background, and where it lies.
type scene struct {
	picture *pix.RGB
	truth   pix.Quad
}

// lay photographs doc on a surface: turned by up to tilt radians, in perspective, under uneven light, with noise.
func lay(doc, ground *pix.RGB, tilt float64, r *rand.Rand) scene {
	w, h := 1200, 900
	if r.IntN(2) == 0 {
		w, h = 900, 1200
	}
	m := surface(ground, w, h, r)
	q := place(doc, w, h, tilt, r)
	paste(m, doc, q)
	light(m, r)
	return scene{m, q}
}

// surface is a photograph, or a drawn table: plain, striped like wood, or chequered.
func surface(ground *pix.RGB, w, h int, r *rand.Rand) *pix.RGB {
	if ground != nil {
		return pix.Resize(ground, w, h)
	}
	m := pix.NewRGB(w, h)
	base, kind := [3]float64{60 + 180*r.Float64(), 60 + 180*r.Float64(), 60 + 180*r.Float64()}, r.IntN(3)
	turn, period := r.Float64()*math.Pi, 6+60*r.Float64()
	s, c := math.Sincos(turn)
	for y := range h {
		for x := range w {
			u, v := (float64(x)*c+float64(y)*s)/period, (float64(y)*c-float64(x)*s)/period
			f := 1.0
			switch kind {
			case 1:
				f = 1 + 0.12*math.Sin(u+3*math.Sin(v/9))
			case 2:
				f = 1 + 0.15*float64((int(math.Floor(u/3))+int(math.Floor(v/3)))&1)
			}
			for k := range 3 {
				m.Pix[3*(y*w+x)+k] = uint8(math.Min(base[k]*f, 255))
			}
		}
	}
	return m
}

// place draws a quadrilateral for doc that lies inside a w × h picture.
func place(doc *pix.RGB, w, h int, tilt float64, r *rand.Rand) pix.Quad {
	for {
		long := (0.5 + 0.45*r.Float64()) * float64(min(w, h))
		f := long / float64(max(doc.W, doc.H))
		if r.IntN(2) == 0 {
			f *= 1.25
		}
		s, c := math.Sincos((2*r.Float64() - 1) * tilt)
		cx, cy := float64(w)*(0.4+0.2*r.Float64()), float64(h)*(0.4+0.2*r.Float64())
		dw, dh := f*float64(doc.W)/2, f*float64(doc.H)/2
		var q pix.Quad
		for i, p := range pix.Rect(-dw, -dh, dw, dh) {
			jitter := pix.Pt{X: (2*r.Float64() - 1) * 0.06 * dw, Y: (2*r.Float64() - 1) * 0.06 * dh}
			q[i] = pix.Pt{X: cx + p.X*c - p.Y*s, Y: cy + p.X*s + p.Y*c}.Add(jitter)
		}
		x0, y0, x1, y1 := q.Bounds()
		if x0 > 4 && y0 > 4 && x1 < float64(w-5) && y1 < float64(h-5) && q.Convex() {
			return q
		}
	}
}

// paste projects doc into q with soft edges.
func paste(m, doc *pix.RGB, q pix.Quad) {
	toDoc := pix.Homography(q, pix.Full(doc.W, doc.H))
	x0, y0, x1, y1 := q.Bounds()
	// The document is first brought to the size it will have, so that small letters blur as a lens blurs them.
	qw, qh := q.Size()
	small := pix.Resize(doc, int(qw), int(qh))
	toSmall := pix.Homography(q, pix.Full(small.W, small.H))
	for y := max(int(y0), 0); y <= min(int(y1)+1, m.H-1); y++ {
		for x := max(int(x0), 0); x <= min(int(x1)+1, m.W-1); x++ {
			p := pix.Project(toDoc, pix.Pt{X: float64(x), Y: float64(y)})
			if p.X < 0 || p.Y < 0 || p.X > float64(doc.W-1) || p.Y > float64(doc.H-1) {
				continue
			}
			s := pix.Project(toSmall, pix.Pt{X: float64(x), Y: float64(y)})
			r, g, b := small.At(int(s.X+0.5), int(s.Y+0.5))
			i := 3 * (y*m.W + x)
			m.Pix[i], m.Pix[i+1], m.Pix[i+2] = r, g, b
		}
	}
}

// light darkens m towards a side, adds noise, and softens it a little.
func light(m *pix.RGB, r *rand.Rand) {
	gx, gy, sigma := 0.4*(r.Float64()-0.5), 0.4*(r.Float64()-0.5), 1+5*r.Float64()
	for y := range m.H {
		for x := range m.W {
			f := 0.95 + gx*(float64(x)/float64(m.W)-0.5) + gy*(float64(y)/float64(m.H)-0.5)
			for k := range 3 {
				i := 3*(y*m.W+x) + k
				m.Pix[i] = uint8(math.Min(math.Max(float64(m.Pix[i])*f+sigma*r.NormFloat64(), 0), 255))
			}
		}
	}
	soft := pix.Resize(pix.Resize(m, m.W*3/4, m.H*3/4), m.W, m.H)
	copy(m.Pix, soft.Pix)
}

// overlap is the area of the intersection of two convex quadrilaterals over that of their union.
func overlap(a, b pix.Quad) float64 {
	poly := a[:]
	for i := range b {
		poly = cut(poly, b[i], b[(i+1)%4])
	}
	inter := area(poly)
	return inter / (area(a[:]) + area(b[:]) - inter)
}

// cut keeps what of poly lies to the right of the line from p to q: inside a clockwise shape.
func cut(poly []pix.Pt, p, q pix.Pt) []pix.Pt {
	side := func(a pix.Pt) float64 { return (q.X-p.X)*(a.Y-p.Y) - (q.Y-p.Y)*(a.X-p.X) }
	var out []pix.Pt
	for i, a := range poly {
		b := poly[(i+1)%len(poly)]
		sa, sb := side(a), side(b)
		if sa >= 0 {
			out = append(out, a)
		}
		if (sa > 0) != (sb > 0) && sa != sb {
			out = append(out, a.Add(b.Sub(a).Mul(sa/(sa-sb))))
		}
	}
	return out
}

func area(poly []pix.Pt) float64 {
	var s float64
	for i, p := range poly {
		n := poly[(i+1)%len(poly)]
		s += p.X*n.Y - n.X*p.Y
	}
	return math.Abs(s) / 2
}

func TestOverlap(t *testing.T) {
	a, b := pix.Rect(0, 0, 10, 10), pix.Rect(5, 0, 15, 10)
	if got := overlap(a, b); math.Abs(got-1.0/3) > 1e-9 {
		t.Errorf("got %v", got)
	}
	if got := overlap(a, a); math.Abs(got-1) > 1e-9 {
		t.Errorf("got %v", got)
	}
	if got := overlap(a, pix.Rect(20, 20, 30, 30)); got != 0 {
		t.Errorf("got %v", got)
	}
}
