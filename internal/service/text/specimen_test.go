package text_test

import (
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/specimen"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
)

// What the generator prints is read whole, diacritics aside; nationality and issuer
// stand there in words, and the truth has their codes.
func TestSpecimens(t *testing.T) {
	b, mat := newBench(t), specimenMaterial(t)
	for _, kind := range []specimen.Kind{specimen.Passport, specimen.UKCard} {
		for seed := uint64(1); seed <= 4; seed++ {
			sp := drawn(t, specimen.Options{Kind: kind, Seed: seed, Material: mat})
			s := b.run(t, sp.Image, check.Document, true)
			if got := s.value("doc.mrz.detected"); got != strings.Join(sp.Truth.MRZ, "\n") {
				t.Errorf("%s %d: zone %q", kind, seed, got)
			}
			if got := s.value("doc.class.country"); got != "UTO" {
				t.Errorf("%s %d: country %q", kind, seed, got)
			}
			for n, want := range sp.Truth.Fields {
				if n == fields.Nationality || n == fields.Issuer {
					continue
				}
				if got := s.value("doc.text.field." + n); fields.Fold(got) != fields.Fold(want) {
					t.Errorf("%s %d: %s %q, want %q", kind, seed, n, got, want)
				}
			}
		}
	}
}

// A forger changed print and left the zone alone: the service must report what is
// printed now, not what the zone says.
func TestForgedPrintIsReadAsPrinted(t *testing.T) {
	b, mat := newBench(t), specimenMaterial(t)
	for _, kind := range []specimen.Kind{specimen.Passport, specimen.UKCard} {
		for seed := uint64(1); seed <= 4; seed++ {
			sp := drawn(t, specimen.Options{Kind: kind, Seed: seed, Material: mat, Tamper: specimen.Text})
			s := b.run(t, sp.Image, check.Document, true)
			for n, want := range sp.Truth.Forged {
				if got := s.value("doc.text.field." + n); fields.Fold(got) != fields.Fold(want) {
					t.Errorf("%s %d: %s %q, printed is %q", kind, seed, n, got, want)
				}
			}
			if kind == specimen.Passport && s.value("doc.mrz.detected") != strings.Join(sp.Truth.MRZ, "\n") {
				t.Errorf("%s %d: zone %q", kind, seed, s.value("doc.mrz.detected"))
			}
		}
	}
}

func specimenMaterial(t *testing.T) *specimen.Material {
	m, err := specimen.LoadMaterial(models.Find())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func drawn(t *testing.T, o specimen.Options) *specimen.Specimen {
	o.Now = now
	sp, err := specimen.Draw(o)
	if err != nil {
		t.Fatal(err)
	}
	return sp
}
