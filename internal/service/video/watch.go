package video

import (
	"fmt"
	"hash/fnv"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pad"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/video"
)

// stillSide is the long side of a single picture in pixels: there is only one, so it may be larger than a frame.
const stillSide = 1280

// watch is one selfie as it is being decoded.
type watch struct {
	*Service
	still   bool
	tracker pad.Tracker
	frames  []*derivedv1.Frame
	best    best
}

func (s *Service) newWatch(still bool) *watch { return &watch{Service: s, still: still} }

func (w *watch) options() video.Options {
	if w.still {
		return video.Options{LongSide: stillSide}
	}
	return video.Options{}
}

// see looks at one frame and keeps what others need of it.
func (w *watch) see(f video.Frame) error {
	m, found, err := w.faces(f.Pix)
	if err != nil {
		return fmt.Errorf("frame %d: %w", f.Index, err)
	}
	found, mesh, err := w.confirm(m, found)
	if err != nil {
		return fmt.Errorf("frame %d: %w", f.Index, err)
	}
	out := &derivedv1.Frame{
		Index: uint32(f.Index), Seconds: f.At.Seconds(), Width: uint32(m.W), Height: uint32(m.H), Digest: digest(m), Faces: describe(found),
	}
	var box *face.Box
	if len(found) > 0 {
		b := mesh.Box()
		box, out.Faces[0].Mesh = &b, mesh.Floats()
		w.best.offer(f.At, len(w.frames), m, worth(m, mesh))
	}
	if !w.still {
		out.Flow = flow(w.tracker.Next(m.Gray(), box))
	}
	w.frames = append(w.frames, out)
	return nil
}

// confirm keeps the faces over which a mesh can be laid, and gives the mesh of the first. More than a few are not
// looked at: they are several persons in any case.
func (w *watch) confirm(m *pix.RGB, found []face.Face) (kept []face.Face, first face.Mesh, err error) {
	for _, f := range found[:min(len(found), mostFaces)] {
		mesh, err := w.mesh.Fit(m, f)
		if err != nil {
			return nil, first, err
		}
		if mesh.Score < sure {
			continue
		}
		if len(kept) == 0 {
			first = mesh
		}
		kept = append(kept, f)
	}
	return kept, first, nil
}

// mostFaces is how many faces of a frame are looked at, the largest first.
const mostFaces = 8

// sure is the mesh's own probability from which what the detector found is taken for a face.
const sure = 0.5

// faces returns the faces of a frame, the largest first. A still is searched for small and turned faces too, and is
// handed back upright: there is one look at it, and a recording says by its metadata how it was held.
func (w *watch) faces(m *pix.RGB) (*pix.RGB, []face.Face, error) {
	if !w.still {
		found, err := w.find.FindLarge(m)
		return m, largestFirst(found), err
	}
	_, turns, err := w.find.FindTurned(m)
	if err != nil {
		return m, nil, err
	}
	if turns > 0 {
		m = m.Rotate90(turns)
	}
	found, err := w.find.FindAll(m)
	return m, largestFirst(found), err
}

// worth says how good a face is for a comparison: large, straight and sharp.
func worth(m *pix.RGB, mesh face.Mesh) float64 {
	l := face.Examine(m, mesh)
	straight := 1 / (1 + (l.Pose.Yaw*l.Pose.Yaw+l.Pose.Pitch*l.Pose.Pitch)/400)
	size := min(l.EyeDistance, 60) / 60
	sharp := min(l.Focus, 30) / 30
	light := 1.0
	if !l.ExposureOK() {
		light = 0.5
	}
	return straight * size * sharp * light
}

func digest(m *pix.RGB) uint64 {
	h := fnv.New64a()
	h.Write(m.Pix)
	return h.Sum64()
}
