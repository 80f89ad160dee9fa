package text

import (
	"testing"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/barcode"
	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
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
	type in struct {
		portrait bool
		zone     *mrz.Document
		coded    bool
		sent     envelopev1.Medium
	}
	for i, c := range []struct {
		in
		side string
		seen bool
	}{
		{in{true, td1, false, check.Document}, front, true}, // both sides on one picture
		{in{false, td1, false, check.Document}, back, true},
		{in{false, td3, false, check.Document}, front, true},
		{in{false, nil, true, check.Document}, back, true},
		{in{false, nil, false, check.Back}, back, false},
		{in{false, nil, false, check.Document}, front, false},
	} {
		side, seen := sideOf(c.portrait, c.zone, c.coded, c.sent)
		if side != c.side || seen != c.seen {
			t.Errorf("case %d: %s, seen %v", i, side, seen)
		}
		a := sideAnswer(side, seen)
		if passes := a.outcome == stream.Pass && a.value.GetClass() == side; passes != c.seen || !passes && a.reason != "side_unknown" {
			t.Errorf("case %d: %+v", i, a)
		}
	}
}

func TestCharset(t *testing.T) {
	for _, c := range []struct {
		misfits []zone.Misfit
		unseen  int
		want    answer
	}{
		{nil, 0, pass("doc.mrz.charset", nil)},
		{[]zone.Misfit{{Seen: 'K', Conf: 0.4}, {Seen: 'K', Conf: 0.97}}, 0, fail("doc.mrz.charset", "character_not_allowed")},
		{[]zone.Misfit{{Seen: 'K', Conf: 0.4}}, 0, unsure("doc.mrz.charset", "reading_doubtful")},
		{nil, 3, unsure("doc.mrz.charset", "reading_doubtful")},
	} {
		if got := charsetOf(c.misfits, c.unseen); got != c.want {
			t.Errorf("%v, %d unseen: %+v", c.misfits, c.unseen, got)
		}
	}
}

// A barcode without two dates says nothing about whether dates agree.
func TestBarcodeDates(t *testing.T) {
	const head = "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\n"
	for _, c := range []struct{ dates, reason string }{
		{"", "no_date"}, {"DBB06061986\n", "no_date"}, {"DBB06061986\nDBA\n", "no_date"}, {"DBB99991986\n", "dates_contradict"},
		{"DBB06061986\nDBA12102024\n", ""}, {"DBD06062019\nDBA12102014\n", "dates_contradict"},
	} {
		card, err := aamva.Parse(head + c.dates + "\r")
		if err != nil {
			t.Fatal(err)
		}
		if a := datesAgree(card); a.reason != c.reason || (a.outcome == stream.Pass) != (c.reason == "") {
			t.Errorf("%q: %v %s, want %q", c.dates, a.outcome, a.reason, c.reason)
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
