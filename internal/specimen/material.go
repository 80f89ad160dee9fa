package specimen

import (
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the portrait is a JPEG
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
)

// Material is what documents are drawn with: typefaces and the portrait of a holder. It may be used for
// many documents, one at a time or at once.
type Material struct {
	Holder    image.Image // nil means that a figure is drawn
	HolderSex string
	fonts     map[typeface]*opentype.Font
}

type typeface string

const (
	sans      typeface = "DejaVuSans.ttf"
	bold      typeface = "DejaVuSans-Bold.ttf"
	mono      typeface = "DejaVuSansMono.ttf"
	serif     typeface = "DejaVuSerif.ttf"
	serifBold typeface = "DejaVuSerif-Bold.ttf"
	ocrB      typeface = "OCRBS.otf"
)

// LoadMaterial reads fonts/ and demo/portrait.jpg of a models directory. The portrait may be missing; a
// missing font is an error that says how to restore it.
func LoadMaterial(models string) (*Material, error) {
	m := &Material{fonts: map[typeface]*opentype.Font{}}
	for _, t := range []typeface{sans, bold, mono, serif, serifBold, ocrB} {
		b, err := os.ReadFile(filepath.Join(models, "fonts", string(t)))
		if err != nil {
			return nil, fmt.Errorf("loading specimen fonts: %w: run `make setup`", err)
		}
		if m.fonts[t], err = opentype.Parse(b); err != nil {
			return nil, fmt.Errorf("loading specimen font %s: %w", t, err)
		}
	}
	f, err := os.Open(filepath.Join(models, "demo", "portrait.jpg"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the specimen portrait: %w", err)
	}
	defer f.Close()
	if m.Holder, _, err = image.Decode(f); err != nil {
		return nil, fmt.Errorf("loading the specimen portrait: %w", err)
	}
	m.HolderSex = "F" // the portrait that set-up makes shows a woman
	return m, nil
}

// face returns the typeface in a size at which capitals are cap pixels high.
func (m *Material) face(t typeface, cap float64) (font.Face, error) {
	const probe = 1000
	f, err := opentype.NewFace(m.fonts[t], &opentype.FaceOptions{Size: probe, DPI: 72})
	if err != nil {
		return nil, err
	}
	b, _, ok := f.GlyphBounds('H')
	if !ok {
		return nil, fmt.Errorf("typeface %s has no H", t)
	}
	height := float64(-b.Min.Y) / 64
	return opentype.NewFace(m.fonts[t], &opentype.FaceOptions{Size: probe * cap / height, DPI: 72})
}
