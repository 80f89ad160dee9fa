package page

import (
	"fmt"
	"math"

	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// The corner net sees the picture stretched to side × side and answers on a grid of cells × cells.
const (
	side  = 192
	cells = 48
)

// Corners is the net that finds the corners of a document: a 105,000-parameter heat-map net of our own.
type Corners struct{ model *onnx.Model }

// NewCorners wraps the model "corners".
func NewCorners(m *onnx.Model) *Corners { return &Corners{m} }

// maps is what the net says: for each cell of the grid, how likely it holds each corner, clockwise from top-left.
// Its fifth map, the document's area, is not used.
type maps struct {
	corner [4][]float64
}

// heat runs the net on m.
func (c *Corners) heat(m *pix.RGB) (maps, error) {
	out, err := c.model.Run(onnx.Tensor{Shape: []int64{1, 3, side, side}, Data: input(pix.Resize(m, side, side))})
	if err != nil {
		return maps{}, fmt.Errorf("running the corner net: %w", err)
	}
	if len(out) == 0 || len(out[0].Data) != 5*cells*cells {
		return maps{}, fmt.Errorf("the corner net answered in another shape than 5×%d×%d", cells, cells)
	}
	var h maps
	for i := range h.corner {
		p := make([]float64, cells*cells)
		for k, v := range out[0].Data[i*cells*cells : (i+1)*cells*cells] {
			p[k] = 1 / (1 + math.Exp(-float64(v)))
		}
		h.corner[i] = p
	}
	return h, nil
}

// input is blue, green, red planes of x/127.5−1.
func input(m *pix.RGB) []float32 {
	x := make([]float32, 3*side*side)
	for i := range side * side {
		for c := range 3 {
			x[(2-c)*side*side+i] = float32(m.Pix[3*i+c])/127.5 - 1
		}
	}
	return x
}

// peak returns the mean position of the 5 × 5 cells round the strongest one of a map, weighted by strength, in pixels
// of a w × h picture. How strong it is says little: see the package comment.
func peak(p []float64, w, h int) pix.Pt {
	best := 0
	for i, v := range p {
		if v > p[best] {
			best = i
		}
	}
	bx, by := best%cells, best/cells
	var sx, sy, sum float64
	for y := max(by-2, 0); y <= min(by+2, cells-1); y++ {
		for x := max(bx-2, 0); x <= min(bx+2, cells-1); x++ {
			v := p[y*cells+x]
			sx, sy, sum = sx+v*float64(x), sy+v*float64(y), sum+v
		}
	}
	return pix.Quad{{X: sx / sum, Y: sy / sum}}.Scale(float64(w)/cells, float64(h)/cells)[0]
}
