package quality

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// documents reads A1 and the documents of D1; without the data the test is skipped.
func documents(t *testing.T) map[string]*pix.RGB {
	names, err := filepath.Glob("../../../../shared/data/[AD]/[AD]1-*/*")
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
		p, err := picture.Decode(b, picture.Options{MinLongSide: view})
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(n)] = p.RGB
	}
	return all
}

// drawn is a page with a portrait and lines of letters, in the colours of a card.
func drawn() *pix.RGB {
	m := pix.NewRGB(856, 540)
	paint := func(x0, y0, w, h int, r, g, b uint8) {
		for y := y0; y < y0+h; y++ {
			for x := x0; x < x0+w; x++ {
				copy(m.Pix[3*(y*m.W+x):], []uint8{r, g, b})
			}
		}
	}
	paint(0, 0, m.W, m.H, 205, 215, 225)
	paint(50, 130, 220, 290, 120, 90, 80)
	for y := 60; y < 500; y += 50 {
		for x := 310; x < 780; x += 14 {
			paint(x, y, 4, 22, 30, 30, 40)
		}
	}
	return m
}

// soften blurs by shrinking to 1/k of the view and back.
func soften(m *pix.RGB, k int) *pix.RGB {
	w, h := pix.Fit(m.W, m.H, view)
	return pix.Resize(pix.Resize(m, w/k, h/k), w, h)
}

// shine adds a round reflection of the given radius, as a share of the long side.
func shine(m *pix.RGB, radius float64) *pix.RGB {
	out := &pix.RGB{W: m.W, H: m.H, Pix: append([]uint8(nil), m.Pix...)}
	r := radius * float64(max(m.W, m.H))
	for y := range m.H {
		for x := range m.W {
			d := math.Hypot(float64(x-m.W/2), float64(y-m.H/3)) / r
			add := 500 * math.Exp(-d*d)
			for c := range 3 {
				i := 3*(y*m.W+x) + c
				out.Pix[i] = uint8(math.Min(float64(out.Pix[i])+add, 255))
			}
		}
	}
	return out
}

// expose maps every level v to gain·v + offset.
func expose(m *pix.RGB, gain, offset float64) *pix.RGB {
	out := &pix.RGB{W: m.W, H: m.H, Pix: make([]uint8, len(m.Pix))}
	for i, v := range m.Pix {
		out.Pix[i] = uint8(math.Min(math.Max(gain*float64(v)+offset, 0), 255))
	}
	return out
}

func TestDrawnPage(t *testing.T) {
	good := drawn()
	check := func(name string, m *pix.RGB, focus, glare, dark, bright bool) {
		t.Helper()
		g := m.Gray()
		gl, ok := Glare(m)
		if f, d, b := Focus(g), Dark(g), Bright(g); f.OK != focus || ok && gl.OK != glare || d.OK != dark || b.OK != bright {
			t.Errorf("%s: focus %+v glare %+v dark %+v bright %+v", name, f, gl, d, b)
		}
	}
	check("good", good, true, true, true, true)
	check("blurred", soften(good, 5), false, true, true, true)
	check("reflection", shine(good, 0.15), true, false, true, true)
	check("dark", expose(good, 0.3, 0), true, true, false, true)
	check("washed out", expose(good, 0.3, 170), true, true, true, false)
}

// TestGoodPicturesPass holds that the pictures of the test data, ordinary as they are, are not refused, and that the
// same pictures degraded are. The pictures whose paper is white cannot be judged for glare.
func TestGoodPicturesPass(t *testing.T) {
	var n, refused, blurred, veryBlurred, glared, shone, darkened, washed float64
	for name, m := range documents(t) {
		n++
		g := m.Gray()
		if f, d, b := Focus(g), Dark(g), Bright(g); !f.OK || !d.OK || !b.OK {
			refused++
			t.Logf("%s: focus %+v dark %+v bright %+v", name, f, d, b)
		}
		if !Focus(soften(m, 3).Gray()).OK {
			blurred++
		}
		if !Focus(soften(m, 4).Gray()).OK {
			veryBlurred++
		}
		if gl, ok := Glare(m); ok {
			glared++
			if !gl.OK {
				refused++
				t.Logf("%s: glare %+v", name, gl)
			}
			if bad, ok := Glare(shine(m, 0.15)); ok && !bad.OK {
				shone++
			}
		}
		if !Dark(expose(m, 0.25, 0).Gray()).OK {
			darkened++
		}
		if !Bright(expose(m, 0.3, 170).Gray()).OK {
			washed++
		}
	}
	t.Logf("%v pictures, %v refused; blurred to a third %.2f and a quarter %.2f, reflection %.2f, dark %.2f, washed out %.2f found",
		n, refused, blurred/n, veryBlurred/n, shone/glared, darkened/n, washed/n)
	if refused > 1 || blurred/n < 0.8 || veryBlurred/n < 0.97 || shone/glared < 0.8 || darkened/n < 0.95 || washed/n < 0.95 {
		t.Error("a figure sank")
	}
}

func TestBlurGrowsWithBlur(t *testing.T) {
	m, last := drawn(), -1.0
	for k := 1; k < 8; k++ {
		b := Blur(soften(m, k).Gray())
		if b < last || b < 0 || b > 1 {
			t.Errorf("blurred by %d: %v after %v", k, b, last)
		}
		last = b
	}
}

func TestBlurOfNothing(t *testing.T) {
	for _, g := range []*pix.Gray{pix.NewGray(3, 3), pix.NewGray(50, 50)} {
		if b := Blur(g); b != 1 {
			t.Errorf("%d × %d: %v", g.W, g.H, b)
		}
	}
}

func TestResolutionAndPerspective(t *testing.T) {
	if Resolution(pix.Rect(0, 0, 300, 200)).OK || !Resolution(pix.Rect(0, 0, 200, 800)).OK {
		t.Error("resolution")
	}
	if !Perspective(pix.Rect(0, 0, 300, 200)).OK || Perspective(pix.Quad{{X: 60, Y: 0}, {X: 240, Y: 0}, {X: 300, Y: 200}, {X: 0, Y: 200}}).OK {
		t.Error("perspective")
	}
	if m := Perspective(pix.Quad{}); math.IsNaN(m.Raw) || math.IsInf(m.Raw, 0) {
		t.Errorf("of no shape: %v", m)
	}
}

func TestCutOff(t *testing.T) {
	lines := []pix.Quad{pix.Rect(500, 10, 999, 30), pix.Rect(400, 50, 998, 70), pix.Rect(20, 90, 300, 110), pix.Rect(0, 200, 10, 220)}
	if m := CutOff(lines, 1000, 700); m.OK || m.Raw != 2 {
		t.Errorf("%+v", m)
	}
	if m := CutOff(lines[1:], 1000, 700); !m.OK {
		t.Errorf("%+v", m)
	}
	if m := CutOff(nil, 1000, 700); !m.OK {
		t.Errorf("%+v", m)
	}
}
