package face

import (
	"fmt"
	"math"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	meshSide   = 192
	meshPoints = 468
	meshMargin = 1.5 // side of the crop over the longer side of the face's box
)

// Landmarks of the mesh that this project uses (numbering of the canonical face model).
const (
	Forehead       = 10
	Chin           = 152
	NoseTip        = 1
	NoseBase       = 2
	RightEyeOuter  = 33
	RightEyeInner  = 133
	LeftEyeOuter   = 263
	LeftEyeInner   = 362
	RightCheek     = 234
	LeftCheek      = 454
	RightLidTop    = 159
	RightLidBottom = 145
	LeftLidTop     = 386
	LeftLidBottom  = 374
	LipTop         = 13
	LipBottom      = 14
)

// Pt3 is a landmark: X, Y in pixels of the picture, Z in the same unit, smaller nearer to the camera, relative to
// the head's middle and estimated from a single picture.
type Pt3 struct{ X, Y, Z float64 }

// Flat drops the depth.
func (p Pt3) Flat() pix.Pt { return pix.Pt{X: p.X, Y: p.Y} }

// Mesh is the landmarks of one face.
type Mesh struct {
	P     [meshPoints]Pt3
	Score float64 // probability that the crop held a face, as the network says
}

// Mesher lays meshes over faces; it is safe for concurrent use.
type Mesher struct{ net *onnx.Model }

// NewMesher opens FaceMesh from the models directory.
func NewMesher(set *models.Set) (*Mesher, error) {
	net, err := set.Get("facemesh")
	if err != nil {
		return nil, err
	}
	return &Mesher{net: net}, nil
}

// Fit lays the mesh over a detected face. A first look places the crop by the detector's six points, a second one
// by the mesh itself, which steadies it.
func (s *Mesher) Fit(m *pix.RGB, f Face) (Mesh, error) {
	mesh, err := s.fit(m, cropOf(f))
	if err != nil || mesh.Score < 0.1 {
		return mesh, err
	}
	return s.fit(m, cropAgain(mesh))
}

// square is a turned square in a picture.
type square struct {
	c     pix.Pt
	side  float64
	angle float64 // of the line from the right to the left eye
}

func cropOf(f Face) square {
	d := f.Points[LeftEye].Sub(f.Points[RightEye])
	return square{c: f.Box.Centre(), side: meshMargin * math.Max(f.Box.W(), f.Box.H()), angle: math.Atan2(d.Y, d.X)}
}

// cropAgain is the crop that the mesh asks for: 1.5 × the box around it, in its own turned frame. The mesh ends at
// the hairline as BlazeFace's box does.
func cropAgain(m Mesh) square {
	d := m.P[LeftEyeOuter].Flat().Sub(m.P[RightEyeOuter].Flat())
	q := square{angle: math.Atan2(d.Y, d.X)}
	cos, sin := math.Cos(q.angle), math.Sin(q.angle)
	lo, hi := pix.Pt{X: math.Inf(1), Y: math.Inf(1)}, pix.Pt{X: math.Inf(-1), Y: math.Inf(-1)}
	for _, p := range m.P {
		u, v := p.X*cos+p.Y*sin, p.Y*cos-p.X*sin
		lo.X, lo.Y = math.Min(lo.X, u), math.Min(lo.Y, v)
		hi.X, hi.Y = math.Max(hi.X, u), math.Max(hi.Y, v)
	}
	u, v := (lo.X+hi.X)/2, (lo.Y+hi.Y)/2
	q.c = pix.Pt{X: u*cos - v*sin, Y: u*sin + v*cos}
	q.side = meshMargin * math.Max(hi.X-lo.X, hi.Y-lo.Y)
	return q
}

// at maps a point of the crop, 0..1 along both sides, to the picture.
func (q square) at(u, v float64) pix.Pt {
	cos, sin := math.Cos(q.angle), math.Sin(q.angle)
	x, y := (u-0.5)*q.side, (v-0.5)*q.side
	return pix.Pt{X: q.c.X + x*cos - y*sin, Y: q.c.Y + x*sin + y*cos}
}

func (q square) quad(n int) pix.Quad {
	lo, hi := 0.5/float64(n), 1-0.5/float64(n)
	return pix.Quad{q.at(lo, lo), q.at(hi, lo), q.at(hi, hi), q.at(lo, hi)}
}

func (s *Mesher) fit(m *pix.RGB, q square) (Mesh, error) {
	crop := pix.Warp(m, q.quad(meshSide), meshSide, meshSide)
	out, err := s.net.Run(onnx.Tensor{Shape: []int64{1, meshSide, meshSide, 3}, Data: unit(crop)})
	if err != nil {
		return Mesh{}, fmt.Errorf("fitting face mesh: %w", err)
	}
	points, score := sized(out, 3*meshPoints), sized(out, 1)
	if points == nil || score == nil {
		return Mesh{}, fmt.Errorf("fitting face mesh: the network's outputs are not %d landmarks and a score", meshPoints)
	}
	mesh := Mesh{Score: float64(score[0])}
	for i := range mesh.P {
		p := q.at(float64(points[3*i])/meshSide, float64(points[3*i+1])/meshSide)
		mesh.P[i] = Pt3{p.X, p.Y, float64(points[3*i+2]) * q.side / meshSide}
	}
	return mesh, nil
}

// unit is the pixels as 0..1.
func unit(m *pix.RGB) []float32 {
	data := make([]float32, len(m.Pix))
	for i, v := range m.Pix {
		data[i] = float32(v) / 255
	}
	return data
}

// EyeDistance returns the distance between the centres of the eyes in pixels, the usual measure of a face's size.
func (m *Mesh) EyeDistance() float64 {
	return m.eye(LeftEyeOuter, LeftEyeInner).Dist(m.eye(RightEyeOuter, RightEyeInner))
}

func (m *Mesh) eye(a, b int) pix.Pt { return m.P[a].Flat().Add(m.P[b].Flat()).Mul(0.5) }

// Box returns the upright box around the mesh.
func (m *Mesh) Box() Box {
	b := Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range m.P {
		b.X0, b.Y0 = math.Min(b.X0, p.X), math.Min(b.Y0, p.Y)
		b.X1, b.Y1 = math.Max(b.X1, p.X), math.Max(b.Y1, p.Y)
	}
	return b
}

// Floats returns the landmarks as x,y,z,x,y,z,…, the form in which they travel between services.
func (m *Mesh) Floats() []float32 {
	out := make([]float32, 0, 3*meshPoints)
	for _, p := range m.P {
		out = append(out, float32(p.X), float32(p.Y), float32(p.Z))
	}
	return out
}

// MeshFrom is the inverse of Floats, with a score of 1: only meshes that hold a face travel. It is false where xyz is
// no mesh.
func MeshFrom(xyz []float32) (m Mesh, ok bool) {
	if len(xyz) != 3*meshPoints {
		return m, false
	}
	for i := range m.P {
		m.P[i] = Pt3{float64(xyz[3*i]), float64(xyz[3*i+1]), float64(xyz[3*i+2])}
	}
	m.Score = 1
	return m, true
}
