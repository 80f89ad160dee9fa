package document

import (
	"context"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// detectorVersion changes when a measure or a threshold does.
const detectorVersion = "1.1.0"

// detectorModel names the network behind a detector; the others are arithmetic.
var detectorModel = map[string]string{"corners": "corners", "orientation": "text-cls", "portrait": "blazeface"}

// answers says what was seen on one medium.
type answers struct {
	medium envelopev1.Medium
	source string
	digest func(model string) string
	start  time.Time
	now    func() time.Time
	emit   stream.Emit
}

func (a *answers) derive(ctx context.Context, name string, d *derivedv1.Derived) error {
	return a.emit(ctx, stream.Output{Topic: topic.Derived, Name: name, Kind: envelopev1.Kind_KIND_DERIVED, Medium: a.medium, Payload: d})
}

// unusable gives word that nothing can be made of the medium, and closes all that is owed for it.
func (a *answers) unusable(ctx context.Context, reason string) error {
	d := &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: &derivedv1.Unusable{SourceSha256: a.source, Reason: reason}}}
	if err := a.derive(ctx, "unusable", d); err != nil {
		return err
	}
	return a.all(ctx, stream.Close(check.OwedFor(Name, a.medium), stream.NotPerformed, reason))
}

// nothing says that there is no document on the picture; nothing else can be asked about it then.
func (a *answers) nothing(ctx context.Context) error {
	const reason = "no_document"
	d := &derivedv1.Derived{What: &derivedv1.Derived_Unusable{Unusable: &derivedv1.Unusable{SourceSha256: a.source, Reason: reason}}}
	if err := a.derive(ctx, "unusable", d); err != nil {
		return err
	}
	said := []answer{
		{check: "doc.image.no_document", outcome: stream.Fail, reason: reason, by: "corners"},
		{check: "doc.class.located", outcome: stream.Fail, reason: reason, by: "corners"},
	}
	if a.medium == check.Document {
		said = append(said, answer{check: "doc.portrait.detected", outcome: stream.Fail, reason: "no_face", by: "portrait"})
	}
	return a.finish(ctx, said, reason)
}

// say answers all that is owed about a picture with a document on it.
func (a *answers) say(ctx context.Context, v *sight, m measured) error {
	said := decide(m, a.medium)
	outline := v.outline()
	for i := range said {
		switch said[i].check {
		case "doc.class.located":
			said[i].quad = &outline
		case "doc.portrait.detected":
			if f, ok := v.largest(); ok {
				where := pix.ProjectQuad(v.toSource(), f.Box.Quad())
				said[i].quad = &where
			}
		}
	}
	return a.finish(ctx, said, "")
}

// finish emits the answers, and closes what they leave open: what is not built, and, where a reason is given, the rest.
func (a *answers) finish(ctx context.Context, said []answer, reason string) error {
	done := map[string]bool{}
	var outs []stream.Output
	for _, x := range said {
		done[x.check] = true
		outs = append(outs, a.output(x))
	}
	var rest []check.Key
	for _, k := range check.OwedFor(Name, a.medium) {
		if !done[k.Check] {
			rest = append(rest, k)
		}
	}
	unbuilt := stream.NotBuilt(rest)
	outs = append(outs, unbuilt...)
	for _, o := range unbuilt {
		done[o.Check] = true
	}
	for _, k := range rest {
		if !done[k.Check] && reason != "" {
			outs = append(outs, stream.Close([]check.Key{k}, stream.NotPerformed, reason)...)
		}
	}
	return a.all(ctx, outs)
}

func (a *answers) all(ctx context.Context, outs []stream.Output) error {
	for _, o := range outs {
		if err := a.emit(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (a *answers) output(x answer) stream.Output {
	f := &factv1.Finding{
		Evidence: &factv1.Evidence{Sha256: a.source},
		Detector: &factv1.Detector{Name: x.by, Version: detectorVersion},
		TookMs:   uint32(a.now().Sub(a.start).Milliseconds()),
	}
	if m := detectorModel[x.by]; m != "" {
		f.Detector.Model = a.digest(m)
	}
	if x.measure != nil {
		f.Score = &factv1.Score{Raw: x.measure.Raw, Threshold: &x.measure.Threshold}
	}
	if x.number != nil {
		f.Value = &factv1.Value{What: &factv1.Value_Number{Number: *x.number}}
	}
	if x.quad != nil {
		f.Evidence.Polygon = polygon(*x.quad)
	}
	return stream.Finding(check.Key{Check: x.check, Medium: a.medium}, x.outcome, x.reason, f)
}

func polygon(q pix.Quad) *factv1.Polygon {
	p := &factv1.Polygon{}
	for _, c := range q {
		p.Xy = append(p.Xy, float32(c.X), float32(c.Y))
	}
	return p
}
