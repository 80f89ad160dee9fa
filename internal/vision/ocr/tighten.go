package ocr

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Tighten works on a strip of this many rows, of which a margin on each side lies
// outside the given quadrilateral.
const (
	tightRows  = 64
	tightGrow  = 0.3  // of the quadrilateral's height, above and below
	tightFill  = 0.66 // share of the result's height that the strokes take
	tightBlock = 16   // blocks of columns that are shifted to find the skew
)

// Tighten returns the quadrilateral around the one line of text that runs through the
// middle of q: levelled, with margins above and below of a fixed share of the strokes'
// height, and the empty ends cut off. A net that was trained on one margin needs it;
// boxes come with any.
func Tighten(g *pix.Gray, q pix.Quad) pix.Quad {
	w, h := q.Size()
	if w < 2 || h < 2 {
		return q
	}
	wide := min(2048, max(tightBlock*4, int(w/h*tightRows/(1+2*tightGrow))))
	big := q.Grow(0.2*h, tightGrow*h)
	e := edges(pix.WarpG(g, big, wide, tightRows))
	skew := e.skew()
	top, bottom := e.rows(skew)
	left, right := e.columns(skew, top, bottom)
	return cutout(big, wide, skew, frameOf{top, bottom, left, right})
}

// edgeMap holds the strength of vertical strokes at each pixel of a strip.
type edgeMap struct {
	w, h int
	v    []float64
}

func edges(g *pix.Gray) edgeMap {
	e := edgeMap{g.W, g.H, make([]float64, g.W*g.H)}
	for y := range g.H {
		for x := 1; x < g.W-1; x++ {
			e.v[y*g.W+x] = math.Abs(float64(g.Pix[y*g.W+x+1]) - float64(g.Pix[y*g.W+x-1]))
		}
	}
	return e
}

// blocks sums the rows of each block of columns.
func (e edgeMap) blocks() [tightBlock][]float64 {
	var out [tightBlock][]float64
	for b := range out {
		x0, x1 := b*e.w/tightBlock, (b+1)*e.w/tightBlock
		out[b] = make([]float64, e.h)
		for y := range e.h {
			for _, v := range e.v[y*e.w+x0 : y*e.w+x1] {
				out[b][y] += v
			}
		}
	}
	return out
}

// skew returns by how many rows the line falls from the left end to the right, as the
// shift that makes the sum of the rows most uneven.
func (e edgeMap) skew() float64 {
	best, most := 0.0, -1.0
	blocks := e.blocks()
	for s := -24.0; s <= 24; s += 1.5 {
		sum := 0.0
		for _, v := range profile(blocks, s) {
			sum += v * v
		}
		// A level line is preferred where nothing speaks against it.
		if sum *= 1 - math.Abs(s)*0.002; sum > most {
			best, most = s, sum
		}
	}
	return best
}

// profile sums the rows of a strip sheared by skew.
func profile(blocks [tightBlock][]float64, skew float64) []float64 {
	h := len(blocks[0])
	p := make([]float64, h)
	for b, rows := range blocks {
		dy := int(math.Round(skew * ((float64(b)+0.5)/tightBlock - 0.5)))
		for y := max(0, -dy); y < min(h, h-dy); y++ {
			p[y] += rows[y+dy]
		}
	}
	return p
}

// rows returns the first and last row of the line nearest the middle.
func (e edgeMap) rows(skew float64) (top, bottom float64) {
	p := profile(e.blocks(), skew)
	mid := e.h / 2
	peak := mid
	for y := mid - e.h/5; y <= mid+e.h/5; y++ {
		if p[y] > p[peak] {
			peak = y
		}
	}
	floor := slices.Min(p)
	cut := floor + 0.3*(p[peak]-floor)
	t, b := peak, peak
	for t > 0 && p[t-1] > cut {
		t--
	}
	for b < e.h-1 && p[b+1] > cut {
		b++
	}
	return float64(t), float64(b)
}

// columns returns the first and last column that hold strokes between the rows.
func (e edgeMap) columns(skew, top, bottom float64) (left, right float64) {
	sum := make([]float64, e.w)
	for x := range e.w {
		dy := skew * (float64(x)/float64(e.w) - 0.5)
		for y := max(0, int(top+dy)); y <= min(e.h-1, int(bottom+dy)); y++ {
			sum[x] += e.v[y*e.w+x]
		}
	}
	wide := smooth(sum, int(bottom-top))
	sorted := slices.Sorted(slices.Values(wide))
	cut := 0.1 * sorted[len(sorted)/2]
	l, r := 0, e.w-1
	for l < r && wide[l] < cut {
		l++
	}
	for r > l && wide[r] < cut {
		r--
	}
	half := float64(bottom-top) / 2
	return math.Max(0, float64(l)-half*0.4), math.Min(float64(e.w-1), float64(r)+half*0.4)
}

// smooth returns the mean of the n values around each.
func smooth(v []float64, n int) []float64 {
	out := make([]float64, len(v))
	sum, from, to := 0.0, 0, 0
	for i := range v {
		for ; to < min(len(v), i+n/2+1); to++ {
			sum += v[to]
		}
		for ; from < i-n/2; from++ {
			sum -= v[from]
		}
		out[i] = sum / float64(to-from)
	}
	return out
}

type frameOf struct{ top, bottom, left, right float64 }

// cutout maps a frame of the strip back into the picture.
func cutout(big pix.Quad, wide int, skew float64, f frameOf) pix.Quad {
	margin := (f.bottom - f.top + 1) * (1/tightFill - 1) / 2
	at := func(x, y float64) pix.Pt {
		y += skew * (x/float64(wide) - 0.5)
		u, v := x/float64(wide-1), y/float64(tightRows-1)
		top := big[0].Mul(1 - u).Add(big[1].Mul(u))
		bottom := big[3].Mul(1 - u).Add(big[2].Mul(u))
		return top.Mul(1 - v).Add(bottom.Mul(v))
	}
	t, b := f.top-margin, f.bottom+margin
	return pix.Quad{at(f.left, t), at(f.right, t), at(f.right, b), at(f.left, b)}
}
