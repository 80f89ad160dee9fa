package page

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// The border of a document is looked for in a reduced picture along a side that is already roughly known.
const (
	fineSide = 640  // long side of the picture that the search works on
	samples  = 64   // profiles across each side
	step     = 2    // pixels on either side of the border whose colours are compared
	margin   = 0.06 // of a side at each end is left out: the corners of cards are round
	sampled  = 1 - 2*margin
	enough   = 16 // a colour step, summed over three channels, that stands for a border
	ceiling  = 60 // a step stronger than this counts no more: a black letter is no better a border than a grey table
)

// edge is one side of a document as the search found it.
type edge struct {
	from, to pix.Pt
	// support is the share of the side along which the colours on its two sides differ, and differ more than
	// they do elsewhere across it.
	support float64
}

// refine moves each side of q by up to reach pixels, its two ends independently, to where the colour
// changes most all along it, and returns the quadrilateral of the moved sides with the support of each.
func refine(m *pix.RGB, q pix.Quad, reach int) (pix.Quad, [4]float64) {
	var edges [4]edge
	var support [4]float64
	for i := range q {
		edges[i] = searchEdge(m, q[i], q[(i+1)%4], reach)
		support[i] = edges[i].support
	}
	var out pix.Quad
	for i := range out {
		p, ok := cross(edges[(i+3)%4], edges[i])
		if !ok || p.Dist(q[i]) > 4*float64(reach) {
			p = q[i]
		}
		out[i] = p
	}
	if !out.Convex() {
		return q, [4]float64{}
	}
	return out, support
}

// searchEdge finds the line near p–q with the strongest colour step along it. Offsets of the two ends are tried in
// pairs, every second pixel first and then the neighbours of the best: a reach of 30 costs 60,000 additions, and
// there is no local maximum to get stuck in.
func searchEdge(m *pix.RGB, p, q pix.Pt, reach int) edge {
	n := pix.Pt{X: q.Y - p.Y, Y: p.X - q.X}.Mul(1 / math.Max(p.Dist(q), 1)) // outwards, the corners going clockwise
	steps := profiles(m, p, q, n, reach)
	at, best := [2]int{reach, reach}, float32(-1)
	try := func(a, b int) {
		if s := lineScore(steps, a, b, reach); s > best {
			at, best = [2]int{a, b}, s
		}
	}
	for a := 0; a <= 2*reach; a += 2 {
		for b := 0; b <= 2*reach; b += 2 {
			try(a, b)
		}
	}
	for a := max(at[0]-1, 0); a <= min(at[0]+1, 2*reach); a++ {
		for b := max(at[1]-1, 0); b <= min(at[1]+1, 2*reach); b++ {
			try(a, b)
		}
	}
	from, to := float64(at[0]-reach), float64(at[1]-reach)
	// The offsets hold at the first and last sample, not at the corners: carry the line on to those.
	slope := (to - from) / sampled * margin
	return edge{p.Add(n.Mul(from - slope)), q.Add(n.Mul(to + slope)), supportOf(steps, at)}
}

// lineScore adds up the colour steps under the line with the offsets a and b at its ends. An offset must pay for
// itself, or a flat profile would carry the side away.
func lineScore(steps [][]float32, a, b, reach int) float32 {
	away := math.Abs(float64(a-reach)) + math.Abs(float64(b-reach))
	s := float32(-0.15 * samples * away / float64(reach))
	at, by := a*(samples-1)+samples/2, b-a
	for _, row := range steps {
		s += row[at/(samples-1)]
		at += by
	}
	return s
}

// profiles measures the colour step at each offset across each sample of the side.
func profiles(m *pix.RGB, p, q, n pix.Pt, reach int) [][]float32 {
	rows := make([][]float32, samples)
	colours := make([][3]float32, 2*reach+1+2*step)
	for i := range rows {
		t := margin + sampled*float64(i)/(samples-1)
		on := p.Add(q.Sub(p).Mul(t))
		for k := range colours {
			colours[k] = colourAt(m, on.Add(n.Mul(float64(k-reach-step))))
		}
		rows[i] = make([]float32, 2*reach+1)
		for k := range rows[i] {
			rows[i][k] = colourStep(colours[k : k+2*step+1])
		}
	}
	return rows
}

// colourStep compares the mean colours before and behind the middle of the window.
func colourStep(c [][3]float32) float32 {
	var sum float32
	for ch := range 3 {
		var d float32
		for k := range step {
			d += c[len(c)-1-k][ch] - c[k][ch]
		}
		sum += float32(math.Abs(float64(d)))
	}
	return min(sum/step, ceiling)
}

// colourAt reads the nearest pixel; outside the picture the border repeats.
func colourAt(m *pix.RGB, p pix.Pt) [3]float32 {
	x := min(max(int(math.Round(p.X)), 0), m.W-1)
	y := min(max(int(math.Round(p.Y)), 0), m.H-1)
	r, g, b := m.At(x, y)
	return [3]float32{float32(r), float32(g), float32(b)}
}

func supportOf(steps [][]float32, at [2]int) float64 {
	n := 0
	for i, row := range steps {
		k := (at[0]*(samples-1-i) + at[1]*i + samples/2) / (samples - 1)
		var mean float32
		for _, v := range row {
			mean += v / float32(len(row))
		}
		v := row[k]
		if k > 0 {
			v = max(v, row[k-1])
		}
		if k+1 < len(row) {
			v = max(v, row[k+1])
		}
		if v >= enough && v >= 1.5*mean {
			n++
		}
	}
	return float64(n) / samples
}

// cross returns where the lines through two edges meet.
func cross(a, b edge) (pix.Pt, bool) {
	u, v := a.to.Sub(a.from), b.to.Sub(b.from)
	d := u.X*v.Y - u.Y*v.X
	if math.Abs(d) < 1e-6*(u.X*u.X+u.Y*u.Y) {
		return pix.Pt{}, false
	}
	w := b.from.Sub(a.from)
	return a.from.Add(u.Mul((w.X*v.Y - w.Y*v.X) / d)), true
}
