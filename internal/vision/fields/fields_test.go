package fields

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

var now = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

func TestDates(t *testing.T) {
	for _, c := range []struct {
		text  string
		order Order
		want  []string
	}{
		{"22.06.1969", DayFirst, []string{"1969-06-22"}},
		{"01/06/1958", MonthFirst, []string{"1958-01-06"}},
		{"13/06/1958", MonthFirst, []string{"1958-06-13"}},
		{"22 12 2009", DayFirst, []string{"2009-12-22"}},
		{"30 MAR/MAR 1972", DayFirst, []string{"1972-03-30"}},
		{"13 LIP/JUL 2006", DayFirst, []string{"2006-07-13"}},
		{"8 Août/Aug 2006", DayFirst, []string{"2006-08-08"}},
		{"20 Juin/Jun 1978", DayFirst, []string{"1978-06-20"}},
		{"10DEC/DIC 96", DayFirst, []string{"1996-12-10"}},
		{"12 AUG/AOUT 74", DayFirst, []string{"1974-08-12"}},
		{"12 März 1981", DayFirst, []string{"1981-03-12"}},
		{"1974-08-12", DayFirst, []string{"1974-08-12"}},
		{"24/03/2009 24/03/2019", DayFirst, []string{"2009-03-24", "2019-03-24"}},
		{"31.02.1990", DayFirst, nil},
		{"99999-1234", DayFirst, nil},
		{"PRAHA 1", DayFirst, nil},
	} {
		if got := (Calendar{Order: c.order, Now: now}).Dates(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"Żółkiewski": "ZOLKIEWSKI", "Straße 5": "STRASSE 5", "ČESKÁ  REPUBLIKA/": "CESKA REPUBLIKA", "Çağrı": "CAGRI"} {
		if got := Fold(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if Same("MÜLLER", "MUELLER") != 0 || Same("Muller", "MULLER") != 0 || Same("MILLER", "MULLER") == 0 {
		t.Error("umlauts")
	}
}

func TestUKDrivingLicenceVectors(t *testing.T) {
	type vector struct {
		ID, Kind string
		Input    json.RawMessage
		Expected struct {
			WellFormed bool   `json:"well_formed"`
			Matches    *bool  `json:"matches_holder"`
			First      string `json:"first_13"`
		}
	}
	type holder struct {
		Number, Surname string
		Given           string `json:"given_names"`
		Birth           string `json:"birth_date"`
		Sex             string
	}
	for _, v := range material.Lines[vector](t, "E/uk_driving_licence.jsonl") {
		if v.Kind == "uk-driving-licence-format" {
			var number string
			if err := json.Unmarshal(v.Input, &number); err != nil {
				t.Fatal(err)
			}
			if got := UKWellFormed(number); got != v.Expected.WellFormed {
				t.Errorf("%s %s: %v", v.ID, number, got)
			}
			continue
		}
		var h holder
		if err := json.Unmarshal(v.Input, &h); err != nil {
			t.Fatal(err)
		}
		first := UKFirst13(h.Surname, h.Given, h.Birth, h.Sex)
		if v.Expected.First != "" && first != v.Expected.First {
			t.Errorf("%s: %s, want %s", v.ID, first, v.Expected.First)
		}
		if m := v.Expected.Matches; m != nil && (UKWellFormed(h.Number) && strings.HasPrefix(h.Number, first)) != *m {
			t.Errorf("%s: match is not %v", v.ID, *m)
		}
	}
}

// line makes a line at x, y whose characters are 10 wide and 20 high.
func line(x, y float64, text string) Line {
	n := len([]rune(text))
	l := Line{Quad: pix.Rect(x, y, x+10*float64(n), y+20), Text: text}
	for i := range n {
		l.Conf = append(l.Conf, 1)
		l.At = append(l.At, (float32(i)+0.5)/float32(n))
	}
	return l
}

func values(list []Field) map[string]string {
	out := map[string]string{}
	for _, f := range list {
		out[f.Name] = f.Date
		if f.Date == "" {
			out[f.Name] = f.Text
		}
	}
	return out
}

func check(t *testing.T, got, want map[string]string) {
	t.Helper()
	for n, w := range want {
		if got[n] != w {
			t.Errorf("%s: %q, want %q", n, got[n], w)
		}
	}
}

var passport = []Line{
	line(300, 0, "NAZWISKO/SURNAME/NOM"), line(300, 25, "KOWALSKA"),
	line(300, 60, "IMIONA/GIVEN NAMES/PRÉNOMS"), line(300, 85, "ANNA MARIA"),
	line(300, 120, "DATA URODZENIA/DATE OF BIRTH"), line(300, 145, "30 MAR/MAR 1972"),
	line(700, 120, "PESEL/PERSONAL NO"), line(700, 145, "72033012347"),
	line(300, 180, "PŁEĆ/SEX"), line(300, 205, "K/F"),
	line(300, 240, "DATA WYDANIA/DATE OF ISSUE"), line(300, 265, "13 LIP/JUL 2016"),
	line(300, 300, "DATA WAŻNOŚCI/DATE OF EXPIRY"), line(300, 325, "13 LIP/JUL 2026"),
}

func TestLabels(t *testing.T) {
	check(t, values(Extract(Page{Lines: passport, Calendar: Calendar{Now: now}})), map[string]string{Surname: "KOWALSKA", Given: "ANNA MARIA",
		Birth: "1972-03-30", Personal: "72033012347", Sex: "F", Issue: "2016-07-13", Expiry: "2026-07-13"})
}

// The zone says where to look; what is reported is what is printed.
func TestAnchorsReportPrint(t *testing.T) {
	known := Known{Surname: "KOWALZKA", Given: "ANNA MARIA", Birth: "1972-03-31", Expiry: "2026-07-13"}
	check(t, values(Extract(Page{Lines: passport, Known: known, Calendar: Calendar{Now: now}})), map[string]string{Surname: "KOWALSKA", Birth: "1972-03-30", Expiry: "2026-07-13"})
}

func TestFirmLeavesOutWhatMayChange(t *testing.T) {
	got := values(Extract(Page{Lines: passport, Firm: true, Known: Known{Surname: "KOWALSKA"}, Calendar: Calendar{Now: now}}))
	if len(got) != 1 || got[Surname] != "KOWALSKA" {
		t.Errorf("%v", got)
	}
}

func TestNumberedFields(t *testing.T) {
	british := []Line{line(300, 0, "1. MORGAN"), line(300, 30, "2. MRS SARAH MEREDYTH"), line(300, 60, "3. 05.07.1964 UNITED KINGDOM"),
		line(300, 90, "4a. 19.01.2013 4c. DVLA"), line(300, 120, "4b. 18.01.2033"), line(300, 150, "5. MORGA657054SM9IJ 35"),
		line(300, 180, "8. 122 BURNS CRESCENT"), line(330, 205, "EDINBURGH EH1 9GP"), line(300, 240, "9. AM/A/B1/B")}
	check(t, values(Extract(Page{Lines: british, Numbered: true, Calendar: Calendar{Now: now}})), map[string]string{Surname: "MORGAN", Given: "SARAH MEREDYTH", Birth: "1964-07-05",
		Issue: "2013-01-19", Issuer: "DVLA", Expiry: "2033-01-18", Number: "MORGA657054SM9IJ", Address: "122 BURNS CRESCENT, EDINBURGH EH1 9GP", Categories: "AM/A/B1/B"})
	american := []Line{line(300, 0, "4dLIC#ABCDE123"), line(300, 30, "1 DOE"), line(300, 60, "2 JANE"), line(300, 90, "3 DOB 01/06/1958"),
		line(300, 120, "4aISS01/06/2015"), line(300, 150, "4b EXP 08/12/2020"), line(300, 180, "15 SEX F"), line(300, 210, "5DD123456789")}
	check(t, values(Extract(Page{Lines: american, Numbered: true, Calendar: Calendar{Now: now, Order: MonthFirst}})), map[string]string{Surname: "DOE", Given: "JANE",
		Birth: "1958-01-06", Issue: "2015-01-06", Expiry: "2020-08-12", Number: "ABCDE123", Sex: "F"})
}

func FuzzExtract(f *testing.F) {
	f.Add("1. MORGAN", "SURNAME/NOM", "30 MAR/MAR 1972")
	f.Add("4a. 19.01.2013 4c. DVLA", "ſ\xff4B", "ŉ 01.02")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		lines := []Line{line(0, 0, a), line(0, 25, b), line(0, 50, c)}
		for _, numbered := range []bool{true, false} {
			for _, x := range Extract(Page{Lines: lines, Numbered: numbered, Known: Known{Surname: a, Birth: "1972-03-30"}, Calendar: Calendar{Now: now}}) {
				if x.Line > 2 || x.Name == "" {
					t.Errorf("%+v", x)
				}
			}
		}
	})
}
