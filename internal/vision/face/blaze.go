package face

import (
	"fmt"
	"math"
	"sort"

	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	blazeSide    = 256
	minScore     = 0.5 // below it a detection is dropped (BlazeFace's own default)
	sameFace     = 0.3 // overlap from which two detections are one face
	blazeNumbers = 16  // per anchor: centre, size, six points
)

// layer is one grid of anchors of BlazeFace 256: cells² cells with several anchors at each centre.
type layer struct{ cells, anchors int }

var layers = []layer{{16, 2}, {8, 6}}

// view is a part of a picture placed on the network's square: input = (p + offset) · scale.
type view struct {
	scale, dx, dy float64
}

func (v view) back(p pix.Pt) pix.Pt {
	return pix.Pt{X: (p.X-v.dx)/v.scale - 0.5 + 0.5/v.scale, Y: (p.Y-v.dy)/v.scale - 0.5 + 0.5/v.scale}
}

// letterbox draws m in the middle of the network's square so that its long side takes share of it (0..1); around
// it is mid grey, which is 0 to the network.
func letterbox(m *pix.RGB, share float64) ([]float32, view) {
	scale := blazeSide * share / float64(max(m.W, m.H))
	w, h := max(1, int(math.Round(float64(m.W)*scale))), max(1, int(math.Round(float64(m.H)*scale)))
	small := pix.Resize(m, w, h)
	x0, y0 := (blazeSide-w)/2, (blazeSide-h)/2
	data := make([]float32, 3*blazeSide*blazeSide)
	for y := range h {
		to := data[3*((y0+y)*blazeSide+x0):]
		for i, v := range small.Row(y) {
			to[i] = (float32(v) - 127.5) / 127.5
		}
	}
	return data, view{scale: scale, dx: float64(x0), dy: float64(y0)}
}

// blaze runs the network on one input and returns the faces in pixels of the network's square.
func blaze(net *onnx.Model, data []float32) ([]Face, error) {
	out, err := net.Run(onnx.Tensor{Shape: []int64{1, blazeSide, blazeSide, 3}, Data: data})
	if err != nil {
		return nil, fmt.Errorf("finding faces: %w", err)
	}
	var found []Face
	for _, l := range layers {
		n := l.cells * l.cells * l.anchors
		scores, boxes := sized(out, n), sized(out, n*blazeNumbers)
		if scores == nil || boxes == nil {
			return nil, fmt.Errorf("finding faces: the network has no outputs of %d anchors", n)
		}
		found = append(found, l.decode(scores, boxes)...)
	}
	return strongest(found), nil
}

// sized returns the output with n values; the layers differ in size, so the order of outputs does not matter.
func sized(out []onnx.Tensor, n int) []float32 {
	for _, t := range out {
		if len(t.Data) == n {
			return t.Data
		}
	}
	return nil
}

// decode turns the numbers of one layer into faces.
func (l layer) decode(scores, boxes []float32) []Face {
	var found []Face
	stride := blazeSide / float64(l.cells)
	for i, s := range scores {
		score := 1 / (1 + math.Exp(-float64(s)))
		if score < minScore {
			continue
		}
		cell := i / l.anchors
		cx, cy := (float64(cell%l.cells)+0.5)*stride, (float64(cell/l.cells)+0.5)*stride
		r := boxes[i*blazeNumbers : (i+1)*blazeNumbers]
		x, y, w, h := cx+float64(r[0]), cy+float64(r[1]), float64(r[2]), float64(r[3])
		f := Face{Score: score, Box: Box{x - w/2, y - h/2, x + w/2, y + h/2}}
		for k := range f.Points {
			f.Points[k] = pix.Pt{X: cx + float64(r[4+2*k]), Y: cy + float64(r[5+2*k])}
		}
		found = append(found, f)
	}
	return found
}

// strongest keeps the best of every group of overlapping detections, best first.
func strongest(all []Face) []Face {
	sort.SliceStable(all, func(i, j int) bool { return all[i].Score > all[j].Score })
	var kept []Face
next:
	for _, f := range all {
		for _, k := range kept {
			if f.Box.Overlap(k.Box) > sameFace || nested(f.Box, k.Box) {
				continue next
			}
		}
		kept = append(kept, f)
	}
	return kept
}

// nested tells whether the middle of one box lies in the other: the same face seen twice. The boxes end at the
// hairline and the chin, so that even cheek to cheek two faces do not share their middles.
func nested(a, b Box) bool { return a.holds(b.Centre()) || b.holds(a.Centre()) }
