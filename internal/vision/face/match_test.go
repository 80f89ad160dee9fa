package face

import (
	"fmt"
	"path/filepath"
	"sort"
	"testing"
)

type pair struct {
	A, B string
	Same bool
	Set  string
	Near bool `json:"near_duplicate"`
}

// scored is the distance of one pair of pictures.
type scored struct {
	pair
	dist float64
}

// measure embeds every picture of B once and returns the distances of its pairs, near duplicates left out.
func measure(t testing.TB) (all []scored, identity map[string]string) {
	pairs := lines[pair](t, "B/pairs.jsonl")
	k := open(t)
	identity = map[string]string{}
	embedded := map[string]Embedding{}
	for _, it := range lines[item](t, "B/manifest.jsonl") {
		identity[it.File] = it.Label.Identity
		m := picture(t, filepath.Join(data, "B", it.File))
		fs, err := k.find.Find(m)
		if err != nil || len(fs) == 0 {
			t.Logf("no face in %s: %v", it.File, err)
			continue
		}
		mesh, err := k.mesh.Fit(m, fs[0])
		if err != nil {
			t.Fatal(err)
		}
		if embedded[it.File], err = k.embed.Embed(m, mesh); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pairs {
		a, okA := embedded[p.A]
		b, okB := embedded[p.B]
		if !p.Near && okA && okB {
			all = append(all, scored{p, Distance(a, b)})
		}
	}
	return all, identity
}

// rates returns the false match and false non-match rate at a threshold.
func rates(all []scored, thr float64) (fmr, fnmr float64) {
	var same, diff, miss, hit float64
	for _, s := range all {
		switch {
		case s.Same:
			same++
			if s.dist > thr {
				miss++
			}
		default:
			diff++
			if s.dist <= thr {
				hit++
			}
		}
	}
	return hit / max(1, diff), miss / max(1, same)
}

func eer(all []scored) (rate, thr float64) {
	sort.Slice(all, func(i, j int) bool { return all[i].dist < all[j].dist })
	best := 2.0
	for _, s := range all {
		fmr, fnmr := rates(all, s.dist)
		if d := max(fmr, fnmr); d < best {
			best, rate, thr = d, (fmr+fnmr)/2, s.dist
		}
	}
	return rate, thr
}

func TestTellsPersonsApart(t *testing.T) {
	all, _ := measure(t)
	sets := map[string][]scored{}
	for _, s := range all {
		sets[s.Set] = append(sets[s.Set], s)
	}
	for name, part := range sets {
		r, thr := eer(part)
		n := 0
		for _, s := range part {
			if s.Same {
				n++
			}
		}
		t.Logf("%s: %d same %d different, EER %.4f at %.3f", name, n, len(part)-n, r, thr)
	}
	r, thr := eer(all)
	roc := ""
	for _, x := range []float64{.4, .45, .5, .52, .54, .56, .58, .6, .62, .65} {
		f, m := rates(all, x)
		roc += fmt.Sprintf(" %.2f:%.4f/%.4f", x, f, m)
	}
	t.Logf("all: %d pairs, EER %.4f at %.3f; FMR/FNMR%s", len(all), r, thr, roc)
}
