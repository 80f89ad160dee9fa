package page

import (
	"math/rand/v2"
	"testing"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// symbol draws rows of bars as PDF417 has them: a new pattern every few pixels down.
func symbol(m *pix.RGB, x0, y0, w, h int, r *rand.Rand) {
	for y := y0; y < y0+h; y += 8 {
		for x := x0; x < x0+w; {
			n := 2 * (1 + r.IntN(3))
			if r.IntN(2) == 0 {
				fill(m, x, y, min(n, x0+w-x), min(8, y0+h-y), 10, 10, 10)
			}
			x += n
		}
	}
}

func TestBars(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	m := cards(1, r)[0]
	if got := Bars(m.Gray()); len(got) != 0 {
		t.Errorf("letters look like bars: %.0f", got)
	}
	fill(m, 290, 300, 566, 240, 250, 250, 250)
	symbol(m, 320, 330, 420, 130, r)
	got := Bars(m.Gray())
	if len(got) != 1 || overlap(got[0], pix.Rect(320, 330, 740, 460)) < 0.7 {
		t.Errorf("%.0f", got)
	}
}

func TestBarsOnRealDocuments(t *testing.T) {
	found := 0
	for name, m := range material(t, "A/A1-documents/*") {
		n := len(Bars(m.Gray()))
		if name == "6e88656a715f.jpg" { // the one with a symbol in two dimensions
			if n == 0 {
				t.Errorf("%s: its symbol was not found", name)
			}
			continue
		}
		if n > 0 {
			found++
			t.Logf("%s: %d", name, n)
		}
	}
	if found > 6 {
		t.Errorf("%d documents without a symbol seem to have one", found)
	}
}
