package face

import (
	"slices"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
)

// answer is one finding before it is put into an event.
type answer struct {
	check          string
	outcome        envelopev1.Outcome
	reason         string
	measured       bool
	raw, threshold float64
	number         *float64
	frames         []reading // what it rests on
}

// severalShare is the share of frames with more than one person from which it is no passer-by.
const severalShare = 1.0 / 3

// image answers what is asked of the selfie's picture. The frame judged is the best one: it is the one compared.
func image(c crowd, faces []reading) []answer {
	if len(faces) == 0 {
		out := []answer{{check: "face.image.detected", outcome: stream.Fail, reason: "no_face"}}
		for _, id := range []string{"single", "size", "pose", "focus", "exposure"} {
			out = append(out, answer{check: "face.image." + id, outcome: stream.NotPerformed, reason: "no_face"})
		}
		return out
	}
	l, best := faces[0].Look, faces[:1]
	yaw, pitch := abs(l.Pose.Yaw), abs(l.Pose.Pitch)
	turn, most := yaw, face.MaxYaw
	if pitch/face.MaxPitch > yaw/face.MaxYaw {
		turn, most = pitch, face.MaxPitch
	}
	return []answer{
		{check: "face.image.detected", outcome: stream.Pass, frames: best},
		single(c),
		graded("face.image.size", l.SizeOK(), "face_too_small", l.EyeDistance, face.MinEyeDistance, best),
		graded("face.image.pose", l.PoseOK(), "head_turned", turn, most, best),
		graded("face.image.focus", l.FocusOK(), "blurred", l.Focus, face.MinFocus, best),
		graded("face.image.exposure", l.ExposureOK(), light(l), l.Brightness, face.MinBrightness, best),
	}
}

func single(c crowd) answer {
	n := float64(c.most)
	a := answer{check: "face.image.single", outcome: stream.Pass, number: &n}
	switch share := float64(c.several) / float64(max(1, c.faces)); {
	case share >= severalShare:
		a.outcome, a.reason = stream.Fail, "several_faces"
	case c.several > 0:
		a.outcome, a.reason = stream.Inconclusive, "several_faces_at_times"
	}
	return a
}

func graded(id string, ok bool, reason string, raw, threshold float64, rests []reading) answer {
	a := answer{check: id, outcome: stream.Pass, measured: true, raw: raw, threshold: threshold, frames: rests}
	if !ok {
		a.outcome, a.reason = stream.Fail, reason
	}
	return a
}

// light names what is wrong with the exposure.
func light(l face.Look) string {
	switch {
	case l.Brightness < face.MinBrightness:
		return "too_dark"
	case l.Brightness > face.MaxBrightness || l.Clipped > face.MaxClipped:
		return "too_bright"
	}
	return "no_contrast"
}

// portraitQuality judges the portrait of a document for the comparison only: prints are small and soft.
func portraitQuality(faces []reading) answer {
	const id = "doc.portrait.quality"
	if len(faces) == 0 {
		return answer{check: id, outcome: stream.NotPerformed, reason: "no_face"}
	}
	l := faces[0].Look
	switch {
	case !l.SizeOK():
		return graded(id, false, "face_too_small", l.EyeDistance, face.MinEyeDistance, faces[:1])
	case !l.ExposureOK():
		return graded(id, false, light(l), l.Brightness, face.MinBrightness, faces[:1])
	}
	return graded(id, l.FocusOK(), "blurred", l.Focus, face.MinFocus, faces[:1])
}

// Match turns the distance of two faces into an outcome. Where one of the pictures is poor, only a match counts: a
// poor picture moves a face away from itself, never towards another.
func Match(distance float64, good bool) (envelopev1.Outcome, string) {
	switch {
	case distance <= face.SameBelow:
		return stream.Pass, ""
	case !good:
		return stream.Inconclusive, "poor_picture"
	case distance > face.DifferentAbove:
		return stream.Fail, "different_person"
	}
	return stream.Inconclusive, "between_thresholds"
}

// good tells whether a face may speak against a match.
func good(l face.Look) bool { return l.SizeOK() && l.PoseOK() && l.FocusOK() && l.ExposureOK() }

// across is the check that compares a selfie with itself.
const across = "face.match.across_frames"

// acrossFrames compares the good frames of a selfie with each other: the person must stay the same.
func acrossFrames(faces []reading) answer {
	a := answer{check: across}
	if len(faces) == 0 {
		a.outcome, a.reason = stream.NotPerformed, "no_face"
		return a
	}
	usable := slices.DeleteFunc(slices.Clone(faces), func(r reading) bool { return !good(r.Look) })
	if len(usable) < 2 {
		a.outcome, a.reason = stream.Inconclusive, "single_frame"
		return a
	}
	for i, x := range usable {
		for _, y := range usable[i+1:] {
			if d := face.Distance(x.Embedding, y.Embedding); d >= a.raw {
				a.raw, a.frames = d, []reading{x, y}
			}
		}
	}
	a.measured, a.threshold = true, face.SameBelow
	if a.outcome, a.reason = Match(a.raw, true); a.outcome == stream.Fail {
		a.reason = "face_changed"
	}
	return a
}

// docVsSelfie compares the portrait with the best frame.
func docVsSelfie(selfie, document seen) answer {
	a := answer{check: match.Check}
	for _, s := range []seen{document, selfie} {
		if s.GetUnusable() != nil {
			a.outcome, a.reason = stream.NotPerformed, s.reason
			return a
		}
	}
	switch {
	case len(document.faces) == 0:
		a.outcome, a.reason = stream.Inconclusive, "no_face_on_document"
	case len(selfie.faces) == 0:
		a.outcome, a.reason = stream.Inconclusive, "no_face_in_selfie"
	default:
		s, d := selfie.faces[0], document.faces[0]
		a.measured, a.threshold, a.frames = true, face.SameBelow, selfie.faces[:1]
		a.raw = face.Distance(s.Embedding, d.Embedding)
		a.outcome, a.reason = Match(a.raw, good(s.Look) && d.Look.SizeOK() && d.Look.FocusOK())
	}
	return a
}

// bestFirst sorts by fitness for a comparison: good frames first, then the straightest.
func bestFirst(faces []reading) {
	slices.SortStableFunc(faces, func(a, b reading) int {
		if ga, gb := good(a.Look), good(b.Look); ga != gb {
			if ga {
				return -1
			}
			return 1
		}
		return int(100 * (abs(a.Look.Pose.Yaw) + abs(a.Look.Pose.Pitch) - abs(b.Look.Pose.Yaw) - abs(b.Look.Pose.Pitch)))
	})
}

func abs(v float64) float64 { return max(v, -v) }
