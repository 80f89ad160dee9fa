package face

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Floors of a picture of a face that is to be compared. Sizes follow the embedding's chip, in which the eyes are
// 54 px apart: look_test.go shrinks photographs and prints how far a face moves away from itself. The others are set so that the
// ordinary photographs of the test material pass; they are limits of use, not of beauty.
const (
	MinEyeDistance = 20.0 // pixels between the eyes
	MaxYaw         = 35.0 // degrees to either side
	MaxPitch       = 30.0
	MinFocus       = 12.0 // see Look.Focus
	MinBrightness  = 40.0 // mean luma of the face
	MaxBrightness  = 225.0
	MinContrast    = 12.0 // standard deviation of the luma of the face
	MaxClipped     = 0.35 // share of pixels that are black or white
)

// Look is what a picture of a face is like.
type Look struct {
	EyeDistance float64 // pixels of the picture
	Pose        Pose
	Focus       float64 // strength of fine detail, mean absolute Laplacian over contrast, times 100
	Brightness  float64 // mean luma, 0..255
	Contrast    float64 // standard deviation of the luma
	Clipped     float64 // share of pixels under 6 or over 249
}

// Pose is how a head is turned, in degrees: Yaw positive towards the person's left, Pitch positive looking down,
// Roll positive towards the person's right shoulder (clockwise in the picture).
type Pose struct{ Yaw, Pitch, Roll float64 }

// restPitch is the pitch that the mesh gives a face that looks straight into the camera: the chin lies behind the
// forehead in the canonical face.
const restPitch = 8

// Pose reads the turn of the head from the depth of the mesh.
func (m *Mesh) Pose() Pose {
	r, l, top, chin := m.P[RightCheek], m.P[LeftCheek], m.P[Forehead], m.P[Chin]
	eyes := m.P[LeftEyeOuter].Flat().Sub(m.P[RightEyeOuter].Flat())
	across := math.Hypot(l.X-r.X, l.Y-r.Y)
	down := math.Hypot(chin.X-top.X, chin.Y-top.Y)
	return Pose{
		Yaw:   degrees(math.Atan2(l.Z-r.Z, across)),
		Pitch: degrees(math.Atan2(chin.Z-top.Z, down)) - restPitch,
		Roll:  degrees(math.Atan2(eyes.Y, eyes.X)),
	}
}

func degrees(rad float64) float64 { return rad * 180 / math.Pi }

// lookSide is the side of the square to which the face is brought before detail and light are measured, so that
// the figures do not depend on the size of the picture.
const lookSide = 96

// Examine measures a face.
func Examine(m *pix.RGB, mesh Mesh) Look {
	l := Look{EyeDistance: mesh.EyeDistance(), Pose: mesh.Pose()}
	q := cropAgain(mesh)
	q.side /= meshMargin
	g := pix.Warp(m, q.quad(lookSide), lookSide, lookSide).Gray()
	l.light(g)
	l.Focus = 100 * detail(g) / math.Max(l.Contrast, 1)
	return l
}

// light measures inside the ellipse that the face fills.
func (l *Look) light(g *pix.Gray) {
	var n, sum, square, clipped float64
	for y := range g.H {
		for x := range g.W {
			u, v := (float64(x)+0.5)/float64(g.W)*2-1, (float64(y)+0.5)/float64(g.H)*2-1
			if u*u/0.6+v*v > 0.9 {
				continue
			}
			p := float64(g.At(x, y))
			n, sum, square = n+1, sum+p, square+p*p
			if p < 6 || p > 249 {
				clipped++
			}
		}
	}
	l.Brightness = sum / n
	l.Contrast = math.Sqrt(math.Max(0, square/n-l.Brightness*l.Brightness))
	l.Clipped = clipped / n
}

// detail is the mean absolute Laplacian of the middle of a picture.
func detail(g *pix.Gray) float64 {
	var sum, n float64
	for y := g.H / 8; y < g.H*7/8; y++ {
		for x := g.W / 8; x < g.W*7/8; x++ {
			c := int(g.At(x, y))
			sum += math.Abs(float64(4*c - int(g.At(x-1, y)) - int(g.At(x+1, y)) - int(g.At(x, y-1)) - int(g.At(x, y+1))))
			n++
		}
	}
	return sum / n
}

// Count returns how many of the faces found in one picture are persons before the camera: those that are certain
// enough and not much smaller than the largest, as in a poster behind the applicant.
func Count(found []Face) int {
	largest := 0.0
	for _, f := range found {
		largest = max(largest, f.Box.W()*f.Score)
	}
	n := 0
	for i, f := range found {
		if i == 0 || f.Score >= 0.7 && f.Box.W() > 0.35*largest {
			n++
		}
	}
	return n
}

// SizeOK tells whether the face is large enough to be compared.
func (l Look) SizeOK() bool { return l.EyeDistance >= MinEyeDistance }

// PoseOK tells whether the head is turned towards the camera.
func (l Look) PoseOK() bool {
	return math.Abs(l.Pose.Yaw) <= MaxYaw && math.Abs(l.Pose.Pitch) <= MaxPitch
}

// FocusOK tells whether fine detail is there.
func (l Look) FocusOK() bool { return l.Focus >= MinFocus }

// ExposureOK tells whether the face is neither dark nor bleached nor without contrast.
func (l Look) ExposureOK() bool {
	return l.Brightness >= MinBrightness && l.Brightness <= MaxBrightness && l.Contrast >= MinContrast && l.Clipped <= MaxClipped
}
