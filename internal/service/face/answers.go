package face

import (
	"context"

	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
)

// detectorVersion changes when a measure or a threshold does.
const detectorVersion = "1.0.0"

// alone says what one side tells by itself.
func (w work) alone(ctx context.Context, s seen) error {
	owed := check.OwedFor(Name, s.medium)
	if s.GetUnusable() != nil {
		return w.all(ctx, stream.Close(owed, stream.NotPerformed, s.reason))
	}
	said := []answer{portraitQuality(s.faces)}
	if s.medium == check.Selfie {
		said = append(image(s.crowd, s.faces), acrossFrames(s.faces))
	}
	for _, a := range said {
		if err := w.emit(ctx, w.output(a, s)); err != nil {
			return err
		}
	}
	return w.all(ctx, stream.NotBuilt(owed))
}

// compare says whether both sides show one person; it rests on both.
func (w work) compare(ctx context.Context, mine, theirs seen) error {
	selfie, document := selfieOf(mine, theirs)
	o := w.output(docVsSelfie(selfie, document), selfie)
	o.Also = []*stream.Message{theirs.message}
	return w.emit(ctx, o)
}

func (w work) all(ctx context.Context, outs []stream.Output) error {
	for _, o := range outs {
		if err := w.emit(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (w work) output(a answer, s seen) stream.Output {
	f := &factv1.Finding{
		Evidence: &factv1.Evidence{Sha256: s.source},
		Detector: &factv1.Detector{Name: "face", Version: detectorVersion, Model: w.Models.Digest("facemesh")},
		TookMs:   uint32(w.Now().Sub(w.start).Milliseconds()),
	}
	if a.measured {
		f.Score = &factv1.Score{Raw: a.raw, Threshold: &a.threshold}
	}
	if a.check == match.Check || a.check == across {
		f.Detector.Model = w.Models.Digest("face-embedding")
		if a.measured {
			f.Score.OperatingPoint = face.OperatingPoint
		}
	}
	if a.number != nil {
		f.Value = &factv1.Value{What: &factv1.Value_Number{Number: *a.number}}
	}
	if len(a.frames) > 0 {
		f.Evidence.Frame = a.frames[0].frame
		f.Evidence.Polygon = polygon(a.frames[0])
	}
	return stream.Finding(check.Key{Check: a.check, Medium: s.medium}, a.outcome, a.reason, f)
}

// polygon is the box of the face in its frame; a portrait's place is the document service's to say.
func polygon(r reading) *factv1.Polygon {
	b := r.box.GetBox()
	if len(b) != 4 {
		return nil
	}
	return &factv1.Polygon{Xy: []float32{b[0], b[1], b[2], b[1], b[2], b[3], b[0], b[3]}}
}
