package stream

import (
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
)

// The outcomes, under short names.
const (
	Pass          = envelopev1.Outcome_OUTCOME_PASS
	Fail          = envelopev1.Outcome_OUTCOME_FAIL
	Inconclusive  = envelopev1.Outcome_OUTCOME_INCONCLUSIVE
	NotPerformed  = envelopev1.Outcome_OUTCOME_NOT_PERFORMED
	NotApplicable = envelopev1.Outcome_OUTCOME_NOT_APPLICABLE
)

// Finding makes the output of one check. A pass or fail may leave the reason empty; the others must give a code.
func Finding(k check.Key, o envelopev1.Outcome, reason string, f *factv1.Finding) Output {
	if f == nil {
		f = &factv1.Finding{}
	}
	return Output{Kind: envelopev1.Kind_KIND_FINDING, Check: k.Check, Medium: k.Medium, Outcome: o, Reason: reason,
		Payload: &factv1.Fact{What: &factv1.Fact_Finding{Finding: f}}}
}

// NotBuilt makes the outputs of those of the keys whose checks are not built yet.
func NotBuilt(keys []check.Key) []Output {
	var out []Output
	for _, k := range keys {
		if c, ok := check.ByID(k.Check); ok && !c.Built {
			out = append(out, Finding(k, NotPerformed, "not_built", nil))
		}
	}
	return out
}

// Close makes one output with the same outcome for each of the keys, such as not_performed(damaged_media).
func Close(keys []check.Key, o envelopev1.Outcome, reason string) []Output {
	out := make([]Output, len(keys))
	for i, k := range keys {
		out[i] = Finding(k, o, reason, nil)
	}
	return out
}
