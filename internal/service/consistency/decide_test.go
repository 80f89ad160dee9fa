package consistency

import (
	"fmt"
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
		{"another name in a full zone", passport(inPrint+"given_names", "Peter", inZone+"surname", "VON UND ZU WITTGENSTEIN", inZone+"given_names", "ANNA M"),
			"doc.consistency.viz_vs_mrz.given_names", "fail(mismatch)"},
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
		{"declared given names, only the zone has them", passport(inPrint+"given_names", "Anja"), "doc.consistency.declared_vs_doc.given_names", "pass"},
		{"declared number is another", passport(inZone+"document_number", "987654321"), "doc.consistency.declared_vs_doc.document_number", "fail(mismatch)"},
		{"declared, nobody looked", paper{inPrint + "surname": "-"}, "doc.consistency.declared_vs_doc.surname", "not_performed(damaged_media)"},
		{"declared, nobody read it", passport(inPrint+"surname", "?", inZone+"surname", "?"), "doc.consistency.declared_vs_doc.surname", "inconclusive(reading_doubtful)"},
		{"declared, not on it", paper{}, "doc.consistency.declared_vs_doc.surname", "not_applicable(not_on_document)"},
		{"the zone outranks print", passport(inPrint+"birth_date", "1975-08-12"), "doc.consistency.declared_vs_doc.birth_date", "pass"},
		{"print outranks a zone whose digit fails", passport(inZone+"birth_date", "1975-08-12", "doc.mrz.check.birth", "!"), "doc.consistency.declared_vs_doc.birth_date", "pass"},

		{"valid", passport(), "doc.validity.expired", "pass"},
		{"valid to the last day", passport(inZone+"expiry_date", "2026-11-25"), "doc.validity.expired", "pass"},
		{"expired yesterday", passport(inZone+"expiry_date", "2026-11-24"), "doc.validity.expired", "fail(expired)"},
		{"expired this month, on a day not known", licence(inPrint+"expiry_date", "2026-11"), "doc.validity.expired", "inconclusive(partial_date)"},
		{"expired last month, on a day not known", licence(inPrint+"expiry_date", "2026-10"), "doc.validity.expired", "fail(expired)"},
		{"expires next month, on a day not known", licence(inPrint+"expiry_date", "2026-12-00"), "doc.validity.expired", "pass"},
		{"expired last year, on a day not known", licence(inPrint+"expiry_date", "2025"), "doc.validity.expired", "fail(expired)"},
		{"expires this year, on a day not known", licence(inPrint+"expiry_date", "2026-00-00"), "doc.validity.expired", "inconclusive(partial_date)"},
		{"expiry nobody looked at", licence(inPrint+"expiry_date", "-"), "doc.validity.expired", "not_performed(damaged_media)"},
		{"expiry not read", passport("doc.mrz.check.expiry", "!", inPrint+"expiry_date", "?", inZone+"expiry_date", "?"), "doc.validity.expired", "inconclusive(reading_doubtful)"},
		{"never expires", licence(inPrint+"expiry_date", ""), "doc.validity.expired", "not_applicable(not_on_document)"},
		{"no date at all", licence(inPrint+"expiry_date", "soon"), "doc.validity.expired", "inconclusive(no_date)"},
		{"issued before", passport(), "doc.validity.issued_before_expiry", "pass"},
		{"issued after", passport(inPrint+"issue_date", "2031-01-31"), "doc.validity.issued_before_expiry", "fail(issued_after_expiry)"},
		{"one date taken for both", passport(inPrint+"issue_date", "2030-01-31"), "doc.validity.issued_before_expiry", "inconclusive(same_date)"},
		{"issued in the year it expires", passport(inPrint+"issue_date", "2030"), "doc.validity.issued_before_expiry", "inconclusive(same_date)"},
		{"issued in the year before", passport(inPrint+"issue_date", "2029"), "doc.validity.issued_before_expiry", "pass"},
		{"issued on no date", passport(inPrint+"issue_date", "soon"), "doc.validity.issued_before_expiry", "inconclusive(no_date)"},
		{"issued, but not on the document", passport(inPrint+"issue_date", ""), "doc.validity.issued_before_expiry", "not_applicable(not_on_document)"},
		{"a barcode has the day of issue", licence(inPrint+"issue_date", "2031-01-01", "back:"+inBarcode+"issue_date", "2020-01-19"), "doc.validity.issued_before_expiry", "pass"},
		{"born today", licence(inPrint+"birth_date", "2026-11-25"), "doc.validity.birth_plausible", "pass"},
		{"born tomorrow", licence(inPrint+"birth_date", "2026-11-26"), "doc.validity.birth_plausible", "fail(in_future)"},
		{"125 years old", licence(inPrint+"birth_date", "1900-11-26"), "doc.validity.birth_plausible", "pass"},
		{"126 years old", licence(inPrint+"birth_date", "1900-11-25"), "doc.validity.birth_plausible", "fail(too_long_ago)"},
		{"18 today", licence(inPrint+"birth_date", "2008-11-25"), "doc.validity.minimum_age", "pass"},
		{"18 tomorrow", licence(inPrint+"birth_date", "2008-11-26"), "doc.validity.minimum_age", "fail(under_age)"},
		{"18 this year, on a day not known", licence(inPrint+"birth_date", "2008"), "doc.validity.minimum_age", "inconclusive(partial_date)"},

		{"18 this month, on a day not known", licence(inPrint+"birth_date", "2008-11"), "doc.validity.minimum_age", "inconclusive(partial_date)"},
		{"18 last month, on a day not known", licence(inPrint+"birth_date", "2008-10"), "doc.validity.minimum_age", "pass"},
		{"18 next month, on a day not known", licence(inPrint+"birth_date", "2008-12-00"), "doc.validity.minimum_age", "fail(under_age)"},
		{"age not read", licence(inPrint+"birth_date", "?"), "doc.validity.minimum_age", "inconclusive(reading_doubtful)"},
		{"age not on the document", licence(inPrint+"birth_date", ""), "doc.validity.minimum_age", "not_applicable(not_on_document)"},
		{"of age by the zone, print is not awaited", passport(inPrint+"birth_date", "…"), "doc.validity.minimum_age", "pass"},
		{"under age by the zone, print is awaited", passport(inZone+"birth_date", "2012-08-12", inPrint+"birth_date", "…"), "doc.validity.minimum_age", "wait"},
		{"under age by the zone, print is not read", passport(inZone+"birth_date", "2012-08-12", inPrint+"birth_date", "?"), "doc.validity.minimum_age", "fail(under_age)"},
		{"under age by zone and print", passport(inZone+"birth_date", "2012-08-12", inPrint+"birth_date", "2012-08-12"), "doc.validity.minimum_age", "fail(under_age)"},
		{"under age by the zone, an adult by print", passport(inZone+"birth_date", "2012-08-12", inPrint+"birth_date", "1990-08-12"), "doc.validity.minimum_age", "fail(under_age)"},
		{"under age by the zone, another day by print", passport(inZone+"birth_date", "2012-08-12", inPrint+"birth_date", "1912-08-13"), "doc.validity.minimum_age", "fail(under_age)"},
		{"under age by the zone, over a hundred by print", passport(inZone+"birth_date", "2012-08-12", inPrint+"birth_date", "1912-08-12"), "doc.validity.minimum_age", "inconclusive(century_in_doubt)"},

		{"British passport", passport(), "doc.validity.number_format", "pass"},
		{"British passport with a letter", passport(inZone+"document_number", "X23456789"), "doc.validity.number_format", "fail(wrong_structure)"},
		{"American passport of 2021", passport("doc.class.country", "USA", inZone+"document_number", "A23456789"), "doc.validity.number_format", "pass"},
		{"no rule for the country", passport("doc.class.country", "FRA"), "doc.validity.number_format", "not_applicable(no_rule)"},
		{"no rule for the type, whatever the country", passport("doc.class.type", "visa", "doc.class.country", "…"), "doc.validity.number_format", "not_applicable(no_rule)"},
		{"country not known", passport("doc.class.country", "?"), "doc.validity.number_format", "inconclusive(reading_doubtful)"},
		{"driver number of its holder", licence(), "doc.validity.number_format", "pass"},
		{"driver number of a woman", licence(inPrint+"birth_date", "1976-03-11", inPrint+"document_number", "MORGA753116SM9IJ"), "doc.validity.number_format", "pass"},
		{"driver number of a man", licence(inPrint+"document_number", "MORGA703116SM9IJ"), "doc.validity.number_format", "pass"},
		{"driver number of a man, another's birth date", licence(inPrint+"document_number", "MORGA703126SM9IJ"), "doc.validity.number_format", "fail(not_of_holder)"},
		{"driver number, digits read as letters", licence(inPrint+"document_number", "M0RGA 7S3II6 SM9IJ"), "doc.validity.number_format", "pass"},
		{"birth date changed", licence(inPrint+"birth_date", "1979-03-11"), "doc.validity.number_format", "fail(not_of_holder)"},
		{"surname changed", licence(inPrint+"surname", "SHERIDAN"), "doc.validity.number_format", "fail(not_of_holder)"},
		{"surname misread", licence(inPrint+"surname", "MDRGAN"), "doc.validity.number_format", "inconclusive(near_match)"},
		{"surname misread in two places", licence(inPrint+"surname", "MDRGEN"), "doc.validity.number_format", "inconclusive(near_match)"},
		{"surname misread in three places", licence(inPrint+"surname", "NDRGEN"), "doc.validity.number_format", "fail(not_of_holder)"},
		{"surname with its marks left out", licence(inPrint+"surname", "Øvergård", inPrint+"document_number", "OVERG753116SM9IJ"), "doc.validity.number_format", "pass"},
		{"surname with its letters written out", licence(inPrint+"surname", "Øvergård", inPrint+"document_number", "OEVER753116SM9IJ"), "doc.validity.number_format", "pass"},
		{"surname with A and a ring", licence(inPrint+"surname", "ÅNGSTRÖM", inPrint+"document_number", "AANGS753116SM9IJ"), "doc.validity.number_format", "pass"},
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
		{"Maria Elena", "MARIAELENA", same}, {"Jo Anna", "JOANNA", same}, {"Müller-Lüdenscheidt", "MULLERLUEDENSCHEIDT", same}, {"-", "ANNA", different},
		{"ABCDEFGH", "ABCDEFXY", near}, {"ABCDEFGH", "ABCDEXYZ", different},
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

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want likeness
	}{
		{"123 456-789", "123456789", same}, {"AB123456", "ab 123456", same}, {"O1234567", "01234567", near}, {"8123456", "B123456", near},
		{"123456", "X123456", near}, {"123456", "1234567", near}, {"12345", "X12345", different}, {"123456", "654321", different},
		{"", "123456", different}, {"-", "-", different},
	} {
		if got, back := numbers(c.a, c.b), numbers(c.b, c.a); got != c.want || back != got {
			t.Errorf("numbers(%q, %q) = %d, turned round %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}

func TestSexes(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want likeness
	}{{"F", "f", same}, {"", "", near}, {"M", "F", different}, {"X", "M", different}, {"", "M", near}, {"<", "M", near}, {"K", "F", near}, {"MF", "M", near}} {
		if got, back := sexes(c.a, c.b), sexes(c.b, c.a); got != c.want || back != got {
			t.Errorf("sexes(%q, %q) = %d, turned round %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}

// However a name is written, as print writes it and as a zone does, with or without its signs and spaces, it is the same name.
func TestNamesInAnyWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ways := [][]string{{"Müller", "MUELLER", "MULLER"}, {"Jørgensen", "JOERGENSEN", "JORGENSEN"}, {"Pål", "PAAL", "PAL"}, {"Ñuñez", "NXXUNXXEZ", "NUNEZ"},
			{"Elena", "ELENA"}, {"Maria", "MARIA"}, {"Bæk", "BAEK"}, {"Groß", "GROSS"}, {"O'Neil", "ONEIL"}, {"Þóra", "THORA"}}
		var a, b string
		for range rapid.IntRange(1, 4).Draw(t, "words") {
			way := rapid.SampledFrom(ways)
			w := way.Draw(t, "word")
			a += rapid.SampledFrom(w).Draw(t, "as") + " "
			b += rapid.SampledFrom(w).Draw(t, "as") + rapid.SampledFrom([]string{" ", "-", "", "  "}).Draw(t, "then")
		}
		if got, back := names(a, b), names(b, a); got != same || back != same {
			t.Fatalf("names(%q, %q) = %d, turned round %d", a, b, got, back)
		}
	})
}

// What is said of a date of which a part is not known is what every day says that it may be, or inconclusive where they differ.
func TestPartialDates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := time.Date(2024+rapid.IntRange(0, 4).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		text, days := drawDate(t, on.AddDate(-18*rapid.IntRange(0, 1).Draw(t, "born"), 0, 0))
		ask := &factv1.Opened{MinimumAge: 18}
		for field, check_ := range map[string]string{"expiry_date": "doc.validity.expired", "birth_date": "doc.validity.minimum_age"} {
			said := map[string]bool{}
			for _, d := range days {
				said[decideOn(on, licence(inPrint+field, d.Format(time.DateOnly)), ask, check_)] = true
			}
			got := decideOn(on, licence(inPrint+field, text), ask, check_)
			if len(said) == 1 && !said[got] || len(said) > 1 && got != "inconclusive(partial_date)" {
				t.Fatalf("on %s: %s of %s is %s; of its days %v", on.Format(time.DateOnly), check_, text, got, said)
			}
		}
	})
}

func decideOn(on time.Time, p paper, ask *factv1.Opened, id string) string {
	d := p.doc(ask)
	d.today = on
	return in(d.decide(check.Key{Check: id, Medium: check.Document}))
}

// drawDate draws a date near another, in one of the ways in which parts of it may be missing, and lists the days that it may be.
func drawDate(t *rapid.T, near time.Time) (text string, days []time.Time) {
	d := near.AddDate(0, 0, rapid.IntRange(-400, 400).Draw(t, "off"))
	form := rapid.SampledFrom([]string{"2006-01-02", "2006-01", "2006-01-00", "2006", "2006-00-00"}).Draw(t, "form")
	text = d.Format(form)
	whole := strings.ReplaceAll(form, "-00", "")
	for x := d.AddDate(-1, 0, -1); !x.After(d.AddDate(1, 0, 1)); x = x.AddDate(0, 0, 1) {
		if x.Format(whole) == d.Format(whole) {
			days = append(days, x)
		}
	}
	return text, days
}

// The day is that of the moment in UTC, from its first to its last nanosecond.
func TestDay(t *testing.T) {
	east := time.FixedZone("east", 5*60*60)
	for _, at := range []time.Time{today, today.Add(24*time.Hour - 1), today.Add(3 * time.Hour).In(east), today.Add(23 * time.Hour).In(east)} {
		if !day(at).Equal(today) {
			t.Errorf("%s is of the day %s", at, day(at))
		}
	}
}

// An age is reached on a birthday, or on 1 March by who was born on 29 February, counted day by day.
func TestAges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		born := time.Date(1950+rapid.IntRange(0, 70).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 365).Draw(t, "day"))
		if rapid.Bool().Draw(t, "leap") {
			born = time.Date(1952+4*rapid.IntRange(0, 16).Draw(t, "four"), 2, 29, 0, 0, 0, 0, time.UTC)
		}
		age := rapid.IntRange(0, 125).Draw(t, "age")
		on := reaches(born, age)
		day := fmt.Sprint(on.Month(), on.Day())
		leaps := born.Month() == 2 && born.Day() == 29 && (on.Year()%4 != 0 || on.Year()%100 == 0 && on.Year()%400 != 0)
		if on.Year()-born.Year() != age || day != fmt.Sprint(born.Month(), born.Day()) && !(leaps && day == "March 1") {
			t.Fatalf("born %s, %d on %s", born.Format(time.DateOnly), age, on.Format(time.DateOnly))
		}
	})
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

// named makes every reason tell which reading it came from.
func named(d document) document {
	look := d.look
	d.look = func(k check.Key) reading {
		r := look(k)
		if r.reason != "" {
			r.reason += " of " + k.String()
		}
		return r
	}
	return d
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
			late := named(whole.doc(request)).decide(k)
			if !late.ready {
				t.Fatalf("%s has no answer although everything is known", k)
			}
			if late.outcome != stream.Pass && late.reason == "" {
				t.Fatalf("%s is %s without a reason", k, late.outcome)
			}
			if early := named(part.doc(request)).decide(k); early.ready && early != late {
				t.Fatalf("%s is %s early and %s late", k, in(early), in(late))
			}
		}
	})
}
