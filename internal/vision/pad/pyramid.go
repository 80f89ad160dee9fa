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

// sample is the bilinear value at x, y, which must lie one pixel inside the picture.
func sample(g *pix.Gray, x, y float32) float32 {
	xi, yi := int(x), int(y)
	fx, fy := x-float32(xi), y-float32(yi)
	i := yi*g.W + xi
	a, b, c, d := float32(g.Pix[i]), float32(g.Pix[i+1]), float32(g.Pix[i+g.W]), float32(g.Pix[i+g.W+1])
	return a + (b-a)*fx + (c-a)*fy + (a-b-c+d)*fx*fy
}

// inside tells whether a window of half side r around x, y can be sampled with its gradients.
func inside(g *pix.Gray, x, y float32, r int) bool {
	m := float32(r + 2)
	return x >= m && y >= m && x < float32(g.W)-m && y < float32(g.H)-m
}
