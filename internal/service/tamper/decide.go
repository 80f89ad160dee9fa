package tamper

import (
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/forensics"
)

// decide turns a verdict into an outcome. A portrait in a frame of its own is no suspicion and no pass: nothing measured here could
// tell another picture in the same frame.
func decide(v forensics.Verdict) (envelopev1.Outcome, string) {
	switch v {
	case forensics.Replaced:
		return stream.Fail, "portrait_replaced"
	case forensics.Unclear:
		return stream.Inconclusive, "framed_portrait"
	case forensics.TooSmall:
		return stream.Inconclusive, "portrait_too_small"
	case forensics.Untouched:
		return stream.Pass, ""
	default:
		return stream.Inconclusive, "portrait_at_edge"
	}
}
