package text

import (
	"context"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// answer is one finding before it is put into an event. Quad is in pixels of the page.
type answer struct {
	check   string
	outcome envelopev1.Outcome
	reason  string
	value   *factv1.Value
	quad    *pix.Quad
	field   string
	by      string // detector
}

func pass(id string, v *factv1.Value) answer {
	return answer{check: id, outcome: stream.Pass, value: v}
}

func fail(id, reason string) answer { return answer{check: id, outcome: stream.Fail, reason: reason} }

func unsure(id, reason string) answer {
	return answer{check: id, outcome: stream.Inconclusive, reason: reason}
}

func none(id, reason string) answer {
	return answer{check: id, outcome: stream.NotApplicable, reason: reason}
}

func (a answer) at(q pix.Quad) answer {
	a.quad = &q
	return a
}

func (a answer) of(field string) answer {
	a.field = field
	return a
}

func (a answer) from(detector string) answer {
	a.by = detector
	return a
}

func textValue(s string, conf []float32) *factv1.Value {
	return &factv1.Value{What: &factv1.Value_Text{Text: s}, Confidence: conf}
}

func dateValue(iso string, conf []float32) *factv1.Value {
	return &factv1.Value{What: &factv1.Value_Date{Date: iso}, Confidence: conf}
}

func classValue(s string) *factv1.Value {
	return &factv1.Value{What: &factv1.Value_Class{Class: s}}
}

// answers says findings, each check once.
type answers struct {
	medium envelopev1.Medium
	source string // digest of the uploaded medium
	toSrc  [9]float64
	digest func(model string) string
	start  time.Time
	now    func() time.Time
	emit   stream.Emit
	said   map[string]bool
}

// detectorModel names the network behind a detector, "" for rules.
var detectorModel = map[string]string{"mrz": "mrz", "print": "text-rec"}

// say emits answers; one that was given already is left out, so that what is known
// early may be said early.
func (a *answers) say(ctx context.Context, list ...answer) error {
	for _, x := range list {
		if a.said[x.check] {
			continue
		}
		a.said[x.check] = true
		if err := a.emit(ctx, a.output(x)); err != nil {
			return err
		}
	}
	return nil
}

func (a *answers) output(x answer) stream.Output {
	f := &factv1.Finding{Value: x.value, Evidence: &factv1.Evidence{Sha256: a.source, Field: x.field},
		Detector: &factv1.Detector{Name: x.by, Version: detectorVersion}, TookMs: uint32(a.now().Sub(a.start).Milliseconds())}
	if m := detectorModel[x.by]; m != "" {
		f.Detector.Model = a.digest(m)
	}
	if x.quad != nil {
		f.Evidence.Polygon = polygon(pix.ProjectQuad(a.toSrc, *x.quad))
	}
	return stream.Finding(check.Key{Check: x.check, Medium: a.medium}, x.outcome, x.reason, f)
}

const detectorVersion = "1.1.0"

func polygon(q pix.Quad) *factv1.Polygon {
	p := &factv1.Polygon{}
	for _, c := range q {
		p.Xy = append(p.Xy, float32(c.X), float32(c.Y))
	}
	return p
}

// open lists what the service has not said yet about the medium.
func (a *answers) open() []string {
	var out []string
	for _, k := range check.OwedFor(Name, a.medium) {
		if !a.said[k.Check] {
			out = append(out, k.Check)
		}
	}
	return out
}
