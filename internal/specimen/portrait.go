package specimen

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// holder returns the portrait to print.
func (d *document) holder() image.Image {
	switch {
	case d.Portrait != nil:
		return d.Portrait
	case d.Material.Holder != nil:
		return d.Material.Holder
	}
	return figure(d.Material, d.Seed)
}

// printPortrait prints src into b as issuers do: its border fades into the ground, and fine lines of
// the security print run over it, so that a portrait stuck on later stands out.
func (c *canvas) printPortrait(src image.Image, b box) {
	const fade = 1.1 // millimetres
	photo := fit(src, c.pixels(b))
	corner := c.pixels(b).Min
	c.shade(b, func(x, y float64) (color.RGBA, float64) {
		edge := min(x-b.x, y-b.y, b.x+b.w-x, b.y+b.h-y)
		r, g, bl := photo.At(min(int(x*c.ppmm)-corner.X, photo.W-1), min(int(y*c.ppmm)-corner.Y, photo.H-1))
		return color.RGBA{r, g, bl, 255}, 0.95 * clamp(edge/fade)
	})
	c.lines(b, color.RGBA{120, 150, 190, 255}, 1.4, 0.22, func(x, y float64) float64 {
		return 0.7*x + y + 1.2*math.Sin(x*0.4) + 0.8*math.Sin(y*0.3)
	})
}

// printGhost repeats the portrait small, pale and in one colour.
func (c *canvas) printGhost(src image.Image, b box, ink color.RGBA) {
	photo := fit(src, c.pixels(b)).Gray()
	corner := c.pixels(b).Min
	c.shade(b, func(x, y float64) (color.RGBA, float64) {
		u, v := (x-b.x)/b.w*2-1, (y-b.y)/b.h*2-1
		dark := 1 - float64(photo.At(min(int(x*c.ppmm)-corner.X, photo.W-1), min(int(y*c.ppmm)-corner.Y, photo.H-1)))/255
		return ink, 0.62 * dark * clamp((1-math.Hypot(u, v))*5)
	})
}

// fit cuts the largest middle of src that has the proportions of r, and scales it to r's size.
func fit(src image.Image, r image.Rectangle) *pix.RGB {
	b := src.Bounds()
	w, h := b.Dx(), b.Dx()*r.Dy()/r.Dx()
	if h > b.Dy() {
		w, h = b.Dy()*r.Dx()/r.Dy(), b.Dy()
	}
	x, y := b.Min.X+(b.Dx()-w)/2, b.Min.Y+(b.Dy()-h)/2
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.CatmullRom.Scale(out, out.Rect, src, image.Rect(x, y, x+w, y+h), draw.Src, nil)
	return pix.FromImage(out)
}

// figure draws the head and shoulders of nobody, for where no photograph is at hand.
func figure(m *Material, seed uint64) image.Image {
	r := random(seed, streamDrawing)
	shades := []color.RGBA{{236, 200, 176, 255}, {206, 158, 126, 255}, {150, 104, 78, 255}, {104, 72, 56, 255}}
	skin := shades[r.IntN(len(shades))]
	hair := []color.RGBA{{60, 40, 28, 255}, {24, 22, 24, 255}, {150, 112, 60, 255}, {120, 118, 116, 255}}[r.IntN(4)]
	coat := []color.RGBA{{50, 60, 90, 255}, {96, 40, 44, 255}, {60, 84, 66, 255}}[r.IntN(3)]
	c := newCanvas(&layout{width: 35, height: 45}, 560, m)
	c.fill(box{0, 0, 35, 45}, color.RGBA{206, 210, 216, 255})
	c.ellipse(box{2.5, 34, 30, 24}, coat, 1)
	c.ellipse(box{13.5, 27, 8, 11}, dim(skin, 0.88), 1)
	c.ellipse(box{8.3, 5.6, 18.4, 22}, hair, 1)
	c.ellipse(box{9.3, 8.5, 16.4, 24}, skin, 1)
	c.ellipse(box{10, 6.2, 15, 7.4}, hair, 1)
	for _, x := range []float64{13.9, 21.1} {
		c.ellipse(box{x - 1.9, 18.5, 3.8, 1.9}, color.RGBA{244, 242, 238, 255}, 1)
		c.ellipse(box{x - 0.9, 18.5, 1.8, 1.8}, color.RGBA{50, 44, 40, 255}, 1)
		c.ellipse(box{x - 2.2, 16.2, 4.4, 0.9}, hair, 0.9)
	}
	c.ellipse(box{16.6, 19.5, 1.6, 5.6}, dim(skin, 0.86), 0.7)
	c.ellipse(box{16, 24.2, 3, 1.3}, dim(skin, 0.7), 0.8)
	c.ellipse(box{14.5, 27.3, 6, 1.5}, color.RGBA{164, 80, 76, 255}, 0.9)
	return c.img
}

func dim(c color.RGBA, by float64) color.RGBA {
	return color.RGBA{uint8(float64(c.R) * by), uint8(float64(c.G) * by), uint8(float64(c.B) * by), 255}
}
