// Package forensics looks for traces of a portrait that was put in the place of another.
//
// Two traces are measured, both of straight lines, because paste and scissors go straight and faces do not:
//
//   - seams: columns through the face on which the brightness jumps all the way down. A picture that was cut
//     in strips, stretched by pieces, or joined in the middle of a face shows some; skin and hair show none.
//   - border: on each of the four sides of the face, the straight line along which neighbours differ most often
//     more than they do elsewhere across it. Most documents blend the portrait into their background and have
//     no straight border there; a picture laid over it has four.
//
// # What this cannot do
//
// Documents whose genuine portrait has a printed frame or is a glued photograph have four sharp straight borders of
// their own. There the noise decides whether the picture in the frame is foreign: whether both its brightness and
// its colour are quieter, or both livelier, than the rest of the page. Where they are not, it is Unclear, and never a pass. By
// itself the noise says nothing (an AUC of 0.45 to 0.55 on our simulation); nor does error-level analysis, and file
// format, size and compression tables say nothing about a document at all.
package forensics

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Portrait is what was measured round a face on a page.
type Portrait struct {
	// Seams is the number of columns through the face that stand out; see SeamsAtLeast.
	Seams int
	// Border is, for the least straight of the four sides round the face, the share of the side along which the
	// straightest line stands out.
	Border float64
	// Three is the same for the three straightest sides: a hand or a hologram may hide the fourth.
	Three float64
	// Luma and Chroma are the noise of the face against that of the page away from it: 1 is the same.
	Luma, Chroma float64
	// Hidden is the number of sides on which the page ends before a border could be.
	Hidden int
	// Small is true for a face of too few pixels to say anything.
	Small bool
}

// Verdict is what the measurements say.
type Verdict int

// The verdicts.
const (
	Untouched Verdict = iota // no trace
	Replaced                 // traces of another portrait
	Unclear                  // the portrait has a frame of its own
	TooSmall                 // too few pixels
	TooClose                 // the page ends beside the face: borders cannot be looked for
)

// The thresholds, chosen between what genuine documents and documents with a portrait pasted over it show: see
// the tests for the figures (33 genuine documents: none called Replaced, 3 Unclear, 12 too small; 42 pasted portraits: 28
// Replaced, 11 Unclear, 3 Untouched).
const (
	SeamsAtLeast  = 5    // genuine faces of at least MinFace have at most 4
	BorderAtLeast = 0.33 // genuine portraits without a frame reach 0.30
	ThreeAtLeast  = 0.5  // and on three sides 0.42
	FrameFrom     = 0.75 // frames that were printed with the document reach 0.82 and more
	NoiseAtLeast  = 1.22 // by how much brightness and colour differ in noise, on framed portraits
	MinFace       = 75   // pixels across the face
	HiddenAtLeast = 2    // with one side hidden the three others tell
)

// Verdict weighs the measurements. Seams come first: no printer makes them.
func (p Portrait) Verdict() Verdict {
	switch {
	case p.Small:
		return TooSmall
	case p.Seams >= SeamsAtLeast:
		return Replaced
	case p.Border >= FrameFrom && !p.foreign():
		return Unclear
	case p.Border >= BorderAtLeast, p.Three >= ThreeAtLeast:
		return Replaced
	case p.Hidden >= HiddenAtLeast:
		return TooClose
	}
	return Untouched
}

// foreign reports whether brightness and colour both differ, the same way, from the rest of the page.
func (p Portrait) foreign() bool {
	quieter, livelier := math.Max(p.Luma, p.Chroma), math.Min(p.Luma, p.Chroma)
	return quieter <= 1/NoiseAtLeast || livelier >= NoiseAtLeast
}

// Score is the stronger trace in units of its threshold: 1 and more is a trace.
func (p Portrait) Score() float64 {
	return max(float64(p.Seams)/SeamsAtLeast, p.Border/BorderAtLeast, p.Three/ThreeAtLeast)
}

// MeasurePortrait measures the surroundings of an upright face that fills the box of face on the page m.
func MeasurePortrait(m *pix.RGB, face pix.Quad) Portrait {
	f := boxOf(face)
	if f.w() < MinFace {
		return Portrait{Small: true}
	}
	page := m.Gray()
	// The rows of a page are the columns of the page turned clockwise.
	turned := page.Rotate90(1)
	left, right := borders(page, f)
	bottom, top := borders(turned, box{float64(page.H-1) - f.y1, f.x0, float64(page.H-1) - f.y0, f.x1})
	sides := []float64{left, right, top, bottom}
	slices.Sort(sides)
	hidden := 0
	for i, s := range sides {
		if s == unseen {
			hidden, sides[i] = hidden+1, 0
		}
	}
	return Portrait{
		Hidden: hidden,
		Seams:  seams(page, f),
		Border: sides[0],
		Three:  sides[1],
		Luma:   noiseRatio(m, f, luma),
		Chroma: noiseRatio(m, f, chroma),
	}
}

type box struct{ x0, y0, x1, y1 float64 }

func boxOf(q pix.Quad) box {
	x0, y0, x1, y1 := q.Bounds()
	return box{x0, y0, x1, y1}
}

func (b box) w() float64 { return b.x1 - b.x0 }
func (b box) h() float64 { return b.y1 - b.y0 }

// The reach of the search for a border, in widths of the face: from a little outside of the face to the far side of
// the shoulders; and up and down the line, beyond the face's own height.
const (
	nearest  = 0.1
	farthest = 0.8
	beyond   = 0.2
)

// borders returns the straightness of the straightest column to the left and to the right of the face.
func borders(g *pix.Gray, f box) (left, right float64) {
	y0, y1 := int(f.y0-beyond*f.h()), int(f.y1+beyond*f.h())
	return straightest(g, int(f.x0-farthest*f.w()), int(f.x0-nearest*f.w()), y0, y1),
		straightest(g, int(f.x1+nearest*f.w()), int(f.x1+farthest*f.w()), y0, y1)
}

// unseen stands for the straightness of a side that the page has no columns of.
const unseen = -1

func straightest(g *pix.Gray, x0, x1, y0, y1 int) float64 {
	best := float64(unseen)
	for x := max(x0, window+2); x < min(x1, g.W-window-3); x++ {
		best = math.Max(best, straightness(g, x, max(y0, 0), min(y1, g.H)))
	}
	return best
}

const (
	window  = 6 // columns on either side that a step is held against; the next one is left out, as lenses blur
	visible = 4 // levels that a step has at least
)

// straightness is the share of rows in which the step from column x to x+1 is more than twice as large as four in
// five of the steps beside it.
func straightness(g *pix.Gray, x, y0, y1 int) float64 {
	if y1 <= y0 {
		return 0
	}
	n := 0
	for y := y0; y < y1; y++ {
		row := g.Row(y)[x-window : x+window+2]
		d := diff(row, window)
		if d > visible && standsOut(row, d) {
			n++
		}
	}
	return float64(n) / float64(y1-y0)
}

func diff(row []uint8, i int) int {
	d := int(row[i+1]) - int(row[i])
	return max(d, -d)
}

func standsOut(row []uint8, d int) bool {
	larger := 0
	for k := 2; k <= window; k++ {
		for _, i := range [2]int{window + k, window - k} {
			if 2*diff(row, i) >= d {
				larger++
			}
		}
	}
	return larger <= 2
}

const (
	capped  = 12  // levels beyond which a step counts no more, so that one dark hair is no seam
	outlier = 6.0 // robust deviations by which a seam stands out among the columns of the face
	floor   = 0.15
)

// seams counts the columns through the face whose mean step, signs kept, stands out: what is not straight cancels
// itself down a column.
func seams(g *pix.Gray, f box) int {
	x0, x1 := max(int(f.x0), 8), min(int(f.x1), g.W-9)
	y0, y1 := max(int(f.y0), 0), min(int(f.y1), g.H)
	if x1-x0 < 2*window || y1-y0 < 2*window {
		return 0
	}
	mean := make([]float64, x1-x0)
	for i := range mean {
		sum := 0
		for y := y0; y < y1; y++ {
			row := g.Row(y)
			sum += min(max(int(row[x0+i+1])-int(row[x0+i]), -capped), capped)
		}
		mean[i] = float64(sum) / float64(y1-y0)
	}
	return outliers(mean)
}

// outliers counts the values that differ from the median of their neighbours by outlier times what is usual.
func outliers(v []float64) int {
	rest := make([]float64, len(v))
	for i := range v {
		near := v[max(i-window+1, 0):min(i+window, len(v))]
		rest[i] = math.Abs(v[i] - median(near))
	}
	scale := 1.48*median(rest) + floor
	n := 0
	for _, r := range rest {
		if r > outlier*scale {
			n++
		}
	}
	return n
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}
