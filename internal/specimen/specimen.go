// Package specimen draws identity documents of an invented state, for demonstrations, benchmarks and tests.
//
// The state is Utopia, whose code UTO is the one that ICAO Doc 9303 sets aside for examples. Two documents
// exist: a passport data page (TD3, 125 × 88 mm) and a driving licence in the British manner (ID-1, 85.6 ×
// 53.98 mm). Everything on one agrees with everything else on it: printed fields, machine-readable zone, check
// digits, driver number. A tampered twin is the same document after a forger's work: another portrait
// stuck over the first, or one printed field replaced so that it contradicts the rest.
//
// A document is drawn in millimetres, then "printed" (grain), then perhaps tampered with, then "captured":
// as a scan of the page alone, or as a photograph on a desk (Scene). The same Options give the same
// pixels. Draw also returns the truth: what the document says and where it is in the picture.
package specimen

import (
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Kind is the document to draw.
type Kind string

// The documents of Utopia.
const (
	Passport Kind = "passport"
	UKCard   Kind = "uk-card"
)

// Tamper is what a forger did to the document.
type Tamper string

// What can have been done; Portrait and Text are found by looking, and Text also by cross-checking.
const (
	Untouched Tamper = ""
	Portrait  Tamper = "portrait"
	Text      Tamper = "text"
)

// Options say what to draw. Kind, Now and Material are required.
type Options struct {
	Kind     Kind
	Tamper   Tamper
	Seed     uint64    // chooses the person, the numbers and the noise
	Now      time.Time // the document is valid then
	Material *Material
	Portrait image.Image // the holder; nil means Material's
	Sex      string      // "F" or "M"; empty means by seed, or Material's holder's where that portrait is used
	Scene    *Scene      // nil means the page alone
}

// Specimen is a drawn document.
type Specimen struct {
	Image *pix.RGB
	Truth Truth
}

// Truth is what a perfect reader would find.
type Truth struct {
	Kind Kind
	// Fields are what the state printed, by the names of the findings doc.text.field.*: names in capitals, dates
	// in ISO 8601, numbers without spaces.
	Fields map[string]string
	MRZ    []string // the lines of the machine-readable zone; nil on a driving licence
	Quad   pix.Quad // where the document is in the picture
	Tamper Tamper
	Forged map[string]string // of a text forgery: field → what is printed now
}

// Draw draws a document.
func Draw(o Options) (*Specimen, error) {
	if o.Material == nil || o.Now.IsZero() {
		return nil, errors.New("drawing a specimen: material and the present date are needed")
	}
	d := &document{Options: o, person: newPerson(o), layout: layouts[o.Kind]}
	switch {
	case d.layout == nil:
		return nil, fmt.Errorf("drawing a specimen: kind %q is neither passport nor uk-card", o.Kind)
	case o.Tamper != Untouched && o.Tamper != Portrait && o.Tamper != Text:
		return nil, fmt.Errorf("drawing a specimen: tampering %q is neither portrait nor text", o.Tamper)
	}
	if err := o.Scene.validate(); err != nil {
		return nil, fmt.Errorf("drawing a specimen: %w", err)
	}
	page := d.print()
	s := &Specimen{Truth: d.truth()}
	s.Image, s.Truth.Quad = d.capture(page)
	return s, nil
}

// JPEG writes the picture as a camera would store it.
func (s *Specimen) JPEG(w io.Writer) error {
	if err := jpeg.Encode(w, s.Image.Image(), &jpeg.Options{Quality: 90}); err != nil {
		return fmt.Errorf("writing a specimen: %w", err)
	}
	return nil
}

// Streams of random numbers are kept apart, so that a tampered twin differs from its original in nothing
// but what the forger did.
const (
	streamPerson uint64 = iota + 1
	streamDrawing
	streamForger
	streamScene
)

func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// document is one document being drawn.
type document struct {
	Options
	person person
	layout *layout
	forged map[string]string
}

func (d *document) truth() Truth {
	t := Truth{Kind: d.Kind, Fields: d.layout.fields(d.person), Tamper: d.Tamper, Forged: d.forged}
	if d.Kind == Passport {
		t.MRZ = d.person.mrz()
	}
	return t
}

// capture takes the picture of the printed page.
func (d *document) capture(page *pix.RGB) (*pix.RGB, pix.Quad) {
	if d.Scene != nil {
		return d.Scene.shoot(page, d.layout, d.Seed)
	}
	out := blur(page, 0.55)
	addNoise(out, 1.6, d.Seed^streamScene)
	return out, pix.Quad{{X: 0, Y: 0}, {X: float64(out.W - 1)}, {X: float64(out.W - 1), Y: float64(out.H - 1)}, {Y: float64(out.H - 1)}}
}
