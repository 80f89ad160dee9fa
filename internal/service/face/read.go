package face

import (
	"context"
	"fmt"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/parallel"
)

// work is the handling of one message.
type work struct {
	*Service
	start time.Time
	emit  stream.Emit
}

// seen is one side as it was read.
type seen struct {
	side
	reason string    // why there is nothing to compare, "" where there is a face
	source string    // digest of the medium
	crowd  crowd     // of a selfie
	faces  []reading // the best first
}

// reading is a face and where it was seen.
type reading struct {
	face.Reading
	frame uint32
	box   *derivedv1.Face
}

// read gets the pictures of a side and describes the faces on them.
func (w work) read(ctx context.Context, s side) (seen, error) {
	out := seen{side: s}
	var err error
	switch {
	case s.GetPortrait() != nil:
		out.source = s.GetPortrait().GetSourceSha256()
		err = w.portrait(ctx, s, &out)
	case s.GetFrames() != nil:
		out.source = s.GetFrames().GetSourceSha256()
		err = w.selfie(ctx, s, &out)
	default:
		out.source, out.reason = s.GetUnusable().GetSourceSha256(), s.GetUnusable().GetReason()
		return out, nil
	}
	if err == nil && len(out.faces) == 0 {
		out.reason = "no_face"
	}
	return out, err
}

func (w work) portrait(ctx context.Context, s side, out *seen) error {
	if !s.GetPortrait().GetFound() {
		return nil
	}
	m, err := w.Pictures.Picture(ctx, s.message.Envelope, s.GetPortrait().GetBlob().GetSha256())
	if err != nil {
		return fmt.Errorf("portrait: %w", err)
	}
	r, ok, err := w.faces.Read(m)
	if ok {
		out.faces = append(out.faces, reading{Reading: r})
	}
	return err
}

// selfie describes the kept frames by the meshes that came with them, two at a time.
func (w work) selfie(ctx context.Context, s side, out *seen) error {
	out.crowd = count(s.GetFrames())
	var kept []*derivedv1.Frame
	for _, f := range s.GetFrames().GetFrames() {
		if f.GetBlob() != nil && len(f.GetFaces()) > 0 && len(f.GetFaces()[0].GetMesh()) > 0 {
			kept = append(kept, f)
		}
	}
	out.faces = make([]reading, len(kept))
	if err := parallel.Each(2, len(kept), func(i int) (err error) {
		out.faces[i], err = w.frame(ctx, s, kept[i])
		return err
	}); err != nil {
		return err
	}
	bestFirst(out.faces)
	return nil
}

func (w work) frame(ctx context.Context, s side, f *derivedv1.Frame) (reading, error) {
	mesh, ok := face.MeshFrom(f.GetFaces()[0].GetMesh())
	if !ok {
		return reading{}, stream.Poison("frames_malformed", fmt.Errorf("frame %d: no mesh of a face", f.GetIndex()))
	}
	m, err := w.Pictures.Picture(ctx, s.message.Envelope, f.GetBlob().GetSha256())
	if err != nil {
		return reading{}, fmt.Errorf("frame %d: %w", f.GetIndex(), err)
	}
	e, err := w.faces.Embedder.Embed(m, mesh)
	return reading{face.Reading{Picture: m, Mesh: mesh, Look: face.Examine(m, mesh), Embedding: e}, f.GetIndex(), f.GetFaces()[0]}, err
}

// crowd is how many persons the frames of a selfie show.
type crowd struct {
	frames  int // in all
	faces   int // frames with a face
	several int // frames with more than one
	most    int // persons in one frame
}

func count(frames *derivedv1.Frames) crowd {
	var c crowd
	for _, f := range frames.GetFrames() {
		c.frames++
		if len(f.GetFaces()) == 0 || len(f.GetFaces()[0].GetMesh()) == 0 {
			continue
		}
		n := face.Count(boxes(f.GetFaces()))
		c.faces++
		c.most = max(c.most, n)
		if n > 1 {
			c.several++
		}
	}
	return c
}

func boxes(fs []*derivedv1.Face) []face.Face {
	out := make([]face.Face, 0, len(fs))
	for _, f := range fs {
		if b := f.GetBox(); len(b) == 4 {
			out = append(out, face.Face{Score: float64(f.GetScore()), Box: face.Box{
				X0: float64(b[0]), Y0: float64(b[1]), X1: float64(b[2]), Y1: float64(b[3]),
			}})
		}
	}
	return out
}

// selfieOf sorts two sides.
func selfieOf(a, b seen) (selfie, document seen) {
	if a.medium == check.Selfie {
		return a, b
	}
	return b, a
}
