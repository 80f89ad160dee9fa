package face

import (
	"hash/fnv"
	"math"
	"path/filepath"
	"sort"
	"testing"

	"github.com/bonafide-id/bonafide/internal/material"
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
	pairs := material.Lines[pair](t, "B/pairs.jsonl")
	k := open(t)
	identity = map[string]string{}
	embedded := map[string]Embedding{}
	for _, it := range material.Lines[item](t, "B/manifest.jsonl") {
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

// halves splits pairs by identity: a pair belongs to a half if both persons do; mixed pairs are left out.
func halves(all []scored, identity map[string]string) (even, odd []scored) {
	half := func(file string) uint32 {
		h := fnv.New32a()
		h.Write([]byte(identity[file]))
		return h.Sum32() % 2
	}
	for _, s := range all {
		switch a, b := half(s.A), half(s.B); {
		case a != b:
		case a == 0:
			even = append(even, s)
		default:
			odd = append(odd, s)
		}
	}
	return even, odd
}

// point returns the largest hundredth at which at most fmr of the different persons match.
func point(all []scored, fmr float64) float64 {
	p := 0.3
	for got := 0.0; got <= fmr; got, _ = rates(all, p+0.01) {
		p += 0.01
	}
	return p
}

// fitLogistic is Platt's fit: his smoothed targets, classes of equal weight, gradient descent on the log loss.
func fitLogistic(all []scored) (mid, slope float64) {
	var same, diff float64
	for _, s := range all {
		if s.Same {
			same++
		} else {
			diff++
		}
	}
	a, b := -20.0, 10.0 // p = σ(a·d + b)
	for range 200_000 {
		var ga, gb float64
		for _, s := range all {
			target, weight := 1/(diff+2), 1/diff
			if s.Same {
				target, weight = (same+1)/(same+2), 1/same
			}
			e := weight * (1/(1+math.Exp(-a*s.dist-b)) - target)
			ga, gb = ga+e*s.dist, gb+e
		}
		a, b = a-20*ga, b-20*gb
	}
	return -b / a, -a
}

// logLoss is the mean loss of Probability in nats, classes of equal weight; guessing gives 0.69.
func logLoss(all []scored) float64 {
	var loss, n [2]float64
	for _, s := range all {
		p, k := Probability(s.dist), 0
		if !s.Same {
			p, k = 1-p, 1
		}
		loss[k] -= math.Log(max(p, 1e-12))
		n[k]++
	}
	return (loss[0]/n[0] + loss[1]/n[1]) / 2
}

func TestTellsPersonsApart(t *testing.T) {
	all, identity := measure(t)
	if len(all) < 1500 {
		t.Errorf("only %d pairs could be compared", len(all))
	}
	r, thr := eer(all)
	t.Logf("all: %d pairs, EER %.4f at %.3f", len(all), r, thr)
	if r > 0.005 {
		t.Errorf("EER %.4f", r)
	}
	for _, x := range []float64{.4, .45, .5, .52, .55, .6, .62} {
		fmr, fnmr := rates(all, x)
		t.Logf("at %.2f: FMR %.4f, FNMR %.4f", x, fmr, fnmr)
	}
	even, odd := halves(all, identity)
	if p := point(even, 0.01); math.Abs(p-SameBelow) > 0.005 {
		t.Errorf("SameBelow is %.2f, the even half gives %.2f", SameBelow, p)
	}
	mid, slope := fitLogistic(even)
	t.Logf("calibration on the even half: mid %.4f, slope %.2f", mid, slope)
	if math.Abs(mid-calibrationMid) > 0.02 || math.Abs(slope/calibrationSlope-1) > 0.2 {
		t.Errorf("the constants of Probability are not what the even half gives")
	}
	for name, half := range map[string][]scored{"even": even, "odd": odd} {
		fmr, fnmr := rates(half, SameBelow)
		_, late := rates(half, DifferentAbove)
		t.Logf("%s half: %d pairs; at %.2f FMR %.4f, FNMR %.4f; called different though same %.4f; log loss %.3f",
			name, len(half), SameBelow, fmr, fnmr, late, logLoss(half))
		if fmr > 0.01 || fnmr > 0.02 || late > 0.005 || logLoss(half) > 0.15 {
			t.Errorf("%s half is worse than its floor", name)
		}
	}
}
