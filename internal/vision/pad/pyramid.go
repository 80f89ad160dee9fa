package pad

import "github.com/bonafide-id/bonafide/internal/vision/pix"

const levels = 4

// pyramid is a picture at full size, half, a quarter and an eighth.
type pyramid [levels]*pix.Gray

func newPyramid(g *pix.Gray) pyramid {
	p := pyramid{g}
	for i := 1; i < levels; i++ {
		p[i] = pix.ResizeG(p[i-1], max(1, p[i-1].W/2), max(1, p[i-1].H/2))
	}
	return p
}

// sampleSquare fills out, a square of side pixels row by row, with the bilinear values around x, y: all of them share one
// fraction of a pixel. The square must lie one pixel inside the picture.
func sampleSquare(out []float32, side int, g *pix.Gray, x, y float32) {
	xi, yi := int(x), int(y)
	fx, fy := x-float32(xi), y-float32(yi)
	from := (yi-side/2)*g.W + xi - side/2
	for v := range side {
		row := out[v*side : (v+1)*side]
		up, down := g.Pix[from+v*g.W:][:side+1], g.Pix[from+(v+1)*g.W:][:side+1]
		left := blend(up[0], down[0], fy)
		for u := range row {
			right := blend(up[u+1], down[u+1], fy)
			row[u] = left + (right-left)*fx
			left = right
		}
	}
}

func blend(a, b uint8, f float32) float32 {
	v := float32(a)
	return v + (float32(b)-v)*f
}

// inside tells whether a window of half side r around x, y can be sampled with its gradients.
func inside(g *pix.Gray, x, y float32, r int) bool {
	m := float32(r + 2)
	return x >= m && y >= m && x < float32(g.W)-m && y < float32(g.H)-m
}
