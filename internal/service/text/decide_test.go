package text

import (
	"testing"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/barcode"
	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

func TestCheckDigitFailsOnlyWithConfidence(t *testing.T) {
	for _, c := range []struct {
		in   mrz.CheckResult
		want answer
	}{
		{mrz.CheckResult{Name: mrz.CheckBirth, OK: true, Conf: 0.1}, pass("doc.mrz.check.birth", nil)},
		{mrz.CheckResult{Name: mrz.CheckBirth, Conf: 0.95}, fail("doc.mrz.check.birth", "check_digit_wrong")},
		{mrz.CheckResult{Name: mrz.CheckBirth, Conf: 0.3}, unsure("doc.mrz.check.birth", "reading_doubtful")},
	} {
		if got := checkDigit(c.in); got != c.want {
			t.Errorf("%+v: %+v", c.in, got)
		}
	}
}

func TestMissingZone(t *testing.T) {
	open := []string{"doc.mrz.detected", "doc.mrz.format"}
	got := noZone(open, class.Result{Type: class.Passport}, front)
	if got[0].outcome != stream.Fail || got[1].outcome != stream.Inconclusive {
		t.Errorf("passport: %+v", got)
	}
	for _, a := range noZone(open, class.Result{Type: class.Licence}, front) {
		if a.outcome != stream.NotApplicable || a.reason != "no_mrz" {
			t.Errorf("licence: %+v", a)
		}
	}
}

func TestMissingField(t *testing.T) {
	passport := class.Result{Type: class.Passport}
	for _, c := range []struct {
		id, side, want string
		class          class.Result
	}{
		{"doc.text.field.surname", front, "field_not_found", passport},
		{"doc.text.field.surname", back, "other_side", passport},
		{"doc.text.field.address", front, "field_not_present", passport},
		{"doc.text.field.surname", front, "field_not_present", class.Result{Type: class.Other}},
	} {
		if got := missingField(c.id, c.class, c.side); got.reason != c.want {
			t.Errorf("%s %s: %s, want %s", c.id, c.side, got.reason, c.want)
		}
	}
}

func TestSide(t *testing.T) {
	td1, td3 := &mrz.Document{Format: mrz.TD1}, &mrz.Document{Format: mrz.TD3}
	for i, c := range []struct{ got, want string }{
		{sideOf(true, td1, false, check.Document), front}, // both sides on one picture
		{sideOf(false, td1, false, check.Document), back},
		{sideOf(false, td3, false, check.Document), front},
		{sideOf(false, nil, true, check.Document), back},
		{sideOf(false, nil, false, check.Back), back},
		{sideOf(false, nil, false, check.Document), front},
	} {
		if c.got != c.want {
			t.Errorf("case %d: %s, want %s", i, c.got, c.want)
		}
	}
}

func TestSymbol(t *testing.T) {
	payload := "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDBB06061986\nDBA12102024\nDBD06062029\r"
	card, err := aamva.Parse(payload)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]answer{}
	for _, a := range symbolAnswers(&barcode.Symbol{Payload: []byte(payload)}, card) {
		got[a.check] = a
	}
	for id, want := range map[string]string{"doc.barcode.field.surname": "SAMPLE", "doc.barcode.field.birth_date": "1986-06-06", "doc.barcode.decoded": payload} {
		v := got[id].value
		if v.GetText()+v.GetDate() != want {
			t.Errorf("%s: %v", id, v)
		}
	}
	for id, want := range map[string]string{"doc.barcode.aamva.header": "", "doc.barcode.aamva.mandatory": "element_missing", "doc.barcode.aamva.dates": "dates_contradict"} {
		if got[id].reason != want {
			t.Errorf("%s: %q, want %q", id, got[id].reason, want)
		}
	}
	for _, a := range restOfSymbol([]string{"doc.barcode.detected", "doc.barcode.decoded"}, nil, true) {
		if a.check == "doc.barcode.decoded" && a.reason != "barcode_unreadable" {
			t.Errorf("%+v", a)
		}
	}
}
