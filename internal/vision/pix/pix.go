// Package pix holds the pictures that the vision packages hand to one another:
// tight 8-bit RGB and grey, with the few geometric operations that reading a
// document needs.
//
// # Coordinates
//
// A point is in pixels from the top-left corner, and the integer coordinates are
// the centres of pixels: the first pixel's centre is 0,0 and the last one's is
// W-1,H-1. A quadrilateral goes clockwise from the corner that is top-left when
// its content is read upright. [Full] is the quadrilateral of a whole picture,
// and [Warp] of it to the same size changes nothing.
//
// # Why not image.RGBA
//
// Every model input and every filter here wants three bytes a pixel without
// padding, alpha or interface calls; a 12-megapixel picture costs 36 MB so, and
// a float copy of it 144 MB, which is why nothing here is float.
package pix

// RGB is a colour picture: three bytes a pixel, row by row, without padding.
type RGB struct {
	W, H int
	Pix  []uint8
}

// Gray is a grey picture: one byte a pixel, row by row, without padding.
type Gray struct {
	W, H int
	Pix  []uint8
}

// NewRGB returns a black colour picture of w × h pixels.
func NewRGB(w, h int) *RGB {
	return &RGB{W: w, H: h, Pix: make([]uint8, 3*w*h)}
}

// NewGray returns a black grey picture of w × h pixels.
func NewGray(w, h int) *Gray {
	return &Gray{W: w, H: h, Pix: make([]uint8, w*h)}
}

// Gray returns the luma of m by the weights of ITU-R BT.601, in 1/256 steps.
func (m *RGB) Gray() *Gray {
	g := NewGray(m.W, m.H)
	for i := range g.Pix {
		p := m.Pix[3*i : 3*i+3 : 3*i+3]
		g.Pix[i] = uint8((77*uint32(p[0]) + 150*uint32(p[1]) + 29*uint32(p[2]) + 128) >> 8)
	}
	return g
}

// At returns the three channels of the pixel at x, y, which must lie in the picture.
func (m *RGB) At(x, y int) (r, g, b uint8) {
	i := 3 * (y*m.W + x)
	return m.Pix[i], m.Pix[i+1], m.Pix[i+2]
}

// At returns the pixel at x, y, which must lie in the picture.
func (g *Gray) At(x, y int) uint8 { return g.Pix[y*g.W+x] }

// Row returns the bytes of row y, three a pixel.
func (m *RGB) Row(y int) []uint8 { return m.Pix[3*y*m.W : 3*(y+1)*m.W] }

// Row returns the bytes of row y.
func (g *Gray) Row(y int) []uint8 { return g.Pix[y*g.W : (y+1)*g.W] }

// Crop copies the rectangle of w × h pixels whose top-left pixel is x, y, clipped to the picture.
func (m *RGB) Crop(x, y, w, h int) *RGB {
	p := m.plane().crop(x, y, w, h)
	return &RGB{W: p.w, H: p.h, Pix: p.pix}
}

// Crop copies the rectangle of w × h pixels whose top-left pixel is x, y, clipped to the picture.
func (g *Gray) Crop(x, y, w, h int) *Gray {
	p := g.plane().crop(x, y, w, h)
	return &Gray{W: p.w, H: p.h, Pix: p.pix}
}

// plane is a picture of ch interleaved channels.
type plane struct {
	pix      []uint8
	ch, w, h int
}

func (m *RGB) plane() plane { return plane{m.Pix, 3, m.W, m.H} }

func (g *Gray) plane() plane { return plane{g.Pix, 1, g.W, g.H} }

// clip moves the sides of a rectangle that lie outside of the picture to its borders.
func (s plane) clip(x, y, w, h int) (cx, cy, cw, ch int) {
	x1, y1 := min(x+w, s.w), min(y+h, s.h)
	cx, cy = min(max(x, 0), s.w), min(max(y, 0), s.h)
	return cx, cy, max(x1-cx, 0), max(y1-cy, 0)
}

func (s plane) crop(x, y, w, h int) plane {
	x, y, w, h = s.clip(x, y, w, h)
	dst := make([]uint8, s.ch*w*h)
	for r := range h {
		from := s.ch * ((y+r)*s.w + x)
		copy(dst[s.ch*r*w:s.ch*(r+1)*w], s.pix[from:from+s.ch*w])
	}
	return plane{dst, s.ch, w, h}
}
