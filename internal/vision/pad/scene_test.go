package pad

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/video"
)

const data = "../../../../shared/data"

// kit is what makes a video into frames.
type kit struct {
	find *face.Detector
	mesh *face.Mesher
}

func open(t testing.TB) kit {
	t.Helper()
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	find, err := face.NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	mesh, err := face.NewMesher(set)
	if err != nil {
		t.Fatal(err)
	}
	return kit{find, mesh}
}

// watch does with each picture what the service video does.
type watch struct {
	kit
	tracker Tracker
	frames  []Frame
}

func (w *watch) see(t testing.TB, at time.Duration, m *pix.RGB) {
	t.Helper()
	h := fnv.New64a()
	h.Write(m.Pix)
	f := Frame{At: at, Digest: h.Sum64()}
	var box *face.Box
	found, err := w.find.Find(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		mesh, err := w.mesh.Fit(m, found[0])
		if err != nil {
			t.Fatal(err)
		}
		if mesh.Score > 0.5 {
			b := mesh.Box()
			f.Mesh, box = &mesh, &b
		}
	}
	f.Flow = w.tracker.Next(m.Gray(), box)
	w.frames = append(w.frames, f)
}

// play reads a video file.
func (k kit) play(t testing.TB, path string) []Frame {
	t.Helper()
	d, err := video.New(context.Background(), video.Config{Dependency: resiliencetest.Refusing(t, "video decoder")})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Skip("no data")
	}
	defer f.Close()
	w := watch{kit: k}
	if _, err := d.Frames(context.Background(), f, video.Options{}, func(f video.Frame) error {
		w.see(t, f.At, f.Pix)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return w.frames
}

// attack shows a flat picture for four seconds: quad says where its corners are in the frame at phase 0..1.
func (k kit) attack(t testing.TB, photo, around *pix.RGB, quad func(phase float64) pix.Quad) []Frame {
	t.Helper()
	const n, w, h = 25, 480, 640
	rng := rand.New(rand.NewPCG(7, 7))
	v := watch{kit: k}
	for i := range n {
		frame := pix.Resize(around, w, h)
		paint(frame, photo, quad(float64(i)/(n-1)))
		for j := range frame.Pix { // a camera's noise
			frame.Pix[j] = uint8(min(255, max(0, float64(frame.Pix[j])+rng.NormFloat64()*2)))
		}
		v.see(t, time.Duration(i)*time.Second/6, frame)
	}
	return v.frames
}

// paint draws photo so that its corners come to lie on q.
func paint(frame, photo *pix.RGB, q pix.Quad) {
	back := pix.Homography(q, pix.Full(photo.W, photo.H))
	for y := range frame.H {
		for x := range frame.W {
			p := pix.Project(back, pix.Pt{X: float64(x), Y: float64(y)})
			if p.X < 0 || p.Y < 0 || p.X >= float64(photo.W-1) || p.Y >= float64(photo.H-1) {
				continue
			}
			xi, yi := int(p.X), int(p.Y)
			fx, fy := p.X-float64(xi), p.Y-float64(yi)
			for c := range 3 {
				at := func(dx, dy int) float64 { return float64(photo.Pix[3*((yi+dy)*photo.W+xi+dx)+c]) }
				v := (at(0, 0)*(1-fx)+at(1, 0)*fx)*(1-fy) + (at(0, 1)*(1-fx)+at(1, 1)*fx)*fy
				frame.Pix[3*(y*frame.W+x)+c] = uint8(v)
			}
		}
	}
}

// swing is a sine through n periods.
func swing(phase, n float64) float64 { return math.Sin(2 * math.Pi * n * phase) }

// pan moves and zooms a picture that is larger than the frame: a camera over a picture.
func pan(photo *pix.RGB) func(float64) pix.Quad {
	return func(p float64) pix.Quad {
		s := 1.25 * (1 + 0.06*swing(p, 1)) * math.Max(480/float64(photo.W), 640/float64(photo.H))
		cx, cy := 240+35*swing(p, 1.5), 320+25*swing(p+0.1, 1)
		w, h := s*float64(photo.W)/2, s*float64(photo.H)/2
		return pix.Rect(cx-w, cy-h, cx+w, cy+h)
	}
}

// turn holds a picture in the hand and turns it about its upright axis by 28° to both sides.
func turn(photo *pix.RGB) func(float64) pix.Quad {
	return func(p float64) pix.Quad {
		a, b := 28*math.Pi/180*swing(p, 1), 8*math.Pi/180*swing(p, 1.3)
		s := 0.95 * math.Min(480/float64(photo.W), 640/float64(photo.H))
		w, h := s*float64(photo.W)/2, s*float64(photo.H)/2
		var q pix.Quad
		for i, c := range [4]pix.Pt{{X: -w, Y: -h}, {X: w, Y: -h}, {X: w, Y: h}, {X: -w, Y: h}} {
			x, z := c.X*math.Cos(a), c.X*math.Sin(a)+c.Y*math.Sin(b)
			f := 900 / (900 + z)
			q[i] = pix.Pt{X: 240 + 20*swing(p, 0.7) + x*f, Y: 320 + 15*swing(p, 0.9) + c.Y*math.Cos(b)*f}
		}
		return q
	}
}

// photographs are one large picture of each of several persons of B.
func photographs(t testing.TB, most int) []*pix.RGB {
	t.Helper()
	type item struct {
		File, Set     string
		Width, Height int
		Label         struct{ Identity string }
	}
	var all []*pix.RGB
	seen := map[string]int{}
	for _, it := range material.Lines[item](t, "B/manifest.jsonl") {
		if it.Set == "B2-att-orl" || it.Set == "B3-dlib-johns" || seen[it.Label.Identity] == 3 || len(all) == most {
			continue
		}
		seen[it.Label.Identity]++
		r := material.Picture(t, "B/"+it.File)
		w, h := pix.Fit(r.W, r.H, 900)
		all = append(all, pix.Resize(r, w, h))
	}
	return all
}

// wall is a static background with something to follow.
func wall() *pix.RGB {
	rng := rand.New(rand.NewPCG(3, 3))
	m := pix.NewRGB(30, 40)
	for i := range m.Pix {
		m.Pix[i] = uint8(60 + rng.IntN(120))
	}
	return pix.Resize(m, 480, 640)
}
