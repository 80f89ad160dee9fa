// Package quality measures whether a picture of a document is good enough to be read.
//
// Each measure is one number with one threshold, and says nothing about the others: a sharp picture may be dark.
// The thresholds come from degrading good pictures step by step until reading suffers (see the tests), not from
// single bad ones; a good ordinary picture must pass them all. The page is what package page rectified; where it
// was not located it is the whole picture.
package quality

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Measure is one raw score with the threshold that it was held against.
type Measure struct {
	Raw       float64
	Threshold float64
	OK        bool
}

func under(raw, threshold float64) Measure { return Measure{raw, threshold, raw <= threshold} }

func over(raw, threshold float64) Measure { return Measure{raw, threshold, raw >= threshold} }

// The thresholds.
const (
	MaxBlur        = 0.38 // Blur; the good pictures of A1 have 0.10 to 0.30, blurred to a third of their detail 0.32 to 0.54
	MaxGlare       = 0.03 // share of the page
	MinLight       = 80   // luma, 0 to 255, that the brightest twentieth of the page reaches
	MaxDark        = 150  // luma that the darkest fiftieth of the page stays under
	MinResolution  = 400  // pixels of the upload along the page's long side
	MaxPerspective = 1.35 // how much longer a side is than the one across from it
	MaxCutLines    = 1    // lines of text that end at one border of the picture
)

// view is the long side at which light and blur are measured: the size at which text is looked for.
const view = 700

// Focus measures the blur of the page as a reader of it meets it.
func Focus(page *pix.Gray) Measure { return under(Blur(reduce(page)), MaxBlur) }

// Blur is the measure of Crete et al. (The Blur Effect, 2007): the share of the differences between neighbours that
// a further blur leaves in place; 0 is sharp, 1 a picture that cannot get any softer. Of the two directions
// the blurrier one counts, because a moving hand blurs in one.
func Blur(g *pix.Gray) float64 {
	return math.Max(blurAlong(g), blurAlong(g.Rotate90(1)))
}

// blurAlong compares each row with itself after a mean over 9 pixels.
func blurAlong(g *pix.Gray) float64 {
	const reach = 4
	var all, kept float64
	for y := range g.H {
		row := g.Row(y)
		if len(row) <= 2*reach+1 {
			return 1
		}
		sum := 0
		for _, v := range row[:2*reach+1] {
			sum += int(v)
		}
		for x := reach + 1; x < len(row)-reach; x++ {
			added, gone := int(row[x+reach]), int(row[x-reach-1])
			sharp := math.Abs(float64(row[x]) - float64(row[x-1]))
			soft := math.Abs(float64(added-gone)) / (2*reach + 1)
			sum += added - gone
			if sharp < noise {
				continue
			}
			all += sharp
			kept += math.Min(sharp, soft)
		}
	}
	if all == 0 {
		return 1
	}
	return kept / all
}

// noise is the difference between neighbours, in levels, that says nothing about focus.
const noise = 4

// Glare measures how much of the page a reflection has burnt out. A page whose own paper is as white as a
// reflection cannot be judged: ok is false.
func Glare(page *pix.RGB) (m Measure, ok bool) {
	w, h := pix.Fit(page.W, page.H, view)
	small := pix.Resize(page, w, h)
	if percentile(small.Gray(), 0.5) >= white {
		return Measure{}, false
	}
	return under(burnt(small), MaxGlare), true
}

const (
	white  = 240 // luma of the median pixel from which the paper itself is white
	clip   = 250 // level from which a channel is burnt out
	bright = 150 // level that the fringe of a reflection keeps, letters and all
	cell   = 10  // side in pixels of view of the squares that are burnt out as a whole or not
)

// burnt is the share of the squares in which all three channels are burnt out all over: letters on white paper leave
// their strokes, a reflection leaves nothing. White print has hard borders and a reflection has soft ones, so where
// fewer than half of the squares round the burnt ones are still bright, it is print.
func burnt(m *pix.RGB) float64 {
	w, h := m.W/cell, m.H/cell
	if w == 0 || h == 0 {
		return 0
	}
	darkest := make([]uint8, w*h)
	for i := range darkest {
		darkest[i] = darkestOf(m, i%w*cell, i/w*cell)
	}
	gone, round, soft := 0, 0, 0
	for i, v := range darkest {
		if v >= clip {
			gone++
		} else if besideBurnt(darkest, w, h, i) {
			round++
			if v >= bright {
				soft++
			}
		}
	}
	if 2*soft < round {
		return 0
	}
	return float64(gone) / float64(w*h)
}

func darkestOf(m *pix.RGB, x, y int) uint8 {
	least := uint8(255)
	for r := y; r < y+cell; r++ {
		least = min(least, slices.Min(m.Row(r)[3*x:3*(x+cell)]))
	}
	return least
}

func besideBurnt(darkest []uint8, w, h, i int) bool {
	x, y := i%w, i/w
	return x > 0 && darkest[i-1] >= clip || x+1 < w && darkest[i+1] >= clip ||
		y > 0 && darkest[i-w] >= clip || y+1 < h && darkest[i+w] >= clip
}

// Dark measures how bright the bright parts of the page are.
func Dark(page *pix.Gray) Measure {
	return over(percentile(reduce(page), 0.95), MinLight)
}

// Bright measures how dark the dark parts of the page are: without any, ink has been washed out.
func Bright(page *pix.Gray) Measure {
	return under(percentile(reduce(page), 0.02), MaxDark)
}

// Resolution measures how many pixels of the upload the long side of the page has.
func Resolution(q pix.Quad) Measure {
	w, h := q.Size()
	return over(math.Max(w, h), MinResolution)
}

// Perspective measures how much longer one side of the document is than the one across from it.
func Perspective(q pix.Quad) Measure {
	ratio := func(a, b float64) float64 { return math.Max(a, b) / math.Max(math.Min(a, b), 1) }
	return under(math.Max(ratio(q[0].Dist(q[1]), q[3].Dist(q[2])), ratio(q[0].Dist(q[3]), q[1].Dist(q[2]))), MaxPerspective)
}

// CutOff counts the lines of text, given in pixels of a w × h picture, that run into the same border of it.
func CutOff(lines []pix.Quad, w, h int) Measure {
	near := 0.004 * float64(max(w, h))
	var touch [4]int
	for _, q := range lines {
		lw, lh := q.Size()
		x0, y0, x1, y1 := q.Bounds()
		along, down := lw >= lh, lh > lw
		for side, hit := range []bool{along && x0 <= near, along && x1 >= float64(w-1)-near, down && y0 <= near, down && y1 >= float64(h-1)-near} {
			if hit {
				touch[side]++
			}
		}
	}
	return under(float64(slices.Max(touch[:])), MaxCutLines)
}

func reduce(g *pix.Gray) *pix.Gray {
	w, h := pix.Fit(g.W, g.H, view)
	return pix.ResizeG(g, w, h)
}

// percentile is the level that the share p of the pixels does not exceed.
func percentile(g *pix.Gray, p float64) float64 {
	var hist [256]int
	for _, v := range g.Pix {
		hist[v]++
	}
	left := int(p * float64(len(g.Pix)))
	for v, n := range hist {
		if left -= n; left < 0 {
			return float64(v)
		}
	}
	return 255
}
