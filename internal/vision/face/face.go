// Package face finds faces, lays a mesh of landmarks over them, describes them by an embedding, and measures
// whether a picture of a face is good enough to be compared.
//
// The steps are four, each a small network or plain geometry:
//
//	Detector  picture          → boxes with six coarse points (BlazeFace, 256 px)
//	Mesher    picture, Face    → 468 landmarks with depth (FaceMesh)
//	Embedder  picture, Mesh    → 128 numbers that are close for the same person (dlib's ResNet-29)
//	Look      picture, Mesh    → size, pose, focus, exposure
//
// Left and right are the person's own, as in the anatomy of the models' papers: the right eye is on the left side
// of a picture that is not mirrored. Nothing here decides anything; thresholds with their origin stand in match.go
// and look.go, and the services apply them.
package face

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Indices of Face.Points.
const (
	RightEye = iota
	LeftEye
	Nose
	Mouth
	RightEar
	LeftEar
)

// Face is one detection, in pixels of the picture that was searched.
type Face struct {
	Box    Box
	Score  float64 // the network's own confidence, 0..1; not calibrated
	Points [6]pix.Pt
}

// Box is an upright rectangle between two corners, in pixels.
type Box struct{ X0, Y0, X1, Y1 float64 }

// W returns the width of b.
func (b Box) W() float64 { return b.X1 - b.X0 }

// H returns the height of b.
func (b Box) H() float64 { return b.Y1 - b.Y0 }

// Centre returns the middle of b.
func (b Box) Centre() pix.Pt { return pix.Pt{X: (b.X0 + b.X1) / 2, Y: (b.Y0 + b.Y1) / 2} }

// Quad returns the corners of b clockwise from the top-left one.
func (b Box) Quad() pix.Quad { return pix.Rect(b.X0, b.Y0, b.X1, b.Y1) }

// Overlap returns the intersection of b and c over their union, 0..1.
func (b Box) Overlap(c Box) float64 {
	w := math.Min(b.X1, c.X1) - math.Max(b.X0, c.X0)
	h := math.Min(b.Y1, c.Y1) - math.Max(b.Y0, c.Y0)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (b.W()*b.H() + c.W()*c.H() - w*h)
}

func (b Box) holds(p pix.Pt) bool { return p.X > b.X0 && p.X < b.X1 && p.Y > b.Y0 && p.Y < b.Y1 }

// moved returns f after every point went through g, which must keep upright rectangles upright.
func (f Face) moved(g func(pix.Pt) pix.Pt) Face {
	a, b := g(pix.Pt{X: f.Box.X0, Y: f.Box.Y0}), g(pix.Pt{X: f.Box.X1, Y: f.Box.Y1})
	f.Box = Box{math.Min(a.X, b.X), math.Min(a.Y, b.Y), math.Max(a.X, b.X), math.Max(a.Y, b.Y)}
	for i, p := range f.Points {
		f.Points[i] = g(p)
	}
	return f
}
