package tamper

import (
	"testing"

	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/forensics"
)

func TestEveryVerdictHasItsOutcome(t *testing.T) {
	for v, want := range map[forensics.Verdict]string{
		forensics.Untouched: "", forensics.Replaced: "portrait_replaced", forensics.Unclear: "framed_portrait",
		forensics.TooSmall: "portrait_too_small", forensics.TooClose: "portrait_at_edge",
	} {
		outcome, reason := decide(v)
		if reason != want || (outcome == stream.Pass) != (want == "") || (outcome == stream.Fail) != (v == forensics.Replaced) {
			t.Errorf("%v: %v %q, want %q", v, outcome, reason, want)
		}
	}
}
