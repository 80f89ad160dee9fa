package liveness

import (
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/pad"
)

// Names of the detectors.
const (
	planarity = "planarity"
	repeats   = "frame_repeat"
)

// answer is one finding before it is put into an event.
type answer struct {
	check          string
	outcome        envelopev1.Outcome
	reason         string
	by             string
	measured       bool
	raw, threshold float64
}

// decide answers every check that is built.
func decide(e pad.Evidence, still bool) []answer {
	return []answer{passive(e, still), repeat(e, still)}
}

// passive never passes. The score is how far the landmarks bend, in eye distances, against the bend from which a face
// has depth.
func passive(e pad.Evidence, still bool) answer {
	a := answer{check: "face.pad.passive", by: planarity, outcome: stream.Inconclusive}
	if still {
		a.reason = string(pad.Still) // nothing was shown to move, by intent or not
		return a
	}
	sign := e.Sign()
	a.measured = sign != pad.NoFace
	a.raw, a.threshold = e.MeshBend, pad.LiveBend
	switch sign {
	case pad.Flat, pad.Still:
		a.outcome, a.reason = stream.Fail, string(sign)
	case pad.Bent:
		a.reason = "untested"
	default:
		a.reason = string(sign)
	}
	return a
}

// Repeated frames: a camera's noise makes no two frames the same, and the decoder gives each coded frame once.
const (
	failRepeats = 3       // frames
	failShare   = 1.0 / 5 // of all
	leastFrames = 3       // fewer tell nothing
)

// repeat passes where no frame was seen twice: that is all it claims.
func repeat(e pad.Evidence, still bool) answer {
	a := answer{check: "face.challenge.frame_repeat", by: repeats}
	switch {
	case still:
		a.outcome, a.reason = stream.NotApplicable, "still_picture"
		return a
	case e.Faces == 0:
		a.outcome, a.reason = stream.Inconclusive, "no_face"
		return a
	case e.Frames < leastFrames:
		a.outcome, a.reason = stream.Inconclusive, "too_few_frames"
		return a
	case e.Repeats >= failRepeats && float64(e.Repeats) >= failShare*float64(e.Frames):
		a.outcome, a.reason = stream.Fail, "frames_repeat"
	case e.Repeats > 0:
		a.outcome, a.reason = stream.Inconclusive, "some_frames_repeat"
	default:
		a.outcome = stream.Pass
	}
	a.measured, a.raw, a.threshold = true, float64(e.Repeats), failRepeats
	return a
}
