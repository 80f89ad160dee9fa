package forensics

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/specimen"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

func detector(t testing.TB) *face.Detector {
	s, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	d, err := face.NewDetector(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// page is a document as the document service hands it on, with its face.
type page struct {
	name string
	m    *pix.RGB
	face pix.Quad
}

func pageOf(t testing.TB, d *face.Detector, name string, m *pix.RGB) (page, bool) {
	w, h := pix.Fit(m.W, m.H, 1400)
	m = pix.Resize(m, w, h)
	faces, err := d.Find(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(faces) == 0 {
		return page{}, false
	}
	return page{name, m, faces[0].Box.Quad()}, true
}

// documents reads the pictures of A1 and D1 that show a face.
func documents(t testing.TB) []page {
	names, err := filepath.Glob("../../../../shared/data/[AD]/[AD]1-*/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skip("no data")
	}
	d := detector(t)
	var out []page
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		p, err := picture.Decode(b, picture.Options{MinLongSide: 1400})
		if err != nil {
			t.Fatal(err)
		}
		if pg, ok := pageOf(t, d, filepath.Base(n), p.RGB); ok {
			out = append(out, pg)
		}
	}
	return out
}

// paste lays the head of other, with some room, over that of p.
func paste(p, other page, room float64) page {
	m := &pix.RGB{W: p.m.W, H: p.m.H, Pix: append([]uint8(nil), p.m.Pix...)}
	grown := func(q pix.Quad) pix.Quad {
		w, h := q.Size()
		return q.Grow(room*w, room*h)
	}
	x0, y0, x1, y1 := grown(p.face).Bounds()
	left, top := max(int(x0), 0), max(int(y0), 0)
	w, h := min(int(x1), m.W)-left, min(int(y1), m.H)-top
	head := pix.Warp(other.m, grown(other.face), w, h)
	for y := range h {
		copy(m.Row(top + y)[3*left:3*(left+w)], head.Row(y))
	}
	return page{p.name + " with the head of " + other.name, m, p.face}
}

// again is the page photographed: a little softer, askew, with noise.
func again(p page, r *rand.Rand) page {
	shift := func() float64 { return 6 * r.Float64() }
	w, h := float64(p.m.W-1), float64(p.m.H-1)
	q := pix.Quad{{X: shift(), Y: shift()}, {X: w - shift(), Y: shift()}, {X: w - shift(), Y: h - shift()}, {X: shift(), Y: h - shift()}}
	m := pix.Warp(p.m, q, p.m.W, p.m.H)
	m = pix.Resize(pix.Resize(m, m.W*3/4, m.H*3/4), m.W, m.H)
	for i, v := range m.Pix {
		m.Pix[i] = uint8(min(max(float64(v)+2*r.NormFloat64(), 0), 255))
	}
	return page{p.name + " again", m, p.face}
}

func auc(genuine, tampered []float64) float64 {
	var won float64
	for _, g := range genuine {
		for _, t := range tampered {
			if t > g {
				won++
			} else if t == g {
				won += 0.5
			}
		}
	}
	return won / float64(len(genuine)*len(tampered))
}

const tamperedD1 = "3a361301f0f0.jpg"

func TestGenuineDocumentsAreNotCalledTampered(t *testing.T) {
	count := map[Verdict]int{}
	for _, p := range documents(t) {
		got := MeasurePortrait(p.m, p.face)
		if p.name == tamperedD1 {
			if got.Verdict() != Replaced {
				t.Errorf("the replaced portrait of D1: %+v", got)
			}
			continue
		}
		count[got.Verdict()]++
		if got.Verdict() == Replaced {
			t.Errorf("%s: %+v", p.name, got)
		}
	}
	t.Logf("genuine: %d untouched, %d unclear, %d too small, %d too close to the edge, %d called replaced",
		count[Untouched], count[Unclear], count[TooSmall], count[TooClose], count[Replaced])
	if count[Untouched] < 14 || count[Unclear] > 4 {
		t.Error("too few genuine portraits are judged")
	}
}

// TestPastedPortraits swaps heads among the documents, digitally and photographed again after it.
func TestPastedPortraits(t *testing.T) {
	var large []page
	for _, p := range documents(t) {
		if p.name != tamperedD1 && !MeasurePortrait(p.m, p.face).Small {
			large = append(large, p)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, photographed := range []bool{false, true} {
		var genuine, tampered []float64
		caught, passed := 0, 0
		for i, p := range large {
			fake := paste(p, large[(i+5)%len(large)], 0.3)
			if photographed {
				p, fake = again(p, r), again(fake, r)
			}
			g, f := MeasurePortrait(p.m, p.face), MeasurePortrait(fake.m, fake.face)
			genuine, tampered = append(genuine, g.Score()), append(tampered, f.Score())
			switch f.Verdict() {
			case Replaced:
				caught++
			case Untouched:
				passed++
			}
		}
		a := auc(genuine, tampered)
		t.Logf("photographed %v: %d pastes, AUC %.3f, %d called replaced, %d passed", photographed, len(tampered), a, caught, passed)
		if a < 0.8 {
			t.Errorf("AUC sank to %.3f", a)
		}
	}
}

func TestSpecimens(t *testing.T) {
	material, err := specimen.LoadMaterial(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	d := detector(t)
	for _, kind := range []specimen.Kind{specimen.Passport, specimen.UKCard} {
		for tamper, want := range map[specimen.Tamper]Verdict{specimen.Untouched: Untouched, specimen.Portrait: Replaced} {
			for seed := range uint64(2) {
				s, err := specimen.Draw(specimen.Options{Kind: kind, Tamper: tamper, Seed: seed, Material: material, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
				if err != nil {
					t.Fatal(err)
				}
				p, ok := pageOf(t, d, string(kind), s.Image)
				if !ok {
					t.Fatalf("%s %q: no face", kind, tamper)
				}
				if got := MeasurePortrait(p.m, p.face); got.Verdict() != want {
					t.Errorf("%s %q, seed %d: %+v", kind, tamper, seed, got)
				}
			}
		}
	}
}

// noisy is a grey picture without any line.
func noisy(r *rand.Rand) *pix.Gray {
	g := pix.NewGray(400, 400)
	for i := range g.Pix {
		g.Pix[i] = uint8(140 + 4*r.NormFloat64())
	}
	return g
}

func TestLines(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	face := pix.Rect(150, 140, 250, 260)
	if p := MeasurePortrait(noisy(r).RGB(), face); p.Verdict() != Untouched {
		t.Errorf("noise: %+v", p)
	}
	strips := noisy(r)
	for y := range 400 {
		for x := 155; x < 250; x += 15 {
			strips.Pix[y*400+x] += 25
		}
	}
	if p := MeasurePortrait(strips.RGB(), face); p.Verdict() != Replaced || p.Seams < 6 {
		t.Errorf("strips: %+v", p)
	}
	partly, frame := noisy(r), noisy(r)
	for y := 100; y < 300; y++ {
		for x := 110; x < 290; x++ {
			frame.Pix[y*400+x] += 40
			if y%20 < 10 && x%20 < 12 {
				partly.Pix[y*400+x] += 40
			}
		}
	}
	if p := MeasurePortrait(frame.RGB(), face); p.Verdict() != Unclear {
		t.Errorf("frame: %+v", p)
	}
	quieter := frame.RGB()
	for y := 145; y < 255; y++ {
		for x := 155; x < 245; x++ {
			copy(quieter.Pix[3*(y*400+x):], []uint8{182, 180, 178})
		}
	}
	for i := 0; i < len(quieter.Pix); i += 3 { // colour noise all over but in the face
		if x, y := i/3%400, i/3/400; x < 155 || x >= 245 || y < 145 || y >= 255 {
			quieter.Pix[i] += uint8(r.IntN(8))
		}
	}
	if p := MeasurePortrait(quieter, face); p.Verdict() != Replaced || p.Luma > 0.8 || p.Chroma > 0.8 {
		t.Errorf("a quieter picture in a frame: %+v", p)
	}
	if p := MeasurePortrait(partly.RGB(), face); p.Verdict() != Replaced {
		t.Errorf("a border that is partly straight: %+v", p)
	}
	if p := MeasurePortrait(noisy(r).RGB(), pix.Rect(10, 10, 40, 50)); p.Verdict() != TooSmall {
		t.Errorf("small: %+v", p)
	}
}

func TestFacesAtTheEdge(t *testing.T) {
	g := pix.NewGray(120, 100)
	for _, q := range []pix.Quad{pix.Rect(-50, -50, 60, 60), pix.Rect(40, 40, 300, 300), pix.Rect(-500, -500, -300, -300)} {
		if p := MeasurePortrait(g.RGB(), q); p.Verdict() != TooClose {
			t.Errorf("%v: %+v", q, p)
		}
	}
	wide := pix.NewGray(400, 300)
	if p := MeasurePortrait(wide.RGB(), pix.Rect(-5, 90, 100, 200)); p.Verdict() != Untouched || p.Hidden != 1 {
		t.Errorf("three sides are there: %+v", p)
	}
}

func TestAUC(t *testing.T) {
	if a := auc([]float64{1, 2}, []float64{3, 2}); a != 0.875 {
		t.Errorf("%v", a)
	}
}
