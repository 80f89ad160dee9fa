package specimen

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"

	"golang.org/x/image/draw"
)

// replacePortrait sticks another picture over the printed portrait, as a forger would with a document in
// hand: a straight-edged rectangle that misses the old border by a little, from another camera and with
// its compression, without the security lines, and slightly raised at one side.
func (d *document) replacePortrait(c *canvas, holder image.Image) {
	r := random(d.Seed, streamForger)
	b := d.layout.portrait
	b.x, b.y = b.x-0.2-0.3*r.Float64(), b.y-0.2-0.3*r.Float64()
	b.w, b.h = b.w+0.5, b.h+0.5
	at := c.pixels(b)
	shadow := color.RGBA{40, 40, 40, 255}
	c.shade(box{b.x + b.w, b.y, 0.18, b.h}, func(float64, float64) (color.RGBA, float64) { return shadow, 0.45 })
	c.shade(box{b.x, b.y + b.h, b.w, 0.18}, func(float64, float64) (color.RGBA, float64) { return shadow, 0.45 })
	draw.BiLinear.Scale(c.img, at, d.impostor(holder, at, r), image.Rect(0, 0, at.Dx()/2, at.Dy()/2), draw.Src, nil)
	deviation := 5 + 3*r.Float64()
	rows(at.Dy(), func(k int) {
		for x := at.Min.X; x < at.Max.X; x++ {
			p := c.img.Pix[c.img.PixOffset(x, at.Min.Y+k):]
			for ch := range 3 {
				p[ch] = level(float64(p[ch]) + deviation*gauss(hash(3*x+ch, k, d.Seed)))
			}
		}
	})
}

// impostor is the picture that is stuck on, at half the size of at: the holder again, but cut otherwise,
// mirrored, in other colours and after a low-quality JPEG. It is the same face because no second one is at
// hand; what gives it away is how it was put there.
func (d *document) impostor(holder image.Image, at image.Rectangle, r *rand.Rand) image.Image {
	half := image.Rect(0, 0, at.Dx()/2, at.Dy()/2)
	b := holder.Bounds()
	cut := image.Rect(b.Min.X+b.Dx()/9, b.Min.Y+b.Dy()/12, b.Max.X-b.Dx()/16, b.Max.Y-b.Dy()/10)
	small := image.NewRGBA(half)
	draw.CatmullRom.Scale(small, half, holder, cut, draw.Src, nil)
	warm, lift := 0.9+0.2*r.Float64(), 8+16*r.Float64()
	out := image.NewRGBA(half)
	for y := range half.Dy() {
		for x := range half.Dx() {
			from := small.Pix[small.PixOffset(half.Dx()-1-x, y):]
			to := out.Pix[out.PixOffset(x, y):]
			to[0], to[1], to[2], to[3] = level(float64(from[0])*warm+lift), level(float64(from[1])*0.94+lift), level(float64(from[2])*(2-warm)*0.9+lift), 255
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, out, &jpeg.Options{Quality: 45}); err != nil {
		return out
	}
	stored, err := jpeg.Decode(&file)
	if err != nil {
		return out
	}
	return stored
}

// replaceText covers one printed value with a patch in the colour around it and prints another in a
// typeface that is not quite the right one. The rest of the document still tells the old value.
func (d *document) replaceText(c *canvas) {
	r := random(d.Seed, streamForger)
	field, value, truth := d.forgery(r)
	e := d.layout.find(d.person, field)
	l := d.layout.label(e)
	old := c.width(l, e.value)
	l.face, l.size, l.ink = serifBold, l.size*0.98, color.RGBA{16, 16, 16, 255}
	w := max(old, c.width(l, value)) + 1.6
	patch := box{l.x - 0.6, l.y - l.size - 0.55, w, l.size + 1.1}
	paper := c.mean(box{patch.x, patch.y - 0.5, patch.w, 0.5})
	c.shade(patch, func(float64, float64) (color.RGBA, float64) { return paper, 0.96 })
	c.text(l, value)
	d.forged = map[string]string{field: truth}
}

// forgery chooses the field and what it is to say: a birth date some years off, or another surname.
func (d *document) forgery(r *rand.Rand) (field, value, truth string) {
	if r.IntN(3) == 0 {
		for {
			if name := capitals(surnames[r.IntN(len(surnames))]); latin(name)[:4] != latin(d.person.surname)[:4] {
				return "surname", name, name
			}
		}
	}
	birth := d.person.birth.AddDate(-2-r.IntN(6), 1+r.IntN(5), 3)
	if d.Kind == Passport {
		return "birth_date", passportDate(birth), iso(birth)
	}
	return "birth_date", cardDate(birth) + "  UTOPIA", iso(birth)
}

// mean returns the mean colour of b.
func (c *canvas) mean(b box) color.RGBA {
	r := c.pixels(b)
	var sum [3]int
	n := max(1, r.Dx()*r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := c.img.Pix[c.img.PixOffset(x, y):]
			sum[0], sum[1], sum[2] = sum[0]+int(p[0]), sum[1]+int(p[1]), sum[2]+int(p[2])
		}
	}
	return color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255}
}
