package video

import (
	"context"
	"slices"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pad"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/video"
)

const (
	keptFrames = 4  // pictures kept for the comparison of faces, at different seconds
	quality    = 95 // of the JPEG they are kept as; an embedding moves by less than 0.02 by it
)

// candidate is a frame that may be kept.
type candidate struct {
	second, index int
	worth         float64
	picture       *pix.RGB
}

// best holds the best frame of every second, so that what is kept shows the person at different moments.
type best struct{ bySecond []candidate }

func (b *best) offer(at time.Duration, index int, m *pix.RGB, worth float64) {
	c := candidate{second: int(at.Seconds()), index: index, worth: worth, picture: m}
	if n := len(b.bySecond); n > 0 && b.bySecond[n-1].second == c.second {
		if b.bySecond[n-1].worth < worth {
			b.bySecond[n-1] = c
		}
		return
	}
	b.bySecond = append(b.bySecond, c)
}

// pick returns the few best, best first.
func (b *best) pick() []candidate {
	slices.SortStableFunc(b.bySecond, func(x, y candidate) int {
		switch {
		case x.worth > y.worth:
			return -1
		case x.worth < y.worth:
			return 1
		}
		return 0
	})
	return b.bySecond[:min(keptFrames, len(b.bySecond))]
}

// derived keeps the best frames as blobs and returns the event about all of them.
func (s *Service) derived(ctx context.Context, of *envelopev1.Envelope, w *watch, info video.Info) (*derivedv1.Frames, error) {
	for _, c := range w.best.pick() {
		data, err := picture.EncodeJPEG(c.picture, quality)
		if err != nil {
			return nil, err
		}
		sha, err := s.Blobs.Keep(ctx, of, data, c.picture)
		if err != nil {
			return nil, err
		}
		w.frames[c.index].Blob = &derivedv1.Blob{
			Sha256: sha, Bytes: uint64(len(data)), MediaType: string(picture.JPEG), Width: uint32(c.picture.W), Height: uint32(c.picture.H),
		}
	}
	return &derivedv1.Frames{Seconds: seconds(w, info), Frames: w.frames, Still: len(w.frames) == 1}, nil
}

// seconds of video that were read: what the container says, at most what is looked at, or up to the last frame.
func seconds(w *watch, info video.Info) float64 {
	if info.Duration > 0 {
		return min(info.Duration, video.MaxDecoded).Seconds()
	}
	return w.frames[len(w.frames)-1].Seconds
}

func largestFirst(found []face.Face) []face.Face {
	slices.SortStableFunc(found, func(a, b face.Face) int { return int(b.Box.W()*b.Score) - int(a.Box.W()*a.Score) })
	return found
}

func describe(found []face.Face) []*derivedv1.Face {
	out := make([]*derivedv1.Face, len(found))
	for i, f := range found {
		out[i] = &derivedv1.Face{
			Box: []float32{float32(f.Box.X0), float32(f.Box.Y0), float32(f.Box.X1), float32(f.Box.Y1)}, Score: float32(f.Score),
		}
	}
	return out
}

func flow(steps []pad.Step) []float32 {
	out := make([]float32, 0, 4*len(steps))
	for _, s := range steps {
		out = append(out, float32(s.From.X), float32(s.From.Y), float32(s.To.X), float32(s.To.Y))
	}
	return out
}
