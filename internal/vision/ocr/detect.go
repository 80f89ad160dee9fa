package ocr

import (
	"fmt"
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Long is the default length in pixels of the longer side of the picture that the
// detector looks at: 512 loses a few fields, 960 costs twice the time.
const Long = 640

// Thresholds of PP-OCR: a pixel is text from inkAt on; a box counts from boxAt on of
// mean ink; a stain is the shrunken core of a line, grown back by unclip.
const (
	inkAt  = 0.3
	boxAt  = 0.5
	unclip = 1.6
)

// Detector finds lines of text. It is safe for concurrent use.
type Detector struct{ net *onnx.Model }

// NewDetector opens the model "text-det".
func NewDetector(set *models.Set) (*Detector, error) {
	net, err := set.Get("text-det")
	if err != nil {
		return nil, fmt.Errorf("opening text detector: %w", err)
	}
	return &Detector{net: net}, nil
}

// Lines returns the lines of text on m in pixels of m, from top to bottom.
func (d *Detector) Lines(m *pix.RGB) ([]pix.Quad, error) { return d.LinesAt(m, Long) }

// LinesAt is Lines with the longer side of the picture brought to long pixels first,
// larger or smaller.
func (d *Detector) LinesAt(m *pix.RGB, long int) ([]pix.Quad, error) {
	if m.W < 1 || m.H < 1 {
		return nil, nil
	}
	w, h := sized(m.W, m.H, long)
	out, err := d.net.Run(planar(pix.Resize(m, w, h)))
	if err != nil {
		return nil, fmt.Errorf("detecting text: %w", err)
	}
	quads := boxes(heat{w: w, h: h, p: out[0].Data})
	for i, q := range quads {
		quads[i] = q.Scale(float64(m.W)/float64(w), float64(m.H)/float64(h))
	}
	sortTopDown(quads)
	return quads, nil
}

// sized brings the longer side to about long, both sides to multiples of 32.
func sized(w, h, long int) (int, int) {
	r := float64(long) / float64(max(w, h))
	side := func(n int) int { return max(32, int(math.Round(float64(n)*r/32))*32) }
	return side(w), side(h)
}

// planar makes the tensor that PP-OCR wants: BGR planes, −1 to 1.
func planar(m *pix.RGB) onnx.Tensor {
	n := m.W * m.H
	t := onnx.Tensor{Shape: []int64{1, 3, int64(m.H), int64(m.W)}, Data: make([]float32, 3*n)}
	b, g, r := t.Data[:n], t.Data[n:2*n], t.Data[2*n:]
	for i := range n {
		r[i] = float32(m.Pix[3*i])/127.5 - 1
		g[i] = float32(m.Pix[3*i+1])/127.5 - 1
		b[i] = float32(m.Pix[3*i+2])/127.5 - 1
	}
	return t
}

func sortTopDown(quads []pix.Quad) {
	slices.SortStableFunc(quads, func(a, b pix.Quad) int {
		if a[0].Y != b[0].Y {
			return cmpFloat(a[0].Y, b[0].Y)
		}
		return cmpFloat(a[0].X, b[0].X)
	})
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
