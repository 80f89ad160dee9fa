package zone_test

import (
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// printed is a sheet with lines of OCR-B under one another, and where they are.
func printed(t *testing.T, lines []string) (*pix.RGB, []pix.Quad) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(models.Find(), "fonts", "OCRBS.otf"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := opentype.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	const size, pitch, left, step = 32, 21, 60, 54
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	sheet := image.NewRGBA(image.Rect(0, 0, 44*pitch+2*left, 300))
	draw.Draw(sheet, sheet.Bounds(), image.NewUniform(color.Gray{235}), image.Point{}, draw.Src)
	var quads []pix.Quad
	for row, text := range lines {
		base := 140 + row*step
		for col, r := range text {
			d := font.Drawer{Dst: sheet, Src: image.Black, Face: face, Dot: fixed.P(left+col*pitch, base)}
			d.DrawString(string(r))
		}
		quads = append(quads, pix.Rect(left-4, float64(base-28), float64(left+len(text)*pitch+4), float64(base+5)))
	}
	return pix.FromImage(sheet), quads
}

// A letter in a date and a digit in a name are seen, though the lines that the rules allow cannot hold them.
func TestMisfits(t *testing.T) {
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	r, err := zone.NewReader(set)
	if err != nil {
		t.Fatal(err)
	}
	const first, second = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"as it should be", []string{first, second}, ""},
		{"a letter in the date of birth", []string{first, "L898902C36UTO74K8122F1204159ZE184226B<<<<<10"}, "K"},
		{"a digit in the name", []string{"P<UTOERIK9SON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", second}, "9"},
		{"letters in both dates", []string{first, "L898902C36UTO74X8122F12W4159ZE184226B<<<<<10"}, "XW"},
		{"an O for a 0", []string{first, "L898902C36UTO74O8122F1204159ZE184226B<<<<<10"}, ""},
	} {
		sheet, quads := printed(t, c.lines)
		z, err := r.Find(sheet, quads)
		if err != nil || z == nil {
			t.Errorf("%s: no zone, %v", c.name, err)
			continue
		}
		got := ""
		for _, m := range z.Misfits() {
			got += string(m.Seen)
			if m.Conf < 0.9 || c.lines[m.Row][m.From] != m.Seen {
				t.Errorf("%s: %+v", c.name, m)
			}
		}
		if got != c.want || z.Unseen() != 0 {
			t.Errorf("%s: saw %q, want %q; unseen %d\n%s", c.name, got, c.want, z.Unseen(), z.Text())
		}
	}
}
