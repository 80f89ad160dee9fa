package specimen

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// canvas is a sheet measured in millimetres from its top-left corner.
type canvas struct {
	img      *image.RGBA
	ppmm     float64 // pixels a millimetre
	material *Material
}

func newCanvas(l *layout, width int, m *Material) *canvas {
	ppmm := float64(width) / l.width
	img := image.NewRGBA(image.Rect(0, 0, width, int(math.Round(l.height*ppmm))))
	return &canvas{img: img, ppmm: ppmm, material: m}
}

// label is a line of print: x and y are where its baseline begins, size is the height of capitals.
type label struct {
	x, y, size float64
	face       typeface
	ink        color.RGBA
	pitch      float64 // distance of characters; 0 means that of the typeface
}

// text prints s and returns where it ends.
func (c *canvas) text(l label, s string) float64 {
	face, err := c.material.face(l.face, l.size*c.ppmm)
	if err != nil {
		panic(err) // LoadMaterial has opened every typeface
	}
	defer face.Close()
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(l.ink), Face: face, Dot: c.dot(l.x, l.y)}
	if l.pitch == 0 {
		d.DrawString(s)
		return float64(d.Dot.X) / 64 / c.ppmm
	}
	for k, r := range s {
		d.Dot = c.dot(l.x+float64(k)*l.pitch, l.y)
		d.DrawString(string(r))
	}
	return l.x + float64(len(s))*l.pitch
}

func (c *canvas) dot(x, y float64) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(x * c.ppmm * 64), Y: fixed.Int26_6(y * c.ppmm * 64)}
}

// box is a rectangle in millimetres.
type box struct{ x, y, w, h float64 }

func (c *canvas) pixels(b box) image.Rectangle {
	at := func(v float64) int { return int(math.Round(v * c.ppmm)) }
	return image.Rect(at(b.x), at(b.y), at(b.x+b.w), at(b.y+b.h)).Intersect(c.img.Rect)
}

// shade calls paint for every pixel of b with its position in millimetres, and lays the colour it returns
// over the sheet with the opacity it returns.
func (c *canvas) shade(b box, paint func(x, y float64) (color.RGBA, float64)) {
	r := c.pixels(b)
	rows(r.Dy(), func(k int) {
		y := r.Min.Y + k
		for x := r.Min.X; x < r.Max.X; x++ {
			ink, opacity := paint((float64(x)+0.5)/c.ppmm, (float64(y)+0.5)/c.ppmm)
			if opacity > 0 {
				p := c.img.Pix[c.img.PixOffset(x, y):]
				p[0], p[1], p[2], p[3] = mix(p[0], ink.R, opacity), mix(p[1], ink.G, opacity), mix(p[2], ink.B, opacity), 255
			}
		}
	})
}

func (c *canvas) fill(b box, ink color.RGBA) {
	c.shade(b, func(float64, float64) (color.RGBA, float64) { return ink, 1 })
}

// ellipse fills an ellipse inside b with a soft edge.
func (c *canvas) ellipse(b box, ink color.RGBA, opacity float64) {
	c.shade(b, func(x, y float64) (color.RGBA, float64) {
		u, v := (x-b.x)/b.w*2-1, (y-b.y)/b.h*2-1
		inside := (1 - math.Hypot(u, v)) * min(b.w, b.h) / 2 * c.ppmm
		return ink, opacity * clamp(inside)
	})
}

// stroke draws a pen line of a width through points, smoothly (Catmull-Rom).
func (c *canvas) stroke(points [][2]float64, width float64, ink color.RGBA) {
	for k := 1; k+2 < len(points); k++ {
		const steps = 60
		for s := range steps {
			x, y := spline(points[k-1:k+3], float64(s)/steps)
			c.ellipse(box{x - width/2, y - width/2, width, width}, ink, 0.8)
		}
	}
}

func spline(p [][2]float64, t float64) (x, y float64) {
	at := func(i int) float64 {
		a, b, c, d := p[0][i], p[1][i], p[2][i], p[3][i]
		return b + t/2*(c-a+t*(2*a-5*b+4*c-d+t*(3*(b-c)+d-a)))
	}
	return at(0), at(1)
}

func mix(a, b uint8, t float64) uint8 { return uint8(float64(a)*(1-t) + float64(b)*t + 0.5) }

func clamp(t float64) float64 { return min(1, max(0, t)) }

// width returns how long s is in print.
func (c *canvas) width(l label, s string) float64 {
	face, err := c.material.face(l.face, l.size*c.ppmm)
	if err != nil {
		panic(err) // LoadMaterial has opened every typeface
	}
	defer face.Close()
	return float64(font.MeasureString(face, s)) / 64 / c.ppmm
}
