package specimen

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/page"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// A specimen is of use only if the real readers take it for a document: its corners are found in a
// photograph, its machine-readable zone is read without a fault and it shows one face.
func TestTheRealReadersTakeItForADocument(t *testing.T) {
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: resiliencetest.Refusing(t, "models")})
	if err != nil {
		t.Fatal(err)
	}
	s := drawn(t, Options{Kind: Passport, Seed: 6, Scene: &Scene{W: 2000, H: 1500}})
	if far := farthest(located(t, set, s.Image), s.Truth.Quad); far > 15 {
		t.Errorf("a corner is found %.0f pixels beside the document's", far)
	}
	flat := pix.Warp(s.Image, s.Truth.Quad, 1400, 986)
	if d := cmp.Diff(s.Truth.MRZ, zoneOf(t, set, flat)); d != "" {
		t.Error(d)
	}
	faces, err := face.NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	found, err := faces.Find(flat)
	if err != nil || len(found) != 1 {
		t.Errorf("%d faces, %v", len(found), err)
	}
}

func located(t *testing.T, set *models.Set, m *pix.RGB) pix.Quad {
	t.Helper()
	net, err := set.Get("corners")
	if err != nil {
		t.Fatal(err)
	}
	l, err := page.NewCorners(net).Locate(m)
	if err != nil {
		t.Fatal(err)
	}
	return l.Quad
}

func farthest(a, b pix.Quad) (distance float64) {
	for k := range a {
		distance = max(distance, a[k].Dist(b[k]))
	}
	return distance
}

func zoneOf(t *testing.T, set *models.Set, m *pix.RGB) (lines []string) {
	t.Helper()
	detector, err := ocr.NewDetector(set)
	if err != nil {
		t.Fatal(err)
	}
	quads, err := detector.Lines(m)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := zone.NewReader(set)
	if err != nil {
		t.Fatal(err)
	}
	z, err := reader.Find(m, quads)
	if err != nil || z == nil {
		t.Fatalf("no zone is read: %v", err)
	}
	for _, l := range z.Lines {
		lines = append(lines, l.Text)
	}
	return lines
}
