package class_test

import (
	"testing"

	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

func TestPrint(t *testing.T) {
	c := class.NewCountries()
	for _, v := range []struct {
		lines                []string
		typ, country, region string
	}{
		{[]string{"UK DRIVING LICENCE", "1. MORGAN"}, class.Licence, "", ""},
		{[]string{"DRIVING LICENCE", "UNITED KINGDOM"}, class.Licence, "GBR", ""},
		{[]string{"WASHINGTON", "DRIVER LICENSE", "1 TALBOT"}, class.Licence, "USA", "WA"},
		{[]string{"Ontario", "Driver's Licence / Permis de conduire"}, class.Licence, "CAN", "ON"},
		{[]string{"BUNDESREPUBLIK DEUTSCHLAND", "PERSONALAUSWEIS"}, class.Identity, "D", ""},
		{[]string{"ČESKÁ REPUBLIKA/CZECH REPUBLIC", "CESTOVNÍ PAS/PASSPORT"}, class.Passport, "CZE", ""},
		{[]string{"ESPAÑA", "PERMISO DE RESIDENCIA"}, class.Residence, "ESP", ""},
		{[]string{"FÜHRERSCHEIN", "Österreich"}, class.Licence, "AUT", ""},
		{[]string{"VISA", "UTOPIA"}, class.Visa, "UTO", ""},
		{[]string{"VISA", "DEBIT", "4000 1234 5678 9010"}, class.Other, "", ""},
		{[]string{"DEBIT", "4000 1234 5678 9010", "VALID THRU 12/24"}, class.Other, "", ""},
		{nil, class.Other, "", ""},
	} {
		got := c.Classify(class.Input{Lines: v.lines})
		if got.Type != v.typ || got.Country != v.country || got.Region != v.region {
			t.Errorf("%v: %+v", v.lines, got)
		}
	}
}

func zone(t *testing.T, lines ...string) *mrz.Document {
	d, err := mrz.Parse(lines...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestZone(t *testing.T) {
	c := class.NewCountries()
	for _, v := range []struct {
		zone         *mrz.Document
		typ, country string
	}{
		{zone(t, "P<D<<SCHMIDT<<FINN<<<<<<<<<<<<<<<<<<<<<<<<<<", "AA89BXHZ56D<<7503201M2511188<<<<<<<<<<<<<<<8"), class.Passport, "D"},
		{zone(t, "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"), class.Visa, "UTO"},
		{zone(t, "I<FINXA10000585010195<112X<<<<", "9501016F2803135FIN<<<<<<<<<<<7", "SPECIMEN<TRAVEL<<VILMA<SOFIA<<"), class.Identity, "FIN"},
		{zone(t, "I<FINXA10000585010195<112X<<<<", "9501016F2803135SWE<<<<<<<<<<<7", "SPECIMEN<TRAVEL<<VILMA<SOFIA<<"), class.Residence, "FIN"},
		{zone(t, "IRPRT1234AZ5679<<<<<<<<<<<<<<<", "7404076F0912220BRA<<<<<<<<<<<4", "GARCAO<DE<MAGALHAES<<INES<<<<<"), class.Residence, "PRT"},
		{zone(t, "D1FRA13AA000026181231MARTIN<<9"), class.Licence, "FRA"},
	} {
		if got := c.Classify(class.Input{Zone: v.zone}); got.Type != v.typ || got.Country != v.country {
			t.Errorf("%s: %+v", v.zone.Text(), got)
		}
	}
}

func TestBarcode(t *testing.T) {
	card, err := aamva.Parse("@\n\x1e\rANSI 636028090002DL00410278DLDAQT64235789\nDCGCAN\nDAJBC\n")
	if err != nil {
		t.Fatal(err)
	}
	got := class.NewCountries().Classify(class.Input{Card: card})
	if got.Type != class.Licence || got.Country != "CAN" || got.Region != "BC" {
		t.Errorf("%+v", got)
	}
}

func TestCodes(t *testing.T) {
	for in, want := range map[string]string{"DEU": "D", "BDR": "D", "SI": "SVN", "GBR": "GBR", "UTO": "UTO", "": ""} {
		if got := class.ICAO(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func BenchmarkNewCountries(b *testing.B) {
	for b.Loop() {
		class.NewCountries()
	}
}

// AAMVA's standard names the subfile after the card; it has the same elements on both.
func TestCardsAreTold(t *testing.T) {
	for _, c := range []struct {
		subfiles string
		lines    []string
		want     string
	}{
		{"0002DL00410278ZV03190008DL", nil, class.Licence},
		{"0002ID00410278ZV03190008ID", nil, class.Identity},
		{"0002ID00410278ZV03190008ID", []string{"DRIVER LICENSE"}, class.Identity},
		{"0001ZV00410278", []string{"IDENTIFICATION CARD"}, class.Identity},
		{"0001ZV00410278", nil, class.Other},
	} {
		card, err := aamva.Parse("@\n\x1e\rANSI 63602809" + c.subfiles + "DAQT64235789\nDCGCAN\nDCAC\nDAJBC\n")
		if err != nil {
			t.Fatal(err)
		}
		got := class.NewCountries().Classify(class.Input{Card: card, Lines: c.lines})
		if got.Type != c.want || got.Country != "CAN" || got.Region != "BC" {
			t.Errorf("%s %v: %+v", c.subfiles, c.lines, got)
		}
	}
}
