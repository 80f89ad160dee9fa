package pad

import (
	"sort"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	cellSide  = 16  // one corner a cell of so many pixels, so that they spread
	minCorner = 8.0 // least eigenvalue of the mean gradient matrix, in grey levels squared
)

// corner is a point that can be followed in both directions.
type corner struct {
	p     pix.Pt
	value float64
}

// corners returns the points of g that are best to follow, one a cell, best first: the smaller eigenvalue of the
// gradient matrix over 7 × 7 pixels (Shi and Tomasi, 1994).
func corners(g *pix.Gray) []corner {
	var all []corner
	for cy := 8; cy+cellSide+8 <= g.H; cy += cellSide {
		for cx := 8; cx+cellSide+8 <= g.W; cx += cellSide {
			if c := bestIn(g, cx, cy); c.value >= minCorner {
				all = append(all, c)
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].value > all[j].value })
	return all
}

const (
	cornerStep = 2 // every second pixel of a cell is tried
	reach      = 3 // pixels of the sum's square on either side of its middle
	region     = cellSide - cornerStep + 1 + 2*reach
)

// products of the gradients, summed over some pixels.
type products struct{ xx, xy, yy int32 }

func (p *products) add(q products) { p.xx, p.xy, p.yy = p.xx+q.xx, p.xy+q.xy, p.yy+q.yy }

// bestIn searches a cell: sums over seven pixels along each row first, then over seven of these down.
func bestIn(g *pix.Gray, cx, cy int) corner {
	const tries = cellSide / cornerStep
	var rows [region][tries]products
	for r := range rows {
		var line [region]products
		gradients(line[:], g, cx-reach, cy-reach+r)
		for i := range rows[r] {
			for _, p := range line[i*cornerStep:][:2*reach+1] {
				rows[r][i].add(p)
			}
		}
	}
	var best corner
	for k := range tries {
		for i := range tries {
			var sum products
			for r := range 2*reach + 1 {
				sum.add(rows[k*cornerStep+r][i])
			}
			if v := sum.leastEigen(); v > best.value {
				best = corner{pix.Pt{X: float64(cx + i*cornerStep), Y: float64(cy + k*cornerStep)}, v}
			}
		}
	}
	return best
}

// gradients fills line with the products at the pixels from x on.
func gradients(line []products, g *pix.Gray, x, y int) {
	at := y*g.W + x
	row, up, down := g.Pix[at-1:][:len(line)+2], g.Pix[at-g.W:][:len(line)], g.Pix[at+g.W:][:len(line)]
	for i := range line {
		dx, dy := int32(row[i+2])-int32(row[i]), int32(down[i])-int32(up[i])
		line[i] = products{dx * dx, dx * dy, dy * dy}
	}
}

func (p products) leastEigen() float64 {
	const area = 4 * (2*reach + 1) * (2*reach + 1) // the gradients are doubled
	return smallerEigen(float64(p.xx)/area, float64(p.xy)/area, float64(p.yy)/area)
}
