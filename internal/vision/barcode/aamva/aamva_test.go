package aamva_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
)

type vector struct {
	ID, Kind string
	Input    json.RawMessage
	Expected map[string]any
}

func (v vector) payload(t *testing.T) string {
	var in struct {
		Text   string `json:"payload_text"`
		Base64 string `json:"payload_base64"`
	}
	if err := json.Unmarshal(v.Input, &in); err != nil {
		t.Fatal(err)
	}
	if in.Base64 != "" {
		b, err := base64.StdEncoding.DecodeString(in.Base64)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return in.Text
}

func TestVectors(t *testing.T) {
	for _, v := range material.Lines[vector](t, "E/aamva.jsonl") {
		t.Run(v.ID, func(t *testing.T) {
			if v.Kind == "aamva-magstripe" {
				return // a magnetic stripe cannot be read from a picture
			}
			c, err := aamva.Parse(v.payload(t))
			if err != nil {
				t.Fatal(err)
			}
			if sub, ok := v.Expected["subfiles"].(map[string]any); ok {
				checkElements(t, c, sub)
				return
			}
			checkFields(t, c, v.Expected)
		})
	}
}

func checkElements(t *testing.T, c *aamva.Card, subfiles map[string]any) {
	for _, s := range subfiles {
		for id, want := range s.(map[string]any) {
			if got := c.Value(id); got != strings.TrimSpace(want.(string)) {
				t.Errorf("%s: got %q, want %q", id, got, want)
			}
		}
	}
	if h := c.Header(); len(h) != 0 {
		t.Errorf("header: %v", h)
	}
	if m := c.Missing(); len(m) != 0 {
		t.Errorf("missing: %v", m)
	}
}

func checkFields(t *testing.T, c *aamva.Card, want map[string]any) {
	given, _ := want["given_name"].(string)
	if middle, ok := want["middle_name"].(string); ok {
		given += " " + middle
	}
	for name, w := range map[string]any{aamva.Given: given, aamva.Surname: want["surname"], aamva.Birth: want["birth_date"], aamva.Sex: want["sex"],
		aamva.Number: want["document_number"], aamva.Expiry: want["expiry_date"], aamva.Issue: want["issue_date"]} {
		if w == nil {
			continue
		}
		if got := c.Field(name); got != w {
			t.Errorf("%s: got %q, want %q", name, got, w)
		}
	}
	if want["jurisdiction"] != nil && c.Region() != want["jurisdiction"] {
		t.Errorf("region: got %q, want %q", c.Region(), want["jurisdiction"])
	}
	if want["country"] != nil && c.Country() != want["country"] {
		t.Errorf("country: got %q, want %q", c.Country(), want["country"])
	}
	if iin := want["issuer_iin"]; iin != nil && c.IIN != iin {
		t.Errorf("IIN: got %s, want %s", c.IIN, iin)
	}
}

const sample = "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDACMICHAEL\nDADJOHN\nDBD06062019\nDBB06061986\nDBA12102024\nDBC1\r"

func TestFaults(t *testing.T) {
	c, err := aamva.Parse(strings.Replace(sample, "06061986", "13361986", 1))
	if err != nil {
		t.Fatal(err)
	}
	if f := c.DateFaults(); len(f) != 1 || len(c.Missing()) == 0 {
		t.Errorf("date faults %v, missing %v", f, c.Missing())
	}
	c, err = aamva.Parse(strings.Replace(sample, "12102024", "12102014", 1))
	if err != nil {
		t.Fatal(err)
	}
	if f := c.DateFaults(); len(f) != 1 {
		t.Errorf("expiry before issue: %v", f)
	}
	c, err = aamva.Parse(strings.Replace(strings.Replace(sample, "@", "", 1), "636000", "999999", 1))
	if err != nil {
		t.Fatal(err)
	}
	if f := c.Header(); len(f) != 2 {
		t.Errorf("header: %v", f)
	}
}

func TestSubfiles(t *testing.T) {
	for _, c := range []struct {
		payload string
		want    string
	}{
		{sample, "DL ZV"},
		{"@\n\x1e\rANSI 636000100102ID00410278ZV03190008IDDAQT64235789\nDCSSAMPLE\r", "ID ZV"},
		{"@\n\x1e\rANSI 636000100001\nIDDAQT64235789\nDCSSAMPLE\r", "ID"}, // no directory
		{"@\n\x1e\rANSI 636000100101ZV00410278DAQT64235789\r", "ZV"},
		{"@\n\x1e\rANSI 636000100100DAQT64235789\r", ""},
	} {
		card, err := aamva.Parse(c.payload)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(card.Subfiles, " "); got != c.want {
			t.Errorf("%q: subfiles %q, want %q", c.payload, got, c.want)
		}
	}
}

func TestNotAAMVA(t *testing.T) {
	for _, s := range []string{"", "1234567890", "ANSI 12345", "@\n\x1e\rANSI"} {
		if c, err := aamva.Parse(s); err == nil {
			t.Errorf("%q: %+v", s, c)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("@ANSI 6360100102DL00390190ZF02290063DLDAADOE,JOHNDAG5929 N ROCK STDBB19770208")
	f.Add("@\n\nANSI 990876030001DLabacDLDCSMOTORIST\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := aamva.Parse(s)
		if err != nil {
			return
		}
		c.Header()
		c.Missing()
		c.DateFaults()
		for _, fd := range c.Fields() {
			if fd.Value == "" {
				t.Errorf("empty field %s", fd.Name)
			}
		}
		c.Country()
	})
}
