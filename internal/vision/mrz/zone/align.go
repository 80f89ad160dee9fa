package zone

import (
	"math"
	"strings"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
)

// letters is the number of characters of a machine-readable zone.
const letters = len(ocr.MRZAlphabet)

// least is the smallest probability a reader is taken to mean.
const least = 1e-5

// slot is what is known of one position of a line.
type slot struct {
	p    [letters]float32 // distribution over the characters of ocr.MRZAlphabet
	seen float32          // probability that any character stands there
	at   float32          // its place along the line, 0 to 1
}

// look is one reader's view of one line, as logarithms.
type look struct {
	steps int
	log   []float32 // steps × (letters+1)
	raw   ocr.Probs
}

func newLook(p ocr.Probs) look {
	l := look{steps: p.Steps, raw: p, log: make([]float32, len(p.P))}
	for i, v := range p.P {
		l.log[i] = float32(math.Log(math.Max(float64(v), least)))
	}
	return l
}

// Back pointers of align: a character index, or one of these.
const (
	stay  = 254
	blank = 255
)

// lattice is the table of the search: for each number of characters laid so far, the
// best score that ends on each character, and on a blank.
type lattice struct {
	char  [][letters]float32
	blank []float32
}

func newLattice(n int) lattice {
	t := lattice{char: make([][letters]float32, n+1), blank: make([]float32, n+1)}
	for k := range t.char {
		t.blank[k] = float32(math.Inf(-1))
		for c := range letters {
			t.char[k][c] = float32(math.Inf(-1))
		}
	}
	return t
}

// align lays len(allowed) characters over the line and returns the slots and the
// logarithm of the path's probability; false where the line is too short for them.
func align(l look, allowed [][]uint8) ([]slot, float64, bool) {
	n := len(allowed)
	if l.steps < n || n == 0 {
		return nil, 0, false
	}
	now, next := newLattice(n), newLattice(n)
	now.blank[0] = 0
	from := make([][letters]uint8, l.steps*(n+1)) // how each character state was reached
	rest := make([]uint8, l.steps*(n+1))          // which state a blank follows
	for t := range l.steps {
		row := l.log[t*(letters+1) : (t+1)*(letters+1)]
		step(now, next, row, allowed, from[t*(n+1):], rest[t*(n+1):])
		now, next = next, now
	}
	return trace(l, allowed, now, from, rest)
}

// step advances the lattice by one step of the line.
func step(now, next lattice, row []float32, allowed [][]uint8, from [][letters]uint8, rest []uint8) {
	n := len(allowed)
	var best, second float32 = float32(math.Inf(-1)), float32(math.Inf(-1))
	bestAt := uint8(blank)
	for k := 0; k <= n; k++ {
		prevBest, prevSecond, prevAt := best, second, bestAt
		best, second, bestAt = float32(math.Inf(-1)), float32(math.Inf(-1)), blank
		if k > 0 {
			for _, c := range allowed[k-1] {
				v := now.char[k][c]
				if v > best {
					best, second, bestAt = v, best, c
				} else if v > second {
					second = v
				}
				reach(now, next, from, k, c, row[c+1], move{prevBest, prevSecond, prevAt})
			}
		}
		next.blank[k], rest[k] = now.blank[k]+row[0], blank
		if best > now.blank[k] {
			next.blank[k], rest[k] = best+row[0], bestAt
		}
	}
}

// move is the best and second best way to have laid one character less.
type move struct {
	best, second float32
	at           uint8
}

func reach(now, next lattice, from [][letters]uint8, k int, c uint8, p float32, m move) {
	v, how := now.char[k][c], uint8(stay)
	if b := now.blank[k-1]; b > v {
		v, how = b, blank
	}
	if m.at != blank {
		if m.at != c && m.best > v {
			v, how = m.best, m.at
		}
		// The same character twice needs a blank between; another one does not.
		if m.at == c && m.second > v && k > 1 {
			if s := runnerUp(now.char[k-1], c); s != blank {
				v, how = now.char[k-1][s], s
			}
		}
	}
	next.char[k][c], from[k][c] = v+p, how
}

// runnerUp returns the best character other than c.
func runnerUp(v [letters]float32, c uint8) uint8 {
	out, best := uint8(blank), float32(math.Inf(-1))
	for i, x := range v {
		if uint8(i) != c && x > best {
			out, best = uint8(i), x
		}
	}
	return out
}

// trace walks back from the best end and collects the slots.
func trace(l look, allowed [][]uint8, end lattice, from [][letters]uint8, rest []uint8) ([]slot, float64, bool) {
	n := len(allowed)
	state, score := uint8(blank), end.blank[n]
	for _, c := range allowed[n-1] {
		if end.char[n][c] > score {
			state, score = c, end.char[n][c]
		}
	}
	if math.IsInf(float64(score), -1) {
		return nil, 0, false
	}
	slots := make([]slot, n)
	k, last := n, 0
	for t := l.steps - 1; t >= 0 && k >= 0; t-- {
		i := t*(n+1) + k
		if state == blank {
			state = rest[i]
			continue
		}
		if slots[k-1].seen == 0 {
			last = t
		}
		slots[k-1].take(l, t, last)
		switch how := from[i][state]; how {
		case stay:
		default:
			state, k = how, k-1
		}
	}
	return slots, float64(score), true
}

// take looks at the step t of a slot's run, and keeps the step where a character is
// most surely seen.
func (s *slot) take(l look, t, last int) {
	row := l.raw.Row(t)
	s.at = (float32(t+last)/2 + 0.5) / float32(l.steps)
	if seen := 1 - row[0]; seen > s.seen || s.seen == 0 {
		s.seen = max(seen, 1e-6)
		for c := range letters {
			s.p[c] = row[c+1] / s.seen
		}
	}
}

// allowedBy lists the characters of each position of a row as indices.
func allowedBy(classes []mrz.Class) [][]uint8 {
	sets := map[mrz.Class][]uint8{}
	out := make([][]uint8, len(classes))
	for i, c := range classes {
		if sets[c] == nil {
			for _, r := range []byte(c.Alphabet()) {
				sets[c] = append(sets[c], uint8(index(r)))
			}
		}
		out[i] = sets[c]
	}
	return out
}

// index returns a character's place in ocr.MRZAlphabet.
func index(b byte) int { return strings.IndexByte(ocr.MRZAlphabet, b) }
