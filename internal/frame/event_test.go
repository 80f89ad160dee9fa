package frame

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files")

var at = time.Date(2026, 11, 25, 10, 0, 0, 123456789, time.FixedZone("CET", 3600))

func envelope(k envelopev1.Kind) *envelopev1.Envelope {
	return &envelopev1.Envelope{Id: "00112233445566778899aabbccddeeff", VerificationId: "v_1", Kind: k}
}

type example struct {
	env  *envelopev1.Envelope
	fact *factv1.Fact
}

// examples has one event of each type that is framed, every member filled.
func examples() map[string]example {
	out := map[string]example{}
	add := func(name string, k envelopev1.Kind, f *factv1.Fact, set func(*envelopev1.Envelope)) {
		e := envelope(k)
		set(e)
		out[name] = example{e, f}
	}
	add("opened", envelopev1.Kind_KIND_OPENED, &factv1.Fact{What: &factv1.Fact_Opened{Opened: &factv1.Opened{Reference: "bet <7> of £2", MinimumAge: 18,
		Declared: &factv1.Declared{Surname: "SECRET"}}}}, func(e *envelopev1.Envelope) {
		e.Wants = []envelopev1.Medium{envelopev1.Medium_MEDIUM_DOCUMENT, envelopev1.Medium_MEDIUM_DOCUMENT_BACK, envelopev1.Medium_MEDIUM_SELFIE}
		e.DeadlineMs, e.Catalogue = 10000, 3
	})
	add("finding", envelopev1.Kind_KIND_FINDING, &factv1.Fact{What: &factv1.Fact_Finding{Finding: full()}}, func(e *envelopev1.Envelope) {
		e.Check, e.Outcome, e.Medium = "doc.text.field.surname", envelopev1.Outcome_OUTCOME_PASS, envelopev1.Medium_MEDIUM_DOCUMENT
		e.MediaAt, e.Supersedes = timestamppb.New(at.Add(-230*time.Millisecond)), "ffeeddccbbaa99887766554433221100"
	})
	add("finding-bare", envelopev1.Kind_KIND_FINDING, &factv1.Fact{What: &factv1.Fact_Finding{Finding: &factv1.Finding{}}}, func(e *envelopev1.Envelope) {
		e.Check, e.Outcome, e.Reason = "face.pad.passive", envelopev1.Outcome_OUTCOME_NOT_PERFORMED, "timeout"
		e.Medium = envelopev1.Medium_MEDIUM_SELFIE
	})
	add("summary", envelopev1.Kind_KIND_SUMMARY, &factv1.Fact{What: &factv1.Fact_Summary{Summary: &factv1.Summary{Open: 4}}}, func(e *envelopev1.Envelope) {
		e.Groups = map[string]string{"doc.mrz": "clear", "doc.class": "pending"}
	})
	add("decision", envelopev1.Kind_KIND_DECISION, &factv1.Fact{What: &factv1.Fact_Decision{Decision: &factv1.Decision{Outcome: "approved", Provisional: true,
		ExpiresAt: timestamppb.New(at), Rule: "two pounds", Because: []string{"a", "b"}}}}, func(*envelopev1.Envelope) {})
	add("ended", envelopev1.Kind_KIND_ENDED, &factv1.Fact{What: &factv1.Fact_Ended{Ended: &factv1.Ended{Findings: 63, TookMs: 1180}}}, func(e *envelopev1.Envelope) { e.Reason = "complete" })
	add("incident", envelopev1.Kind_KIND_INCIDENT, &factv1.Fact{What: &factv1.Fact_Incident{Incident: &factv1.Incident{Dependency: "model", Condition: "slow",
		Action: "wait"}}}, func(*envelopev1.Envelope) {})
	add("erased", envelopev1.Kind_KIND_ERASED, &factv1.Fact{What: &factv1.Fact_Erased{Erased: &factv1.Erased{By: "client", Receipt: "r"}}}, func(*envelopev1.Envelope) {})
	return out
}

func full() *factv1.Finding {
	p, th := 0.98, 0.5
	return &factv1.Finding{Value: &factv1.Value{What: &factv1.Value_Text{Text: "MÜLLER & <SOHN>"}, Confidence: []float32{0.93, 1}},
		Score:    &factv1.Score{Raw: 0.93, Probability: &p, Threshold: &th, OperatingPoint: "FMR 1e-4"},
		Evidence: &factv1.Evidence{Sha256: "ab", Frame: 2, Polygon: &factv1.Polygon{Xy: []float32{1, 2, 3.5, 4}}, Field: "surname"},
		Detector: &factv1.Detector{Name: "text", Version: "1.2.0", Model: "sha256:cd"}, TookMs: 12}
}

func TestBodies(t *testing.T) {
	for name, x := range examples() {
		ev := New(x.env, x.fact, at)
		ev.Seq, ev.Late = 7, name == "erased"
		got, err := ev.Body()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".json")
		if *rewrite {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if !Framed(x.env.Kind) {
			t.Errorf("%s is not framed", name)
		}
	}
}

func TestNotFramed(t *testing.T) {
	for _, k := range []envelopev1.Kind{envelopev1.Kind_KIND_COMPLETE, envelopev1.Kind_KIND_DEADLINE, envelopev1.Kind_KIND_EXPIRED, envelopev1.Kind_KIND_MEDIUM} {
		if Framed(k) {
			t.Errorf("%s is framed", k)
		}
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		in   *factv1.Value
		want string
	}{
		{&factv1.Value{What: &factv1.Value_Date{Date: "1974-08-12"}}, `{"date":"1974-08-12"}`},
		{&factv1.Value{What: &factv1.Value_Number{Number: 0}}, `{"number":0}`},
		{&factv1.Value{What: &factv1.Value_Number{Number: math.NaN()}}, `{}`},
		{&factv1.Value{What: &factv1.Value_Class{Class: "passport"}}, `{"class":"passport"}`},
		{&factv1.Value{What: &factv1.Value_Text{Text: ""}, Confidence: []float32{float32(math.Inf(1))}}, `{"text":""}`},
		{&factv1.Value{What: &factv1.Value_Polygon{Polygon: &factv1.Polygon{Xy: []float32{1, 2, 3, 4, 5}}}}, `{"polygon":[[1,2],[3,4]]}`},
	} {
		e := envelope(envelopev1.Kind_KIND_FINDING)
		body, err := New(e, &factv1.Fact{What: &factv1.Fact_Finding{Finding: &factv1.Finding{Value: c.in}}}, at).Body()
		if err != nil {
			t.Fatal(err)
		}
		if got := member(t, body, "finding", "value"); got != c.want {
			t.Errorf("value %v is %s, want %s", c.in, got, c.want)
		}
	}
}

// A payload that is another than the kind says, or none, still makes a frame.
func TestNewNeverRefuses(t *testing.T) {
	for k := range envelopev1.Kind_name {
		for _, f := range []*factv1.Fact{nil, {}, {What: &factv1.Fact_Erased{}}} {
			if _, err := New(envelope(envelopev1.Kind(k)), f, at).Body(); err != nil {
				t.Errorf("kind %d: %v", k, err)
			}
		}
	}
}
