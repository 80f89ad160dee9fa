package specimen

import (
	"image/color"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const pageWidth = 1400 // pixels of a page without a scene

// print makes the document: issued, grained by the printer, and then perhaps tampered with.
func (d *document) print() *pix.RGB {
	width := pageWidth
	if d.Scene != nil {
		width = d.Scene.documentWidth()
	}
	c := newCanvas(d.layout, width, d.Material)
	c.ground(d.layout, inks[d.Kind])
	holder := d.holder()
	c.printPortrait(holder, d.layout.portrait)
	c.printGhost(holder, d.layout.ghost, color.RGBA{70, 84, 120, 255})
	d.layout.art(c, d)
	d.layout.print(c, d.person)
	c.grain(d.Seed)
	switch d.Tamper {
	case Portrait:
		d.replacePortrait(c, holder)
	case Text:
		d.replaceText(c)
	}
	return pix.FromImage(c.img)
}

// grain is the unevenness of ink on the sheet, the same for everything the issuer printed.
func (c *canvas) grain(seed uint64) {
	scale := 14 / c.ppmm // grains of 1/14 mm
	rows(c.img.Rect.Dy(), func(y int) {
		for x := range c.img.Rect.Dx() {
			p := c.img.Pix[c.img.PixOffset(x, y):]
			n := (valueNoise(float64(x)*scale, float64(y)*scale, seed) - 0.5) * 13
			for ch := range 3 {
				p[ch] = level(float64(p[ch]) + n)
			}
		}
	})
}
