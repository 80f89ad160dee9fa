package consistency

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

var today = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

// paper is a document as a test writes it: readings by check, of the front, or of the back behind a "back:". What is not written is not on it.
type paper map[string]string

// doc gives the document of a paper. A value of "?" could not be read, "-" nobody looked at, "…" has no answer yet.
func (p paper) doc(request *factv1.Opened) document {
	return document{today: today, sides: []check.Medium{check.Document, check.Back}, request: func() *factv1.Opened { return request },
		look: func(k check.Key) reading {
			name := k.Check
			if k.Medium == check.Back {
				name = "back:" + name
			}
			text, ok := p[name]
			switch {
			case !ok && strings.HasPrefix(k.Check, "doc.mrz"):
				return without(stream.NotApplicable, "no_mrz")
			case !ok:
				return without(stream.NotApplicable, "elsewhere")
			case text == "?":
				return without(stream.Inconclusive, "reading_doubtful")
			case text == "-":
				return without(stream.NotPerformed, "damaged_media")
			case text == "!":
				return without(stream.Fail, "check_digit_wrong")
			case text == "…":
				return reading{}
			}
			return reading{status: present, text: text}
		}}
}

// passport is one without a fault, opened for somebody over 18.
func passport(with ...string) paper {
	p := paper{
		"doc.class.type": "passport", "doc.class.country": "GBR",
		inPrint + "surname": "Müller", inPrint + "given_names": "Anna Maria", inPrint + "birth_date": "1974-08-12", inPrint + "expiry_date": "2030-01-31",
		inPrint + "issue_date": "2020-01-31", inPrint + "document_number": "123 456 789", inPrint + "sex": "F",
		inZone + "surname": "MUELLER", inZone + "given_names": "ANNA MARIA", inZone + "birth_date": "1974-08-12", inZone + "expiry_date": "2030-01-31",
		inZone + "document_number": "123456789", inZone + "sex": "F",
		"doc.mrz.check.number": "ok", "doc.mrz.check.birth": "ok", "doc.mrz.check.expiry": "ok",
	}
	return p.with(with...)
}

func (p paper) with(pairs ...string) paper {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			delete(p, pairs[i])
			continue
		}
		p[pairs[i]] = pairs[i+1]
	}
	return p
}

// licence is a British card, which has no zone.
func licence(with ...string) paper {
	return paper{
		"doc.class.type": "driving_licence", "doc.class.country": "UTO",
		inPrint + "surname": "MORGAN", inPrint + "given_names": "SARAH MEREDYTH", inPrint + "birth_date": "1976-03-11", inPrint + "expiry_date": "2030-01-18",
		inPrint + "issue_date": "2020-01-19", inPrint + "document_number": "MORGA 753116 SM9IJ 35",
	}.with(with...)
}

func in(v verdict) string {
	if !v.ready {
		return "wait"
	}
	s := map[bool]string{true: "("}[v.reason != ""]
	out := strings.ToLower(strings.TrimPrefix(v.outcome.String(), "OUTCOME_"))
	if s != "" {
		out += "(" + v.reason + ")"
	}
	return out
}

func TestRules(t *testing.T) {
	ask := &factv1.Opened{MinimumAge: 18, Declared: &factv1.Declared{Surname: "mueller", GivenNames: "Anna", BirthDate: "1974-08-12", DocumentNumber: "123456789"}}
	for _, c := range []struct {
		name  string
		paper paper
		check string
		want  string
	}{
		{"names alike in another spelling", passport(), "doc.consistency.viz_vs_mrz.surname", "pass"},
		{"another surname in print", passport(inPrint+"surname", "SCHNEIDER"), "doc.consistency.viz_vs_mrz.surname", "fail(mismatch)"},
		{"a letter misread", passport(inPrint+"surname", "MULLEA"), "doc.consistency.viz_vs_mrz.surname", "inconclusive(near_match)"},
		{"names cut by the zone", passport(inPrint+"given_names", "Anna Maria Theresia Walburga", inZone+"surname", "VON UND ZU WITTGENSTEIN", inZone+"given_names", "ANNA M"),
			"doc.consistency.viz_vs_mrz.given_names", "pass"},
		{"a short zone is not cut", passport(inPrint+"given_names", "Annabella", inZone+"given_names", "ANNA"), "doc.consistency.viz_vs_mrz.given_names", "fail(mismatch)"},
		{"the other half of the zone is awaited", passport(inZone+"surname", "…"), "doc.consistency.viz_vs_mrz.given_names", "wait"},
		{"the birth date was changed in print", passport(inPrint+"birth_date", "1994-08-12"), "doc.consistency.viz_vs_mrz.birth_date", "fail(mismatch)"},
		{"a zone has no century", passport(inZone+"birth_date", "2074-08-12"), "doc.consistency.viz_vs_mrz.birth_date", "pass"},
		{"a zone whose digit fails proves nothing", passport(inZone+"birth_date", "1994-08-12", "doc.mrz.check.birth", "!"), "doc.consistency.viz_vs_mrz.birth_date", "inconclusive(mrz_check_failed)"},
		{"a digit that is awaited", passport(inZone+"birth_date", "1994-08-12", "doc.mrz.check.birth", "…"), "doc.consistency.viz_vs_mrz.birth_date", "wait"},
		{"equal without waiting for the digit", passport("doc.mrz.check.birth", "…"), "doc.consistency.viz_vs_mrz.birth_date", "pass"},
		{"no zone", licence(), "doc.consistency.viz_vs_mrz.surname", "not_applicable(no_mrz)"},
		{"no zone, print is not awaited", licence(inPrint+"surname", "…"), "doc.consistency.viz_vs_mrz.surname", "not_applicable(no_mrz)"},
		{"not in print", passport(inPrint+"sex", ""), "doc.consistency.viz_vs_mrz.sex", "not_applicable(not_on_document)"},
		{"print not read", passport(inPrint+"sex", "?"), "doc.consistency.viz_vs_mrz.sex", "inconclusive(reading_doubtful)"},
		{"print not looked at", passport(inPrint+"sex", "-"), "doc.consistency.viz_vs_mrz.sex", "not_performed(damaged_media)"},
		{"another sex", passport(inZone+"sex", "M"), "doc.consistency.viz_vs_mrz.sex", "fail(mismatch)"},
		{"a zone on the back", licence("back:"+inZone+"surname", "MORGAN"), "doc.consistency.viz_vs_mrz.surname", "pass"},
		{"a number in groups", passport(), "doc.consistency.viz_vs_mrz.document_number", "pass"},
		{"a number misread", passport(inPrint+"document_number", "I23456789"), "doc.consistency.viz_vs_mrz.document_number", "inconclusive(near_match)"},
		{"a number changed", passport(inPrint+"document_number", "123456780"), "doc.consistency.viz_vs_mrz.document_number", "fail(mismatch)"},
		{"a prefix in print", passport(inPrint+"document_number", "P123456789"), "doc.consistency.viz_vs_mrz.document_number", "inconclusive(near_match)"},

		{"no barcode", passport(), "doc.consistency.viz_vs_barcode.surname", "not_applicable(elsewhere)"},
		{"a barcode on the back", licence("back:"+inBarcode+"surname", "MORGAN"), "doc.consistency.viz_vs_barcode.surname", "pass"},
		{"another name in the barcode", licence("back:"+inBarcode+"surname", "SMITH"), "doc.consistency.viz_vs_barcode.surname", "fail(mismatch)"},
		{"front and back agree", licence("back:"+inPrint+"birth_date", "1976-03-11"), "doc.consistency.front_vs_back.birth_date", "pass"},
		{"front and back do not", licence("back:"+inPrint+"birth_date", "1976-03-12"), "doc.consistency.front_vs_back.birth_date", "fail(mismatch)"},
		{"the back prints no date", licence(), "doc.consistency.front_vs_back.birth_date", "not_applicable(not_on_document)"},

		{"declared in another spelling", passport(), "doc.consistency.declared_vs_doc.surname", "pass"},
		{"declared, print suffices", passport(inZone+"surname", "…"), "doc.consistency.declared_vs_doc.surname", "pass"},
		{"declared, only the zone has it", passport(inPrint+"surname", "?"), "doc.consistency.declared_vs_doc.surname", "pass"},
		{"declared is another", licence(), "doc.consistency.declared_vs_doc.surname", "fail(mismatch)"},
		{"declared is another so far", licence("back:"+inBarcode+"surname", "…"), "doc.consistency.declared_vs_doc.surname", "wait"},
		{"declared without middle names", passport(), "doc.consistency.declared_vs_doc.given_names", "pass"},
		{"declared, nobody read it", passport(inPrint+"surname", "?", inZone+"surname", "?"), "doc.consistency.declared_vs_doc.surname", "inconclusive(reading_doubtful)"},
		{"declared, not on it", paper{}, "doc.consistency.declared_vs_doc.surname", "not_applicable(not_on_document)"},
		{"the zone outranks print", passport(inPrint+"birth_date", "1975-08-12"), "doc.consistency.declared_vs_doc.birth_date", "pass"},
		{"print outranks a zone whose digit fails", passport(inZone+"birth_date", "1975-08-12", "doc.mrz.check.birth", "!"), "doc.consistency.declared_vs_doc.birth_date", "pass"},

		{"valid", passport(), "doc.validity.expired", "pass"},
		{"valid to the last day", passport(inZone+"expiry_date", "2026-11-25"), "doc.validity.expired", "pass"},
		{"expired yesterday", passport(inZone+"expiry_date", "2026-11-24"), "doc.validity.expired", "fail(expired)"},
		{"expired this month, on a day not known", licence(inPrint+"expiry_date", "2026-11"), "doc.validity.expired", "inconclusive(partial_date)"},
		{"never expires", licence(inPrint+"expiry_date", ""), "doc.validity.expired", "not_applicable(not_on_document)"},
		{"no date at all", licence(inPrint+"expiry_date", "soon"), "doc.validity.expired", "inconclusive(no_date)"},
		{"issued before", passport(), "doc.validity.issued_before_expiry", "pass"},
		{"issued after", passport(inPrint+"issue_date", "2031-01-31"), "doc.validity.issued_before_expiry", "fail(issued_after_expiry)"},
		{"one date taken for both", passport(inPrint+"issue_date", "2030-01-31"), "doc.validity.issued_before_expiry", "inconclusive(same_date)"},
		{"born today", licence(inPrint+"birth_date", "2026-11-25"), "doc.validity.birth_plausible", "pass"},
		{"born tomorrow", licence(inPrint+"birth_date", "2026-11-26"), "doc.validity.birth_plausible", "fail(in_future)"},
		{"125 years old", licence(inPrint+"birth_date", "1900-11-26"), "doc.validity.birth_plausible", "pass"},
		{"126 years old", licence(inPrint+"birth_date", "1900-11-25"), "doc.validity.birth_plausible", "fail(too_long_ago)"},
		{"18 today", licence(inPrint+"birth_date", "2008-11-25"), "doc.validity.minimum_age", "pass"},
		{"18 tomorrow", licence(inPrint+"birth_date", "2008-11-26"), "doc.validity.minimum_age", "fail(under_age)"},
		{"18 this year, on a day not known", licence(inPrint+"birth_date", "2008"), "doc.validity.minimum_age", "inconclusive(partial_date)"},

		{"British passport", passport(), "doc.validity.number_format", "pass"},
		{"British passport with a letter", passport(inZone+"document_number", "X23456789"), "doc.validity.number_format", "fail(wrong_structure)"},
		{"American passport of 2021", passport("doc.class.country", "USA", inZone+"document_number", "A23456789"), "doc.validity.number_format", "pass"},
		{"no rule for the country", passport("doc.class.country", "FRA"), "doc.validity.number_format", "not_applicable(no_rule)"},
		{"no rule for the type, whatever the country", passport("doc.class.type", "visa", "doc.class.country", "…"), "doc.validity.number_format", "not_applicable(no_rule)"},
		{"country not known", passport("doc.class.country", "?"), "doc.validity.number_format", "inconclusive(reading_doubtful)"},
		{"driver number of its holder", licence(), "doc.validity.number_format", "pass"},
		{"driver number of a woman", licence(inPrint+"birth_date", "1976-03-11", inPrint+"document_number", "MORGA753116SM9IJ"), "doc.validity.number_format", "pass"},
		{"driver number, digits read as letters", licence(inPrint+"document_number", "M0RGA 7S3II6 SM9IJ"), "doc.validity.number_format", "pass"},
		{"birth date changed", licence(inPrint+"birth_date", "1979-03-11"), "doc.validity.number_format", "fail(not_of_holder)"},
		{"surname changed", licence(inPrint+"surname", "SHERIDAN"), "doc.validity.number_format", "fail(not_of_holder)"},
		{"surname misread", licence(inPrint+"surname", "MDRGAN"), "doc.validity.number_format", "inconclusive(near_match)"},
		{"holder not read", licence(inPrint+"surname", "?", inPrint+"birth_date", "?"), "doc.validity.number_format", "pass"},
		{"holder awaited", licence(inPrint+"surname", "…"), "doc.validity.number_format", "wait"},
		{"no such month", licence(inPrint+"document_number", "MORGA 799116 SM9IJ"), "doc.validity.number_format", "fail(wrong_structure)"},
		{"a character lost", licence(inPrint+"document_number", "MORGA 75311 SM9IJ"), "doc.validity.number_format", "inconclusive(near_match)"},
	} {
		if got := in(c.paper.doc(ask).decide(check.Key{Check: c.check, Medium: check.Document})); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.name, c.check, got, c.want)
		}
	}
}

func TestNothingAsked(t *testing.T) {
	d := passport(inPrint+"birth_date", "…", inZone+"birth_date", "…").doc(&factv1.Opened{})
	for check_, want := range map[string]string{"doc.validity.minimum_age": "not_applicable(not_asked)", "doc.consistency.declared_vs_doc.birth_date": "not_applicable(not_declared)"} {
		if got := in(d.decide(check.Key{Check: check_, Medium: check.Document})); got != want {
			t.Errorf("%s is %s, want %s", check_, got, want)
		}
	}
}

// Somebody born on 29 February is of age on 1 March where the year has no such day.
func TestLeapDay(t *testing.T) {
	for on, want := range map[string]string{"2026-02-28": "fail(under_age)", "2026-03-01": "pass"} {
		d := licence(inPrint+"birth_date", "2008-02-29").doc(&factv1.Opened{MinimumAge: 18})
		d.today, _ = time.Parse(time.DateOnly, on)
		if got := in(d.minimumAge()); got != want {
			t.Errorf("on %s: %s, want %s", on, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want likeness
	}{
		{"Müller", "MUELLER", same}, {"Müller", "MULLER", same}, {"GROSS", "Groß", same}, {"Jørgensen", "JOERGENSEN", same}, {"Åse", "AASE", same},
		{"Ñuñez", "NXXUNXXEZ", same}, {"D'Artagnan", "DARTAGNAN", same}, {"Jean-Paul", "JEAN PAUL", same}, {"Jean-Paul", "JEANPAUL", same},
		{"Anna Maria", "ANNA", same}, {"GARCIA LOPEZ", "GARCIA", same}, {"Łukasz", "LUKASZ", same}, {"Þór", "THOR", same},
		{"Maria Anna", "ANNA MARIA", different}, {"J", "JOHN JAMES J", different}, {"", "ANNA", different}, {"LEE", "LEA", near}, {"SCHNEIDER", "SCHREINER", near},
		{"ANNA", "PETER", different}, {"ANNA", "ANNABELLA", different},
	} {
		if got := names(c.a, c.b); got != c.want {
			t.Errorf("names(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if names(c.a, c.b) != names(c.b, c.a) {
			t.Errorf("names(%q, %q) depends on the order", c.a, c.b)
		}
	}
}

// draw draws a document of which every reading is final.
func draw(t *rapid.T) paper {
	p := paper{}
	texts := map[string][]string{
		"surname": {"MORGAN", "Müller", "MUELLER"}, "given_names": {"ANNA", "ANNA MARIA", "PETER"}, "birth_date": {"1974-08-12", "1994-08-12", "1974", "2030-01-01"},
		"expiry_date": {"2030-01-31", "2020-01-31"}, "issue_date": {"2010-01-31", "2031-01-01"}, "document_number": {"123456789", "MORGA753116SM9IJ", "I23456789"}, "sex": {"M", "F"},
		"doc.class.type": {"passport", "driving_licence", "visa"}, "doc.class.country": {"GBR", "UTO", "FRA"},
	}
	for _, id := range inputsOfRules() {
		field := id[strings.LastIndex(id, ".")+1:]
		some := texts[field]
		if some == nil {
			some = texts[strings.TrimPrefix(id, "back:")]
		}
		if some == nil {
			some = []string{"ok", "!"}
		}
		if v := rapid.SampledFrom(append([]string{"", "?", "-"}, some...)).Draw(t, id); v != "" {
			p[id] = v
		}
	}
	return p
}

// inputsOfRules lists every check that rules look at, of both sides.
func inputsOfRules() []string {
	var out []string
	for _, c := range check.All() {
		if looksAt(c.ID) {
			out = append(out, c.ID, "back:"+c.ID)
		}
	}
	return out
}

// An answer that is given early is the one that all facts give, and with all facts every check has an answer.
func TestEarlyIsNotWrong(t *testing.T) {
	keys := check.Owed(name, []check.Medium{check.Document, check.Back})
	rapid.Check(t, func(t *rapid.T) {
		whole := draw(t)
		request := &factv1.Opened{MinimumAge: rapid.SampledFrom([]uint32{0, 18}).Draw(t, "age")}
		if rapid.Bool().Draw(t, "declared") {
			request.Declared = &factv1.Declared{Surname: "Muller", GivenNames: "Anna", BirthDate: "1974-08-12", DocumentNumber: "123456789"}
		}
		part := paper{}
		for _, id := range inputsOfRules() {
			if v, ok := whole[id]; ok {
				part[id] = v
			}
			if rapid.Bool().Draw(t, "open") {
				part[id] = "…"
			}
		}
		for _, k := range keys {
			late := whole.doc(request).decide(k)
			if !late.ready {
				t.Fatalf("%s has no answer although everything is known", k)
			}
			if late.outcome != stream.Pass && late.reason == "" {
				t.Fatalf("%s is %s without a reason", k, late.outcome)
			}
			if early := part.doc(request).decide(k); early.ready && early != late {
				t.Fatalf("%s is %s early and %s late", k, in(early), in(late))
			}
		}
	})
}
