package page

import (
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Bars returns the places on an upright page that look like a barcode: dense strokes, much stronger across the page
// than down it, over an area wider than high. Letters are as strong both ways, and lines of them have gaps between.
func Bars(page *pix.Gray) []pix.Quad {
	w, h := pix.Fit(page.W, page.H, barsView)
	g := pix.ResizeG(page, w, h)
	cols, rows := w/barsCell, h/barsCell
	barred := make([]bool, cols*rows)
	for i := range barred {
		barred[i] = isBarred(g, i%cols*barsCell, i/cols*barsCell)
	}
	var out []pix.Quad
	for _, c := range components(barred, cols, rows) {
		bw, bh := c.x1-c.x0, c.y1-c.y0
		if bw*bh < cols*rows/60 || bw < 5 || bw < bh || 10*c.n < 6*bw*bh {
			continue
		}
		q := pix.Rect(float64(c.x0*barsCell), float64(c.y0*barsCell), float64(c.x1*barsCell-1), float64(c.y1*barsCell-1))
		out = append(out, q.Scale(float64(page.W)/float64(w), float64(page.H)/float64(h)))
	}
	return out
}

const (
	barsView = 800 // long side at which bars are looked for
	barsCell = 8
	barsStep = 14 // mean difference, in levels, between neighbours across the bars
)

func isBarred(g *pix.Gray, x, y int) bool {
	across, down := 0, 0
	for r := y; r < min(y+barsCell, g.H-1); r++ {
		for c := x; c < min(x+barsCell, g.W-1); c++ {
			across += distance(g.At(c, r), g.At(c+1, r))
			down += distance(g.At(c, r), g.At(c, r+1))
		}
	}
	return across > barsStep*barsCell*barsCell && 10*across > 12*down
}

func distance(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// component is a connected set of n cells within x0 ≤ x < x1, y0 ≤ y < y1.
type component struct{ x0, y0, x1, y1, n int }

func components(on []bool, cols, rows int) []component {
	seen := make([]bool, len(on))
	var out []component
	for i := range on {
		if !on[i] || seen[i] {
			continue
		}
		c := component{cols, rows, 0, 0, 0}
		stack := []int{i}
		seen[i] = true
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			x, y := at%cols, at/cols
			c = component{min(c.x0, x), min(c.y0, y), max(c.x1, x+1), max(c.y1, y+1), c.n + 1}
			for _, d := range [4][2]int{{1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				nx, ny := x+d[0], y+d[1]
				if nx >= 0 && ny >= 0 && nx < cols && ny < rows && on[ny*cols+nx] && !seen[ny*cols+nx] {
					seen[ny*cols+nx] = true
					stack = append(stack, ny*cols+nx)
				}
			}
		}
		out = append(out, c)
	}
	return out
}
