package liveness

import (
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pad"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// read takes the frames out of their event.
func read(f *derivedv1.Frames) []pad.Frame {
	out := make([]pad.Frame, len(f.GetFrames()))
	for i, x := range f.GetFrames() {
		out[i] = pad.Frame{At: time.Duration(x.GetSeconds() * float64(time.Second)), Digest: x.GetDigest(), Flow: steps(x.GetFlow())}
		if faces := x.GetFaces(); len(faces) > 0 {
			if m, ok := face.MeshFrom(faces[0].GetMesh()); ok {
				out[i].Mesh = &m
			}
		}
	}
	return out
}

func steps(flow []float32) []pad.Step {
	out := make([]pad.Step, len(flow)/4)
	for i := range out {
		v := flow[4*i : 4*i+4]
		out[i] = pad.Step{From: pix.Pt{X: float64(v[0]), Y: float64(v[1])}, To: pix.Pt{X: float64(v[2]), Y: float64(v[3])}}
	}
	return out
}
