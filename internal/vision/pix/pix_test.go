package pix

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// ramp is a picture whose red grows to the right and whose green grows downwards, in steps of step.
func ramp(w, h, step int) *RGB {
	m := NewRGB(w, h)
	for y := range h {
		for x := range w {
			i := 3 * (y*w + x)
			m.Pix[i], m.Pix[i+1], m.Pix[i+2] = uint8(x*step), uint8(y*step), 7
		}
	}
	return m
}

func anyPicture(t *rapid.T) *RGB {
	w, h := rapid.IntRange(1, 20).Draw(t, "w"), rapid.IntRange(1, 20).Draw(t, "h")
	return &RGB{W: w, H: h, Pix: rapid.SliceOfN(rapid.Byte(), 3*w*h, 3*w*h).Draw(t, "pix")}
}

func TestGrayUsesLuma(t *testing.T) {
	m := &RGB{W: 4, H: 1, Pix: []uint8{255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255}}
	if diff := cmp.Diff([]uint8{255, 77, 149, 29}, m.Gray().Pix); diff != "" {
		t.Error(diff)
	}
}

func TestFromImagePutsTransparencyOnWhite(t *testing.T) {
	src := image.NewNRGBA(image.Rect(3, 5, 5, 5+strip+6))
	src.Set(4, 5+strip+5, color.NRGBA{200, 100, 0, 255})
	m := FromImage(src)
	if r, g, b := m.At(0, strip+5); r != 255 || g != 255 || b != 255 {
		t.Errorf("transparent pixel became %d %d %d", r, g, b)
	}
	if r, g, b := m.At(1, strip+5); r != 200 || g != 100 || b != 0 {
		t.Errorf("opaque pixel became %d %d %d", r, g, b)
	}
}

func TestImageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyPicture(t)
		if diff := cmp.Diff(m, FromImage(m.Image())); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestResizeKeepsFlatFlat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyPicture(t)
		v := rapid.Byte().Draw(t, "v")
		for i := range m.Pix {
			m.Pix[i] = v
		}
		out := Resize(m, rapid.IntRange(1, 40).Draw(t, "dw"), rapid.IntRange(1, 40).Draw(t, "dh"))
		for _, p := range out.Pix {
			if p != v {
				t.Fatalf("flat %d became %d", v, p)
			}
		}
	})
}

func TestResizeAveragesArea(t *testing.T) {
	g := &Gray{W: 4, H: 2, Pix: []uint8{0, 100, 200, 200, 0, 100, 200, 100}}
	if diff := cmp.Diff([]uint8{50, 175}, ResizeG(g, 2, 1).Pix); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint8{33, 175}, ResizeG(&Gray{W: 3, H: 1, Pix: []uint8{0, 100, 212}}, 2, 1).Pix); diff != "" {
		t.Error(diff)
	}
}

// Halving has a way of its own, which must make what the general one makes.
func TestResizeHalves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(1, 5).Draw(rt, "w"), rapid.IntRange(1, 5).Draw(rt, "h")
		m := NewRGB(2*w, 2*h)
		for i := range m.Pix {
			m.Pix[i] = rapid.Uint8().Draw(rt, "v")
		}
		want := NewRGB(w, h)
		for i := range want.Pix {
			x, y, c := i/3%w, i/3/w, i%3
			sum := 2
			for _, at := range [4]int{(2*y*2*w + 2*x), (2*y*2*w + 2*x + 1), ((2*y+1)*2*w + 2*x), ((2*y+1)*2*w + 2*x + 1)} {
				sum += int(m.Pix[3*at+c])
			}
			want.Pix[i] = uint8(sum / 4)
		}
		if diff := cmp.Diff(want.Pix, Resize(m, w, h).Pix); diff != "" {
			rt.Error(diff)
		}
	})
}

func TestResizeGrowsLinearly(t *testing.T) {
	g := &Gray{W: 2, H: 1, Pix: []uint8{0, 200}}
	if diff := cmp.Diff([]uint8{0, 50, 150, 200}, ResizeG(g, 4, 1).Pix); diff != "" {
		t.Error(diff)
	}
}

func TestFit(t *testing.T) {
	if w, h := Fit(4000, 3000, 2000); w != 2000 || h != 1500 {
		t.Errorf("got %d×%d", w, h)
	}
	if w, h := Fit(30, 40, 2000); w != 30 || h != 40 {
		t.Errorf("grew to %d×%d", w, h)
	}
}

func TestRotateFourTimesIsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyPicture(t)
		k := rapid.IntRange(-5, 5).Draw(t, "k")
		if diff := cmp.Diff(m, m.Rotate90(k).Rotate90(-k)); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(m.Rotate90(2), m.Rotate90(1).Rotate90(1)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestRotatePtFollowsPixels(t *testing.T) {
	m := ramp(7, 4, 9)
	for k := range 4 {
		p := RotatePt(Pt{5, 1}, m.W, m.H, k)
		if r, g, _ := m.Rotate90(k).At(int(p.X), int(p.Y)); r != 45 || g != 9 {
			t.Errorf("k=%d: pixel at %v is %d,%d", k, p, r, g)
		}
	}
}

func TestMirror(t *testing.T) {
	m := &RGB{W: 2, H: 1, Pix: []uint8{1, 2, 3, 4, 5, 6}}
	if diff := cmp.Diff([]uint8{4, 5, 6, 1, 2, 3}, m.Mirror().Pix); diff != "" {
		t.Error(diff)
	}
}

func TestCropClips(t *testing.T) {
	c := ramp(6, 5, 1).Crop(4, -2, 10, 4)
	if c.W != 2 || c.H != 2 {
		t.Fatalf("got %d×%d", c.W, c.H)
	}
	if r, g, _ := c.At(1, 1); r != 5 || g != 1 {
		t.Errorf("got %d,%d", r, g)
	}
	if c := ramp(6, 5, 1).Crop(7, 7, 3, 3); c.W != 0 || c.H != 0 || len(c.Pix) != 0 {
		t.Errorf("outside gave %d×%d", c.W, c.H)
	}
}

func TestWarpOfFullIsIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyPicture(t)
		if diff := cmp.Diff(m, Warp(m, Full(m.W, m.H), m.W, m.H)); diff != "" && m.W > 1 && m.H > 1 {
			t.Fatal(diff)
		}
	})
}

func TestWarpOfTurnedQuadTurns(t *testing.T) {
	m := ramp(8, 5, 10)
	for k := range 4 {
		want := m.Rotate90(-k)
		if diff := cmp.Diff(want, Warp(m, Full(m.W, m.H).Turn(k), want.W, want.H)); diff != "" {
			t.Errorf("k=%d: %s", k, diff)
		}
	}
}

func TestWarpShrinksByArea(t *testing.T) {
	g := NewGray(400, 400) // one-pixel stripes: point sampling would give 0 or 255
	for i := range g.Pix {
		g.Pix[i] = uint8(255 * (i % 2))
	}
	for _, v := range WarpG(g, Rect(20, 20, 380, 380), 60, 60).Pix {
		if v < 110 || v > 145 {
			t.Fatalf("stripes came out as %d", v)
		}
	}
}

func TestWarpKeepsPlaceWhenShrinking(t *testing.T) {
	m := ramp(250, 250, 1)
	q := Quad{{30, 20}, {230, 40}, {220, 240}, {20, 210}}
	out := Warp(m, q, 50, 50)
	hm := Homography(Full(50, 50), q)
	for _, at := range []Pt{{5, 5}, {25, 25}, {44, 40}} {
		want := Project(hm, at)
		r, g, _ := out.At(int(at.X), int(at.Y))
		if math.Abs(float64(r)-want.X) > 1.5 || math.Abs(float64(g)-want.Y) > 1.5 {
			t.Errorf("at %v: read %d,%d, want %v", at, r, g, want)
		}
	}
}

func TestWarpSurvivesNonsense(t *testing.T) {
	m := ramp(9, 9, 3)
	nan := math.NaN()
	for _, q := range []Quad{{}, Rect(-1e18, -1e18, 1e18, 1e18), {{nan, 0}, {1, nan}, {2, 2}, {0, 2}}, Rect(50, 50, 60, 60)} {
		if out := Warp(m, q, 4, 3); len(out.Pix) != 36 {
			t.Errorf("%v gave %d bytes", q, len(out.Pix))
		}
	}
	if out := Warp(&RGB{}, Rect(0, 0, 1, 1), 2, 2); len(out.Pix) != 12 {
		t.Error("empty source")
	}
}

func convex(t *rapid.T) Quad {
	at := func(x, y float64) Pt {
		return Pt{x + rapid.Float64Range(-30, 30).Draw(t, "dx"), y + rapid.Float64Range(-30, 30).Draw(t, "dy")}
	}
	return Quad{at(0, 0), at(200, 0), at(200, 150), at(0, 150)}
}

func TestHomographyTakesCornersToCorners(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := convex(t), convex(t)
		h := Homography(a, b)
		got, back := ProjectQuad(h, a), ProjectQuad(Homography(b, a), b)
		for i := range b {
			if got[i].Dist(b[i]) > 1e-6 || back[i].Dist(a[i]) > 1e-6 {
				t.Fatalf("corner %d: %v and %v, want %v and %v", i, got[i], back[i], b[i], a[i])
			}
		}
	})
}

func TestQuadMeasures(t *testing.T) {
	q := Rect(10, 20, 40, 60)
	if w, h := q.Size(); w != 30 || h != 40 {
		t.Errorf("size %v × %v", w, h)
	}
	if q.Area() != 1200 || !q.Convex() || (Quad{q[0], q[2], q[1], q[3]}).Convex() {
		t.Error("area or convexity")
	}
	if q.Centre() != (Pt{25, 40}) {
		t.Errorf("centre %v", q.Centre())
	}
	if diff := cmp.Diff(Rect(8, 17, 42, 63), q.Grow(2, 3)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Rect(20.5, 40.5, 80.5, 120.5), q.Scale(2, 2)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkResize(b *testing.B) {
	m := ramp(4000, 3000, 1)
	for b.Loop() {
		Resize(m, 1400, 1050)
	}
}

func BenchmarkWarp(b *testing.B) {
	m := ramp(2000, 1500, 1)
	for b.Loop() {
		Warp(m, Quad{{100, 120}, {1900, 90}, {1850, 1400}, {150, 1380}}, 1400, 883)
	}
}
