package pad

import (
	"math"
	"sort"
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	leastGap  = 2  // frames between the two that are compared
	mostPairs = 90 // of frames compared, spread over the video
	enough    = 12 // corners that a comparison needs
)

// Evidence is what was measured over a video. Distances are in eye distances of the face, and for each pair of
// frames the 80 % quantile over its points; over the pairs it is the median of the tenth that changed most, so that
// one slipped corner says nothing.
type Evidence struct {
	Frames  int           // in all
	Faces   int           // frames with a face
	Span    time.Duration // from the first to the last frame with a face
	Repeats int           // frames that are the same as an earlier one, to the bit
	YawSpan float64       // degrees between the extreme turns of the head, by the mesh

	MeshBend float64 // landmarks: what no homography explains
	Change   float64 // corners on the face: what no turn, scale and shift in the plane explains
	Bend     float64 // the same corners: what no homography explains
	Compared int     // pairs of frames with enough corners on the face

	Together int     // pairs of frames with enough corners on the face and beside it
	Apart    float64 // upper quartile over those pairs of how far the face departs from the homography of its surroundings
	Motion   float64 // nine tenths of the pairs moved less than this
}

// Measure compares frames with each other.
func Measure(frames []Frame) Evidence {
	e := Evidence{Frames: len(frames)}
	e.count(frames)
	tracks := link(frames)
	var pairs []comparison
	for _, p := range spread(frames) {
		pairs = append(pairs, compare(frames, tracks, p[0], p[1]))
	}
	e.sum(pairs)
	return e
}

// count takes what needs no comparison.
func (e *Evidence) count(frames []Frame) {
	lo, hi := math.Inf(1), math.Inf(-1)
	var first time.Duration
	seen := map[uint64]bool{}
	for _, f := range frames {
		if seen[f.Digest] {
			e.Repeats++
		}
		seen[f.Digest] = true
		if f.Mesh == nil {
			continue
		}
		if e.Faces == 0 {
			first = f.At
		}
		e.Faces++
		e.Span = f.At - first
		yaw := f.Mesh.Pose().Yaw
		lo, hi = math.Min(lo, yaw), math.Max(hi, yaw)
	}
	if e.Faces > 0 {
		e.YawSpan = hi - lo
	}
}

// spread lists pairs of frames with faces, evenly over all there are.
func spread(frames []Frame) [][2]int {
	var all [][2]int
	for i := range frames {
		for j := i + leastGap; j < len(frames); j++ {
			if frames[i].Mesh != nil && frames[j].Mesh != nil {
				all = append(all, [2]int{i, j})
			}
		}
	}
	if len(all) <= mostPairs {
		return all
	}
	some := make([][2]int, mostPairs)
	for k := range some {
		some[k] = all[k*(len(all)-1)/(mostPairs-1)]
	}
	return some
}

// comparison is what one pair of frames gives; what could not be measured is NaN.
type comparison struct {
	meshChange, meshBend float64
	change, bend         float64
	apart, motion        float64
}

func compare(frames []Frame, tracks []track, i, j int) comparison {
	eye := math.Max(1, frames[i].Mesh.EyeDistance())
	nan := math.NaN()
	c := comparison{nan, nan, nan, nan, nan, nan}
	c.meshChange, c.meshBend = bend(landmarks(frames, i, j), eye, fitHomography)
	on, beside := between(frames, tracks, i, j)
	if len(on.from) < enough {
		return c
	}
	c.change, c.bend = bend(on, eye, func(a, b []pix.Pt) ([9]float64, bool) { return robust(a, b, 0.03*eye) })
	if len(beside.from) < enough {
		return c
	}
	if h, ok := robust(beside.from, beside.to, 1.5); ok {
		c.apart = quantile(misfits(project(h), on.from, on.to), 0.5) / eye
		c.motion = quantile(misfits(func(p pix.Pt) pix.Pt { return p }, on.from, on.to), 0.5) / eye
	}
	return c
}

// bend measures what a similarity and what a homography leave, NaN where there is no homography.
func bend(s shift, eye float64, fit func(a, b []pix.Pt) ([9]float64, bool)) (change, rest float64) {
	h, ok := fit(s.from, s.to)
	if !ok {
		return math.NaN(), math.NaN()
	}
	sim := face.FitSimilarity(s.from, s.to)
	return quantile(misfits(sim.Apply, s.from, s.to), 0.8) / eye, quantile(misfits(project(h), s.from, s.to), 0.8) / eye
}

func project(h [9]float64) func(pix.Pt) pix.Pt {
	return func(p pix.Pt) pix.Pt { return pix.Project(h, p) }
}

// sum boils the pairs down.
func (e *Evidence) sum(pairs []comparison) {
	_, e.MeshBend, _ = most(pairs, func(c comparison) (float64, float64) { return c.meshChange, c.meshBend })
	e.Change, e.Bend, e.Compared = most(pairs, func(c comparison) (float64, float64) { return c.change, c.bend })
	var apart, motion []float64
	for _, c := range pairs {
		if !math.IsNaN(c.apart) {
			apart, motion = append(apart, c.apart), append(motion, c.motion)
		}
	}
	sort.Float64s(apart)
	sort.Float64s(motion)
	e.Together, e.Apart, e.Motion = len(apart), quantile(apart, 0.75), quantile(motion, 0.9)
}

// most returns the medians of change and rest over the tenth of the pairs that changed most.
func most(pairs []comparison, of func(comparison) (change, rest float64)) (change, rest float64, n int) {
	var cs, rs []float64
	for _, c := range pairs {
		if x, y := of(c); !math.IsNaN(x) {
			cs, rs = append(cs, x), append(rs, y)
		}
	}
	n = len(cs)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return cs[order[i]] < cs[order[j]] })
	var tc, tr []float64
	for _, i := range order[n*9/10:] {
		tc, tr = append(tc, cs[i]), append(tr, rs[i])
	}
	sort.Float64s(tr)
	return quantile(tc, 0.5), quantile(tr, 0.5), n
}
