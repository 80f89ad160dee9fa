package face

import (
	"path/filepath"
	"testing"

	"github.com/bonafide-id/bonafide/internal/material"
)

type item struct {
	File  string
	Set   string
	Label struct {
		Role, Identity string
		Faces          int
	}
}

// TestFindsFaces looks for a face in every picture; each of this set has one or more.
func TestFindsFaces(t *testing.T) {
	items := material.Lines[item](t, "B/manifest.jsonl")
	k := open(t)
	found, alone, single, sure := 0, 0, 0, 0
	for _, it := range items {
		m := picture(t, filepath.Join(data, "B", it.File))
		fs, err := k.find.Find(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(fs) == 0 {
			t.Logf("missed %s (%dx%d)", it.File, m.W, m.H)
			continue
		}
		found++
		mesh, err := k.mesh.Fit(m, fs[0])
		if err != nil {
			t.Fatal(err)
		}
		if mesh.Score > 0.5 {
			sure++
		}
		if it.Label.Role == "identity" {
			alone++
			if Count(fs) == 1 {
				single++
			}
		}
	}
	t.Logf("%d of %d found, %d of them confirmed by the mesh; %d of %d single ones called single", found, len(items), sure, single, alone)
	if found < 217 || sure < 216 || single < alone*97/100 {
		t.Error("fewer than the floor")
	}
}
