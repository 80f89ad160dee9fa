package face

import (
	"fmt"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// AcrossImages is the check that CompareImages answers; it exists for `bonafide eval` and is in no catalogue.
const AcrossImages = "face.match.across_images"

// CompareImages compares the main faces of two photographs, of which the thresholds and the probability are known:
// this is the comparison that was calibrated.
func CompareImages(r *face.Reader, a, b *pix.RGB) (envelopev1.Outcome, string, *factv1.Finding, error) {
	x, okA, err := r.Read(a)
	if err != nil {
		return 0, "", nil, fmt.Errorf("first face: %w", err)
	}
	y, okB, err := r.Read(b)
	if err != nil {
		return 0, "", nil, fmt.Errorf("second face: %w", err)
	}
	f := &factv1.Finding{Detector: &factv1.Detector{Name: "face", Version: detectorVersion}}
	if !okA || !okB {
		return stream.Inconclusive, "no_face", f, nil
	}
	d := face.Distance(x.Embedding, y.Embedding)
	p, threshold := face.Probability(d), face.SameBelow
	f.Score = &factv1.Score{Raw: d, Probability: &p, Threshold: &threshold, OperatingPoint: face.OperatingPoint}
	outcome, reason := Match(d, true)
	return outcome, reason, f, nil
}
