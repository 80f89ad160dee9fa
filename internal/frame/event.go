package frame

import (
	"math"
	"strings"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
)

// timeFormat is RFC 3339 with microseconds, always six digits.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// Framed says whether clients see facts of this kind at all.
func Framed(k envelopev1.Kind) bool {
	switch k {
	case envelopev1.Kind_KIND_OPENED, envelopev1.Kind_KIND_FINDING, envelopev1.Kind_KIND_SUMMARY, envelopev1.Kind_KIND_DECISION,
		envelopev1.Kind_KIND_ENDED, envelopev1.Kind_KIND_ERASED, envelopev1.Kind_KIND_INCIDENT:
		return true
	}
	return false
}

// New makes the event of a fact that was appended at the given time. It never refuses: numbers that JSON cannot hold are left out. Seq and Late
// are the caller's.
func New(e *envelopev1.Envelope, f *factv1.Fact, at time.Time) Event {
	ev := Event{ID: e.GetId(), Verification: e.GetVerificationId(), Time: stamp(at)}
	ev.Type = strings.ToLower(strings.TrimPrefix(e.GetKind().String(), "KIND_"))
	switch e.GetKind() {
	case envelopev1.Kind_KIND_OPENED:
		ev.Opened = opened(e, f.GetOpened())
	case envelopev1.Kind_KIND_FINDING:
		ev.Finding = finding(e, f.GetFinding(), at)
	case envelopev1.Kind_KIND_SUMMARY:
		ev.Summary = &Summary{Groups: e.GetGroups(), Open: f.GetSummary().GetOpen(), Complete: f.GetSummary().GetComplete()}
		if ev.Summary.Groups == nil {
			ev.Summary.Groups = map[string]string{}
		}
	case envelopev1.Kind_KIND_DECISION:
		ev.Decision = decision(f.GetDecision())
	case envelopev1.Kind_KIND_ENDED:
		ev.Ended = &Ended{Reason: e.GetReason(), Findings: f.GetEnded().GetFindings(), TookMS: f.GetEnded().GetTookMs()}
	case envelopev1.Kind_KIND_INCIDENT:
		i := f.GetIncident()
		ev.Incident = &Incident{Dependency: i.GetDependency(), Condition: i.GetCondition(), Action: i.GetAction()}
	case envelopev1.Kind_KIND_ERASED:
		ev.Erased = &Erased{By: f.GetErased().GetBy(), Receipt: f.GetErased().GetReceipt()}
	}
	return ev
}

func opened(e *envelopev1.Envelope, o *factv1.Opened) *Opened {
	out := &Opened{Wants: []string{}, DeadlineMS: e.GetDeadlineMs(), Catalogue: e.GetCatalogue(), Reference: o.GetReference()}
	for _, m := range e.GetWants() {
		out.Wants = append(out.Wants, check.Name(m))
	}
	return out
}

func finding(e *envelopev1.Envelope, f *factv1.Finding, at time.Time) *Finding {
	ev := f.GetEvidence()
	out := &Finding{Check: e.GetCheck(), Outcome: check.OutcomeName(e.GetOutcome()), Reason: e.GetReason(), Value: value(f.GetValue()), Score: score(f.GetScore()),
		Evidence: Evidence{Medium: check.Name(e.GetMedium()), SHA256: ev.GetSha256(), Frame: ev.GetFrame(), Polygon: points(ev.GetPolygon()), Field: ev.GetField()},
		TookMS:   f.GetTookMs(), Supersedes: e.GetSupersedes()}
	if d := f.GetDetector(); d != nil {
		out.Detector = &Detector{Name: d.GetName(), Version: d.GetVersion(), Model: d.GetModel()}
	}
	if e.GetMediaAt() != nil {
		ms := max(0, at.Sub(e.GetMediaAt().AsTime()).Milliseconds())
		out.SinceUploadMS = &ms
	}
	return out
}

func value(v *factv1.Value) *Value {
	if v == nil {
		return nil
	}
	out := &Value{Confidence: finite(v.GetConfidence())}
	switch w := v.GetWhat().(type) {
	case *factv1.Value_Text:
		out.Text = &w.Text
	case *factv1.Value_Date:
		out.Date = &w.Date
	case *factv1.Value_Number:
		out.Number = number(&w.Number)
	case *factv1.Value_Class:
		out.Class = &w.Class
	case *factv1.Value_Polygon:
		out.Polygon = points(w.Polygon)
	}
	return out
}

func score(s *factv1.Score) *Score {
	if s == nil {
		return nil
	}
	return &Score{Raw: number(&s.Raw), Probability: number(s.Probability), Threshold: number(s.Threshold), OperatingPoint: s.GetOperatingPoint()}
}

func decision(d *factv1.Decision) *Decision {
	out := &Decision{Outcome: d.GetOutcome(), Provisional: d.GetProvisional(), Rule: d.GetRule(), Because: d.GetBecause()}
	if out.Because == nil {
		out.Because = []string{}
	}
	if d.GetExpiresAt() != nil {
		at := stamp(d.GetExpiresAt().AsTime())
		out.ExpiresAt = &at
	}
	return out
}

func points(p *factv1.Polygon) [][2]float32 {
	xy := finite(p.GetXy())
	var out [][2]float32
	for i := 0; i+1 < len(xy); i += 2 {
		out = append(out, [2]float32{xy[i], xy[i+1]})
	}
	return out
}

// number gives nil for what JSON cannot hold: a detector's NaN must not stop a feed.
func number(f *float64) *float64 {
	if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
		return nil
	}
	return f
}

// finite gives the list, or nothing where JSON cannot hold one of it.
func finite(fs []float32) []float32 {
	for _, f := range fs {
		if x := float64(f); number(&x) == nil {
			return nil
		}
	}
	return fs
}
