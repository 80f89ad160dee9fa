package ocr

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/specimen"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"pgregory.net/rapid"
)

// probs makes the output of a reader of the alphabet "ÁAB" from its likeliest classes.
func probs(classes ...int) Probs {
	p := Probs{Steps: len(classes), Classes: 4, Alphabet: []rune("ÁAB")}
	for _, k := range classes {
		row := []float32{0.1, 0.1, 0.1, 0.1}
		row[k] = 0.7
		p.P = append(p.P, row...)
	}
	return p
}

func TestGreedy(t *testing.T) {
	got := Greedy(probs(0, 2, 2, 0, 2, 3, 0))
	if got.Text != "AAB" || len(got.Conf) != 3 || math.Abs(float64(got.At[0])-2.0/7) > 0.01 {
		t.Errorf("%+v", got)
	}
	p := probs(1, 0, 3)
	p.Kin = kin(p.Alphabet)
	if got := Greedy(p); got.Text != "ÁB" || math.Abs(float64(got.Conf[0])-0.8) > 1e-6 || math.Abs(float64(got.Conf[1])-0.7) > 1e-6 {
		t.Errorf("with kin: %+v", got)
	}
	if got := Greedy(Probs{}); got.Text != "" {
		t.Errorf("nothing: %+v", got)
	}
}

// The least rectangle around a turned rectangle is that rectangle.
func TestMinAreaRect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.Float64Range(5, 200).Draw(t, "w"), rapid.Float64Range(5, 200).Draw(t, "h")
		sin, cos := math.Sincos(rapid.Float64Range(-3, 3).Draw(t, "angle"))
		var pts []pix.Pt
		for _, p := range []pix.Pt{{X: 0, Y: 0}, {X: w, Y: 0}, {X: w, Y: h}, {X: 0, Y: h}, {X: w / 2, Y: h / 3}} {
			pts = append(pts, pix.Pt{X: p.X*cos - p.Y*sin, Y: p.X*sin + p.Y*cos})
		}
		r := minAreaRect(hull(pts))
		if math.Abs(r.w*r.h-w*h) > 1e-6*w*h+1e-6 {
			t.Errorf("%v × %v, want %v × %v", r.w, r.h, w, h)
		}
		if q := r.quad(); !q.Convex() {
			t.Errorf("corners do not go clockwise: %v", q)
		}
	})
}

func TestBoxes(t *testing.T) {
	m := heat{w: 100, h: 60, p: make([]float32, 6000)}
	for y := 20; y < 30; y++ {
		for x := 10; x < 90; x++ {
			m.p[y*m.w+x] = 0.9
		}
	}
	m.p[50*m.w+50] = 0.9 // a speck
	got := boxes(m)
	if len(got) != 1 {
		t.Fatalf("%d boxes", len(got))
	}
	x0, y0, x1, y1 := got[0].Bounds()
	grow := 79.0 * 9 * unclip / (2 * (79 + 9))
	for i, v := range []float64{x0 - (10 - grow), y0 - (20 - grow), x1 - (89 + grow), y1 - (29 + grow)} {
		if math.Abs(v) > 1e-6 {
			t.Errorf("side %d off by %v", i, v)
		}
	}
}

func TestUpright(t *testing.T) {
	if w, h := Upright(pix.Rect(0, 0, 20, 100)).Size(); w < h {
		t.Error("a tall box stays tall")
	}
	if q := pix.Rect(0, 0, 100, 20); Upright(q) != q {
		t.Error("a wide box was turned")
	}
}

// A specimen's lines are found and its zone is among them; upside-down lines are told.
func TestSpecimenLines(t *testing.T) {
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	mat, err := specimen.LoadMaterial(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	sp, err := specimen.Draw(specimen.Options{Kind: specimen.Passport, Seed: 3, Material: mat, Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	det, err := NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	rd, err := NewReader(set)
	if err != nil {
		t.Fatal(err)
	}
	quads, err := det.Lines(sp.Image)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, q := range quads {
		txt, err := rd.Read(sp.Image, q)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, txt.Text)
	}
	if want := sp.Truth.Fields["surname"]; !slices.Contains(texts, want) {
		t.Errorf("%s is not among %q", want, texts)
	}
	right := 0
	for _, q := range quads {
		up, err := rd.Upside(sp.Image, q)
		if err != nil {
			t.Fatal(err)
		}
		down, err := rd.Upside(sp.Image, q.Turn(2))
		if err != nil {
			t.Fatal(err)
		}
		if up < down {
			right++
		}
	}
	// A single line is weak evidence; most of a page's lines together are not.
	if right < len(quads)*3/4 {
		t.Errorf("which way up is told of %d of %d lines", right, len(quads))
	}
}

// Tighten cuts the same strip whatever margin the line comes with.
func TestTightenForgetsMargins(t *testing.T) {
	g := pix.NewGray(400, 200)
	for i := range g.Pix {
		g.Pix[i] = 230
	}
	for x := 40; x < 360; x += 4 {
		for y := 90; y < 110; y++ {
			g.Pix[y*g.W+x], g.Pix[y*g.W+x+1] = 20, 20
		}
	}
	var heights []float64
	for _, margin := range []float64{2, 6, 12} {
		q := Tighten(g, pix.Rect(40-margin, 90-margin, 360+margin, 110+margin))
		_, h := q.Size()
		heights = append(heights, h)
		if c := q.Centre(); math.Abs(c.Y-99.5) > 1.5 {
			t.Errorf("margin %v: middle at %v", margin, c.Y)
		}
	}
	if slices.Max(heights)-slices.Min(heights) > 3 {
		t.Errorf("heights %v", heights)
	}
}
