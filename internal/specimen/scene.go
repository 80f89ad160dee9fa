package specimen

import (
	"fmt"
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Scene is a photograph of the document on a desk. Zero values of all but W and H are chosen by the seed.
type Scene struct {
	W, H int     // pixels of the picture, 320 to 8000 each
	Fill float64 // share of the picture's width (or height, whichever is tighter) that the document takes; default 0.78
	Turn float64 // degrees clockwise
	Tilt float64 // by how much the far edge looks shorter than the near one, 0…0.4
}

func (s *Scene) validate() error {
	if s == nil {
		return nil
	}
	if s.W < 320 || s.H < 320 || s.W > 8000 || s.H > 8000 {
		return fmt.Errorf("scene of %d × %d pixels: each side must be 320 to 8000", s.W, s.H)
	}
	if s.Fill < 0 || s.Fill > 1 || s.Tilt < 0 || s.Tilt > 0.4 {
		return fmt.Errorf("scene with fill %g and tilt %g: fill must be 0…1, tilt 0…0.4", s.Fill, s.Tilt)
	}
	return nil
}

func (s *Scene) fill() float64 {
	if s.Fill == 0 {
		return 0.78
	}
	return s.Fill
}

// documentWidth is the resolution at which the document is drawn: about that of the picture.
func (s *Scene) documentWidth() int { return max(700, int(float64(s.W)*s.fill())) }

// place returns where the document's corners are in the picture.
func (s *Scene) place(l *layout, seed uint64) pix.Quad {
	r := random(seed, streamScene)
	turn, tilt := s.Turn, s.Tilt
	if wobble := r.Float64()*8 - 4; turn == 0 {
		turn = wobble
	}
	if lean := 0.03 + 0.05*r.Float64(); tilt == 0 {
		tilt = lean
	}
	half := s.fill() * min(float64(s.W), float64(s.H)*l.width/l.height) / 2
	tall := half * l.height / l.width
	cx := float64(s.W)/2 + (r.Float64()-0.5)*0.04*float64(s.W)
	cy := float64(s.H)/2 + (r.Float64()-0.5)*0.04*float64(s.H)
	sin, cos := math.Sincos(turn * math.Pi / 180)
	at := func(x, y float64) pix.Pt { return pix.Pt{X: cx + x*cos - y*sin, Y: cy + x*sin + y*cos} }
	return pix.Quad{at(-half*(1-tilt), -tall), at(half*(1-tilt), -tall), at(half, tall), at(-half, tall)}
}

// shoot photographs the page and returns the picture and the place of the document in it.
func (s *Scene) shoot(page *pix.RGB, l *layout, seed uint64) (*pix.RGB, pix.Quad) {
	q := s.place(l, seed)
	w, h := float64(page.W-1), float64(page.H-1)
	toPage := pix.Homography(q, pix.Quad{{}, {X: w}, {X: w, Y: h}, {Y: h}})
	radius := l.corner / l.width * w
	desk := desks[random(seed, streamScene+1).IntN(len(desks))]
	out := pix.NewRGB(s.W, s.H)
	unit := float64(min(s.W, s.H))
	rows(s.H, func(y int) {
		for x := range s.W {
			p := out.Pix[3*(y*s.W+x):]
			at := pix.Project(toPage, pix.Pt{X: float64(x), Y: float64(y)})
			inside := 0.5 - rounded(at, w, h, radius)
			var ground [3]float64
			if inside < 1 {
				ground = desk(float64(x)/unit, float64(y)/unit, seed)
				shade := shadow(rounded(pix.Pt{X: at.X - 0.012*w, Y: at.Y - 0.016*w}, w, h, radius) / w)
				for ch := range ground {
					ground[ch] *= 1 - shade
				}
			}
			var ink [3]float64
			if inside > 0 {
				ink = bilinear(page, at)
			}
			light := s.light(x, y)
			for ch := range 3 {
				p[ch] = level((ground[ch] + (ink[ch]-ground[ch])*clamp(inside)) * light)
			}
		}
	})
	out = blur(out, 0.75)
	addNoise(out, 2.2, seed)
	return out, q
}

// light is a lamp at the top left and the darker corners of a lens.
func (s *Scene) light(x, y int) float64 {
	u, v := float64(x)/float64(s.W)-0.5, float64(y)/float64(s.H)-0.5
	return 1.03 - 0.11*u - 0.08*v - 0.16*(u*u+v*v)
}

// rounded is the signed distance of p to the edge of a w × h sheet with rounded corners, negative inside.
func rounded(p pix.Pt, w, h, radius float64) float64 {
	x, y := math.Abs(p.X-w/2)-w/2+radius, math.Abs(p.Y-h/2)-h/2+radius
	return math.Hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0) - radius
}

// shadow darkens the desk beside the sheet; distance is a share of its width.
func shadow(distance float64) float64 { return 0.5 * math.Exp(-max(distance, 0)/0.012) }

func bilinear(m *pix.RGB, at pix.Pt) (out [3]float64) {
	x, y := min(max(at.X, 0), float64(m.W-1)), min(max(at.Y, 0), float64(m.H-1))
	ix, iy := min(int(x), m.W-2), min(int(y), m.H-2)
	u, v := x-float64(ix), y-float64(iy)
	top, bottom := m.Pix[3*(iy*m.W+ix):], m.Pix[3*((iy+1)*m.W+ix):]
	for ch := range 3 {
		a := float64(top[ch])*(1-u) + float64(top[ch+3])*u
		b := float64(bottom[ch])*(1-u) + float64(bottom[ch+3])*u
		out[ch] = a*(1-v) + b*v
	}
	return out
}

// desks are surfaces; x and y are in units of the picture's short side.
var desks = []func(x, y float64, seed uint64) [3]float64{wood, felt, stone}

func wood(x, y float64, seed uint64) [3]float64 {
	wave := y + 0.05*valueNoise(x*1.3, y*2, seed)
	ring := valueNoise(x*1.7, wave*26, seed+1)*0.6 + valueNoise(x*6, wave*120, seed+2)*0.4
	t := 0.62 + 0.4*ring
	return [3]float64{158 * t, 112 * t, 74 * t}
}

func felt(x, y float64, seed uint64) [3]float64 {
	t := 0.7 + 0.3*valueNoise(x*300, y*300, seed) + 0.2*valueNoise(x*3, y*3, seed+1)
	return [3]float64{52 * t, 66 * t, 74 * t}
}

func stone(x, y float64, seed uint64) [3]float64 {
	t := 0.72
	for octave, share := 0, 0.16; octave < 4; octave, share = octave+1, share*0.55 {
		t += share * valueNoise(x*5, y*5, seed+uint64(octave))
		x, y = 2.1*(x*0.8-y*0.6), 2.1*(x*0.6+y*0.8) // turned, so that the grids of the octaves do not show
	}
	return [3]float64{182 * t, 178 * t, 171 * t}
}
