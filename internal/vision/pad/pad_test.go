package pad

import (
	"math"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// TestFlatPicturesAreFlat moves photographs before the camera in three ways; none may look bent, and most must be
// called flat.
func TestFlatPicturesAreFlat(t *testing.T) {
	k := open(t)
	n, flat := 0, 0
	for i, p := range photographs(t, 7) {
		for name, quad := range map[string]func(float64) pix.Quad{"pan": pan(p), "turn": turn(p)} {
			e := Measure(k.attack(t, p, wall(), quad))
			s := e.Sign()
			t.Logf("%s %d: %s %+v", name, i, s, e)
			if e.Faces < LeastFaces {
				continue // a photograph that the pan moves out of the frame
			}
			n++
			if s == Flat {
				flat++
			}
			if s == Bent {
				t.Errorf("%s of photograph %d looks bent", name, i)
			}
		}
	}
	t.Logf("%d of %d called flat", flat, n)
	if flat < n*8/10 {
		t.Errorf("only %d of %d", flat, n)
	}
}

// TestStillPicture shows a photograph that nobody moves.
func TestStillPicture(t *testing.T) {
	k := open(t)
	for i, p := range photographs(t, 3) {
		q := pan(p)(0)
		e := Measure(k.attack(t, p, wall(), func(float64) pix.Quad { return q }))
		t.Logf("%d: %s %+v", i, e.Sign(), e)
		if s := e.Sign(); s != Still && s != Flat {
			t.Errorf("photograph %d on a stand: %s, %+v", i, s, e)
		}
	}
}

// TestPersonsAreNotFlat plays the recordings of living persons.
func TestPersonsAreNotFlat(t *testing.T) {
	k := open(t)
	for name, want := range map[string]Sign{"9d19a929f0e7.gif": Bent, "748f447ea59f.gif": NoTurn} {
		e := Measure(k.play(t, filepath.Join(data, "C/C6-head-pose", name)))
		t.Logf("%s: %s %+v", name, e.Sign(), e)
		if e.Sign() != want {
			t.Errorf("%s: %s, want %s", name, e.Sign(), want)
		}
	}
}

func TestRepeats(t *testing.T) {
	e := Measure([]Frame{{Digest: 1}, {Digest: 1}, {Digest: 2}, {Digest: 1}})
	if e.Repeats != 2 || e.Sign() != NoFace {
		t.Errorf("%+v", e)
	}
	if e := Measure(nil); e.Sign() != NoFace {
		t.Errorf("%+v", e)
	}
}

// TestFollowsShifts moves a textured picture by a known amount.
func TestFollowsShifts(t *testing.T) {
	g := wall().Gray()
	rapid.Check(t, func(rt *rapid.T) {
		dx, dy := rapid.Float64Range(-12, 12).Draw(rt, "dx"), rapid.Float64Range(-12, 12).Draw(rt, "dy")
		moved := pix.WarpG(g, pix.Rect(-dx, -dy, float64(g.W-1)-dx, float64(g.H-1)-dy), g.W, g.H)
		a, b := newPyramid(g), newPyramid(moved)
		lost, n := 0, 0
		for _, c := range corners(g)[:40] {
			if !inside(g, float32(c.p.X+dx), float32(c.p.Y+dy), halfWindow) {
				continue
			}
			n++
			q, ok := follow(&a, &b, c.p)
			if !ok || math.Hypot(q.X-c.p.X-dx, q.Y-c.p.Y-dy) > 0.2 {
				lost++
			}
		}
		if lost > n/4 {
			rt.Fatalf("%d of %d corners lost", lost, n)
		}
	})
}

// TestFitHomography recovers a map from points, a third of which are wrong.
func TestFitHomography(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		corner := func(n string) float64 { return rapid.Float64Range(-60, 60).Draw(rt, n) }
		to := pix.Quad{{X: corner("a"), Y: corner("b")}, {X: 400 + corner("c"), Y: corner("d")},
			{X: 400 + corner("e"), Y: 300 + corner("f")}, {X: corner("g"), Y: 300 + corner("h")}}
		h := pix.Homography(pix.Rect(0, 0, 400, 300), to)
		var s shift
		for i := range 60 {
			p := pix.Pt{X: float64(i%10) * 40, Y: float64(i/10) * 50}
			q := pix.Project(h, p)
			if i%3 == 0 {
				q.X += 25 + float64(i)
			}
			s.add(p, q)
		}
		got, ok := robust(s.from, s.to, 1)
		if !ok {
			rt.Fatal("no homography")
		}
		for i, p := range s.from {
			if i%3 != 0 && pix.Project(got, p).Dist(s.to[i]) > 0.01 {
				rt.Fatalf("point %d is %.3f off", i, pix.Project(got, p).Dist(s.to[i]))
			}
		}
	})
}

func BenchmarkTracker(b *testing.B) {
	g := wall().Gray()
	moved := pix.WarpG(g, pix.Rect(-3, -2, float64(g.W-4), float64(g.H-3)), g.W, g.H)
	var t Tracker
	for i := 0; b.Loop(); i++ {
		t.Next([]*pix.Gray{g, moved}[i%2], nil)
	}
}
