package pix

import (
	"image"
	"image/color"
	"image/draw"
)

// strip is how many rows FromImage converts at a time, so that no second full-size copy exists.
const strip = 64

// FromImage copies any picture of the standard library; what is transparent becomes white, as on paper.
func FromImage(src image.Image) *RGB {
	b := src.Bounds()
	m := NewRGB(b.Dx(), b.Dy())
	buf := image.NewRGBA(image.Rect(0, 0, b.Dx(), min(strip, b.Dy())))
	for y := 0; y < m.H; y += strip {
		rows := min(strip, m.H-y)
		part := image.Rect(0, 0, m.W, rows)
		draw.Draw(buf, part, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(buf, part, src, b.Min.Add(image.Pt(0, y)), draw.Over)
		dropAlpha(m.Pix[3*y*m.W:3*(y+rows)*m.W], buf.Pix)
	}
	return m
}

func dropAlpha(dst, rgba []uint8) {
	for i, j := 0, 0; i+2 < len(dst); i, j = i+3, j+4 {
		dst[i], dst[i+1], dst[i+2] = rgba[j], rgba[j+1], rgba[j+2]
	}
}

// Image returns a copy of m for the encoders of the standard library.
func (m *RGB) Image() image.Image {
	dst := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i, j := 0, 0; i < len(m.Pix); i, j = i+3, j+4 {
		dst.Pix[j], dst.Pix[j+1], dst.Pix[j+2], dst.Pix[j+3] = m.Pix[i], m.Pix[i+1], m.Pix[i+2], 255
	}
	return dst
}

// Image returns g for the encoders of the standard library; it shares the pixels.
func (g *Gray) Image() image.Image {
	return &image.Gray{Pix: g.Pix, Stride: g.W, Rect: image.Rect(0, 0, g.W, g.H)}
}

// RGB returns g as a colour picture with three equal channels.
func (g *Gray) RGB() *RGB {
	m := NewRGB(g.W, g.H)
	for i, v := range g.Pix {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = v, v, v
	}
	return m
}
