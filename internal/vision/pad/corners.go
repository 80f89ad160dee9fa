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

// bestIn searches every second pixel of a cell.
func bestIn(g *pix.Gray, cx, cy int) corner {
	var best corner
	for y := cy; y < cy+cellSide; y += 2 {
		for x := cx; x < cx+cellSide; x += 2 {
			if v := leastEigen(g, x, y); v > best.value {
				best = corner{pix.Pt{X: float64(x), Y: float64(y)}, v}
			}
		}
	}
	return best
}

func leastEigen(g *pix.Gray, x, y int) float64 {
	var xx, xy, yy int
	for v := y - 3; v <= y+3; v++ {
		row := g.Pix[v*g.W : (v+1)*g.W]
		up, down := g.Pix[(v-1)*g.W:v*g.W], g.Pix[(v+1)*g.W:(v+2)*g.W]
		for u := x - 3; u <= x+3; u++ {
			dx, dy := int(row[u+1])-int(row[u-1]), int(down[u])-int(up[u])
			xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
		}
	}
	a, b, c := float64(xx)/196, float64(xy)/196, float64(yy)/196
	return smallerEigen(a, b, c)
}
