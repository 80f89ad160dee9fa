package face

import (
	"path/filepath"
	"testing"
)

type item struct {
	File  string
	Set   string
	Label struct {
		Role, Identity string
		Faces          int
	}
}

// TestFindsFaces looks for a face in every picture that has one.
func TestFindsFaces(t *testing.T) {
	items := lines[item](t, "B/manifest.jsonl")
	k := open(t)
	found, wanted, none := 0, 0, 0
	for _, it := range items {
		m := picture(t, filepath.Join(data, "B", it.File))
		fs, err := k.find.Find(m)
		if err != nil {
			t.Fatal(err)
		}
		if it.Label.Role == "multi-face" {
			all, _ := k.find.FindAll(m)
			t.Logf("%s: %d faces, find %d findall %d", it.File, it.Label.Faces, len(fs), len(all))
		}
		if it.Label.Role == "no-face" {
			none++
			t.Logf("%s no-face: %d", it.File, len(fs))
			continue
		}
		wanted++
		if len(fs) > 0 {
			found++
			if it.Label.Role == "identity" && len(fs) > 1 {
				t.Logf("%s %d faces in %dx%d: %v", it.File, len(fs), m.W, m.H, fs)
			}
		} else {
			t.Logf("missed %s (%dx%d)", it.File, m.W, m.H)
		}
	}
	t.Logf("%d of %d, %d no face", found, wanted, none)
}
