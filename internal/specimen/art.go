package specimen

import (
	"image/color"
	"math"
)

// ground lays the security print: a gradient, two families of waves that cross, and rosettes. The lines are
// the zeros of smooth functions, which needs no drawing of curves.
func (c *canvas) ground(l *layout, inks [5]color.RGBA) {
	whole := box{0, 0, l.width, l.height}
	c.shade(whole, func(x, y float64) (color.RGBA, float64) {
		return blend(inks[0], inks[1], clamp(0.5+0.5*math.Sin(x/l.width*3.4-y/l.height*1.7-0.9))), 1
	})
	waves := func(sign float64) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			return y + sign*(1.9*math.Sin(x*0.13+0.8*math.Sin(y*0.07))+0.7*math.Sin(x*0.37+y*0.11)) + 0.25*sign*x
		}
	}
	c.lines(whole, inks[2], 1.05, 0.42, waves(1))
	c.lines(whole, inks[3], 1.25, 0.38, waves(-1))
	for _, at := range [][3]float64{{0.62, 0.48, 0.36}, {0.16, 0.86, 0.22}, {0.93, 0.12, 0.25}} {
		x0, y0, radius := at[0]*l.width, at[1]*l.height, at[2]*l.height
		c.lines(box{x0 - radius, y0 - radius, 2 * radius, 2 * radius}, inks[4], radius/18, 0.45, func(x, y float64) float64 {
			r, angle := math.Hypot(x-x0, y-y0), math.Atan2(y-y0, x-x0)
			if r > radius {
				return math.NaN()
			}
			return r * (1 + 0.07*math.Sin(12*angle+r/radius*2) + 0.03*math.Sin(20*angle))
		})
	}
}

// lines inks where f is near a multiple of pitch; NaN is never inked.
func (c *canvas) lines(b box, ink color.RGBA, pitch, opacity float64, f func(x, y float64) float64) {
	const half = 0.075 // of a line's width, in millimetres
	c.shade(b, func(x, y float64) (color.RGBA, float64) {
		v := f(x, y)
		if math.IsNaN(v) {
			return ink, 0
		}
		off := math.Abs(v-pitch*math.Round(v/pitch)) * 0.8 // the functions rise by about 1.25 a millimetre
		return ink, opacity * clamp((half-off)*c.ppmm+0.5)
	})
}

// emblem draws the arms of Utopia: a crescent island around a star.
func (c *canvas) emblem(x, y, r float64, ink color.RGBA) {
	c.shade(box{x - r, y - r, 2 * r, 2 * r}, func(px, py float64) (color.RGBA, float64) {
		dx, dy := (px-x)/r, (py-y)/r
		d, angle := math.Hypot(dx, dy), math.Atan2(dx, -dy)
		ring := min(1-d, math.Hypot(dx, dy+0.28)-0.72)
		star := 0.36*(1+0.5*math.Cos(5*angle))/1.2 - math.Hypot(dx, dy)
		return ink, clamp(max(ring, star)*r*c.ppmm + 0.5)
	})
}

// signature writes a name in a hand that depends on the seed.
func (c *canvas) signature(d *document, b box) {
	r := random(d.Seed, streamDrawing)
	const loops, each = 7, 8
	var points [][2]float64
	height := 1.0 // of the initial; the other letters are low, some are long
	for k := range loops * each {
		if k%each == 0 && k > 0 {
			height = 0.18 + 0.22*r.Float64()
			if r.IntN(4) == 0 {
				height = 0.75
			}
		}
		t := float64(k) / each
		sin, cos := math.Sincos(2 * math.Pi * t)
		x := b.x + b.w*(t/loops+0.028*sin+0.05*height*(1-cos)/2)
		y := b.y + b.h*(0.8-height*(1-cos)/2+0.02*r.Float64())
		points = append(points, [2]float64{x, y})
	}
	c.stroke(points, 0.26, color.RGBA{24, 28, 60, 255})
}

func blend(a, b color.RGBA, t float64) color.RGBA {
	return color.RGBA{mix(a.R, b.R, t), mix(a.G, b.G, t), mix(a.B, b.B, t), 255}
}

// inks are two ground colours, two wave colours and the colour of the rosettes.
var inks = map[Kind][5]color.RGBA{
	Passport: {{236, 233, 220, 255}, {205, 222, 236, 255}, {150, 176, 214, 255}, {222, 170, 180, 255}, {140, 190, 178, 255}},
	UKCard:   {{244, 214, 222, 255}, {214, 232, 212, 255}, {226, 160, 188, 255}, {158, 198, 176, 255}, {186, 150, 206, 255}},
}
