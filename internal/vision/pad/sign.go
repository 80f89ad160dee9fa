package pad

import "time"

// Sign is what the evidence of a video amounts to.
type Sign string

const (
	Flat   Sign = "flat_presentation"  // moved, and moved as one plane
	Still  Sign = "still_presentation" // nothing moved although there was time for it
	Bent   Sign = "bent"               // the face turned as something with depth does; no sign of life beyond that
	NoTurn Sign = "no_head_turn"       // the head was not turned enough to tell
	NoFace Sign = "no_face"            // not enough frames with a face
)

// Limits of the rule, in eye distances where not said otherwise. They were set between two groups: photographs of
// the test material, warped as if panned over or turned in the hand by 28° (landmarks bend by 0.004–0.033, corners
// by 0.001–0.010), and the only recorded head turn at hand (landmarks 0.26). pad_test.go repeats this. Between the
// groups nothing is known, so nothing is said.
const (
	FlatBend   = 0.045 // landmarks that bend more are no picture
	LiveBend   = 0.08  // landmarks that bend more have depth
	LiveYaw    = 15.0  // degrees of turn that go with it
	TiltChange = 0.03  // corners must change so much for a tilt to be seen
	TiltRest   = 0.2   // and a homography must leave less than this share of it
	PanMotion  = 0.15  // a pan must move the face so far
	PanApart   = 0.015 // with the face this close to the homography of its surroundings
	StillMove  = 0.006 // a person moves more than this within StillSpan
	StillSpan  = 1500 * time.Millisecond
	LeastFaces = 5 // frames
	LeastPairs = 6 // comparisons of frames
)

// Sign applies the rule. A picture that was not recorded as a video is for the caller to tell.
func (e Evidence) Sign() Sign {
	switch {
	case e.Faces < LeastFaces:
		return NoFace
	case e.MeshBend > LiveBend && e.YawSpan >= LiveYaw:
		return Bent
	case e.MeshBend > FlatBend:
		return NoTurn
	case e.still():
		return Still
	case e.tilted(), e.panned():
		return Flat
	}
	return NoTurn
}

// tilted: the corners of the face changed as only a turn in space does, and one homography explains it.
func (e Evidence) tilted() bool {
	return e.Compared >= LeastPairs && e.Change >= TiltChange && e.Bend <= TiltRest*e.Change
}

// panned: the face moved far, and everything around it moved along. A camera that moves before a living person
// shifts the face against its background, and the person does not hold still to half a millimetre.
func (e Evidence) panned() bool {
	return e.Together >= LeastPairs && e.Motion >= PanMotion && e.Apart <= PanApart
}

// still: neither corners nor landmarks moved.
func (e Evidence) still() bool {
	return e.Span >= StillSpan && e.Compared >= LeastPairs && e.Together >= LeastPairs && e.Motion <= StillMove && e.MeshBend <= 0.01
}
