package pad

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	wantedFace   = 80 // corners followed on the face
	wantedAround = 60 // and beside it
	apart        = 10 // pixels between a new corner and those followed already
)

// Tracker follows corners through the frames of one video. It keeps two frames at most.
type Tracker struct {
	last   pyramid
	points []pix.Pt
}

// Next takes the next frame and the box of its face (nil where there is none), and returns the corners that could be
// followed from the frame before. A frame of another size begins anew.
func (t *Tracker) Next(g *pix.Gray, box *face.Box) []Step {
	cur := newPyramid(g)
	var flow []Step
	if t.last[0] != nil && t.last[0].W == g.W && t.last[0].H == g.H {
		flow = t.step(&cur)
	}
	t.points = t.points[:0]
	for _, s := range flow {
		t.points = append(t.points, s.To)
	}
	t.refill(g, box)
	t.last = cur
	return flow
}

// step follows every corner there and back; one that does not come back within half a pixel has slipped.
func (t *Tracker) step(cur *pyramid) []Step {
	var flow []Step
	for _, p := range t.points {
		q, ok := follow(&t.last, cur, p)
		if !ok {
			continue
		}
		q = single(q)
		if back, ok := follow(cur, &t.last, q); ok && back.Dist(p) < 0.5 {
			flow = append(flow, Step{p, q})
		}
	}
	return flow
}

// single rounds to the precision in which corners travel between services, so that linking by equality holds.
func single(p pix.Pt) pix.Pt { return pix.Pt{X: float64(float32(p.X)), Y: float64(float32(p.Y))} }

// refill adds corners where too few are left.
func (t *Tracker) refill(g *pix.Gray, box *face.Box) {
	on, beside := 0, 0
	for _, p := range t.points {
		if holds(box, p) {
			on++
		} else {
			beside++
		}
	}
	if on >= wantedFace*2/3 && beside >= wantedAround*2/3 {
		return
	}
	for _, c := range corners(g) {
		n, most := &beside, wantedAround
		if holds(box, c.p) {
			n, most = &on, wantedFace
		}
		if *n < most && t.free(c.p) {
			t.points = append(t.points, c.p)
			*n++
		}
	}
}

func (t *Tracker) free(p pix.Pt) bool {
	for _, q := range t.points {
		if math.Abs(p.X-q.X) < apart && math.Abs(p.Y-q.Y) < apart {
			return false
		}
	}
	return true
}

func holds(b *face.Box, p pix.Pt) bool {
	return b != nil && p.X > b.X0 && p.X < b.X1 && p.Y > b.Y0 && p.Y < b.Y1
}
