package mrz_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

func TestDates(t *testing.T) {
	for _, c := range []struct{ in, birth, expiry string }{
		{"740812", "1974-08-12", "2074-08-12"},
		{"261124", "2026-11-24", "2026-11-24"},
		{"261126", "1926-11-26", "2026-11-26"},
		{"961210", "1996-12-10", "1996-12-10"},
		{"74<<<<", "1974", "2074"},
		{"7408<<", "1974-08", "2074-08"},
		{"740230", "", ""},
		{"741301", "", ""},
		{"7408x2", "", ""},
		{"74<<12", "", ""},
		{"<<<<<<", "", ""},
		{"7408", "", ""},
	} {
		if got, _ := mrz.BirthDate(c.in, now); got != c.birth {
			t.Errorf("birth %s: got %q, want %q", c.in, got, c.birth)
		}
		if got, _ := mrz.ExpiryDate(c.in, now); got != c.expiry {
			t.Errorf("expiry %s: got %q, want %q", c.in, got, c.expiry)
		}
	}
}

func TestFrenchCard(t *testing.T) {
	d, err := mrz.Parse("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")
	if err != nil {
		t.Fatal(err)
	}
	if d.Format != mrz.FRID || !d.Holds() || d.Value(mrz.FieldSurname) != "BERTHIER" || d.Value(mrz.FieldGiven) != "CORINNE" {
		t.Errorf("%s %v %+v", d.Format, d.Holds(), d.Fields)
	}
}

func TestEuropeanLicence(t *testing.T) {
	d, err := mrz.Parse("D1FRA13AA000026181231MARTIN<<9")
	if err != nil {
		t.Fatal(err)
	}
	if d.Format != mrz.EUDL || !d.Holds() || d.Value(mrz.FieldIssuer) != "FRA" {
		t.Errorf("%s %v %+v", d.Format, d.Holds(), d.Fields)
	}
}

func TestConfidenceFollowsFields(t *testing.T) {
	conf := make([]float32, 44)
	for i := range conf {
		conf[i] = 1
	}
	conf[15] = 0.4
	d, err := mrz.ParseLines([]mrz.Line{{Text: "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"}, {Text: "L898902C36UTO7408122F1204159ZE184226B<<<<<10", Conf: conf}})
	if err != nil {
		t.Fatal(err)
	}
	birth, _ := d.Field(mrz.FieldBirth)
	number, _ := d.Field(mrz.FieldNumber)
	if birth.Conf != 0.4 || number.Conf != 1 {
		t.Errorf("birth %v number %v", birth.Conf, number.Conf)
	}
}

// Any one character of guarded data changed to one of another value class is noticed,
// unless the change is a multiple of ten in the sum.
func TestCheckDigitNotices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(rapid.StringMatching(`[A-Z0-9<]{1,30}`).Draw(t, "data"))
		i := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		before := mrz.CheckDigit(string(data))
		was := mrz.Value(data[i])
		data[i] = rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<")).Draw(t, "to")
		same := (mrz.Value(data[i])-was)%10 == 0
		if got := mrz.CheckDigit(string(data)) == before; got != same {
			t.Errorf("%s: unchanged digit %v, want %v", data, got, same)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10")
	f.Add("I<PRT007666667<ZZ00<<<<<<<<<<<\n8303143M3405293PRT<<<<<<<<<<<4\nCACADOR<DE<ARAUJO<<ANDRE<ESTEV")
	f.Add("D1FRA13AA000026181231MARTIN<<9")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := mrz.Parse(strings.Split(s, "\n")...)
		if err != nil {
			return
		}
		d.Faults()
		d.KeyInformation()
		for _, f := range d.Fields {
			if strings.Contains(f.Value, "\n") {
				t.Errorf("field %s crosses lines", f.Name)
			}
		}
	})
}
