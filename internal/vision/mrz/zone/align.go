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
// OCR-B is set at one pitch: where the rules bend the reading, the pitch is measured
// and a second pass holds to it, so that a filler lost or doubled is put where it was.
func align(l look, allowed [][]uint8) ([]slot, float64, bool) {
	slots, score, ok := lay(l, allowed, nil)
	if !ok || l.freely()-score < smooth {
		return slots, score, ok
	}
	places, ok := places(slots, l.steps)
	if !ok {
		return slots, score, true
	}
	if again, held, ok := lay(l, allowed, places); ok {
		return again, held, true
	}
	return slots, score, true
}

// smooth is the loss against a free reading below which a first pass is good enough.
const smooth = 1.0

// lay is one pass of align.
func lay(l look, allowed [][]uint8, rule ruler) ([]slot, float64, bool) {
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
		(&stepper{now, next, from[t*(n+1):], rest[t*(n+1):], row, t, rule}).step(allowed)
		now, next = next, now
	}
	return trace(l, allowed, now, from, rest)
}

// stepper advances the lattice by one step of the line.
type stepper struct {
	now, next lattice
	from      [][letters]uint8
	rest      []uint8
	row       []float32
	t         int
	rule      ruler
}

// move is the best and second best way to have laid one character less.
type move struct {
	best, second float32
	at           uint8
}

var nowhere = move{float32(math.Inf(-1)), float32(math.Inf(-1)), blank}

// step advances every number of characters that can have been laid by now.
func (s *stepper) step(allowed [][]uint8) {
	last := nowhere
	for k := 0; k <= min(len(allowed), s.t+1); k++ {
		m := nowhere
		if k > 0 {
			m = s.reach(k, allowed[k-1], last)
		}
		s.next.blank[k], s.rest[k] = s.now.blank[k]+s.row[0], blank
		if m.best > s.now.blank[k] {
			s.next.blank[k], s.rest[k] = m.best+s.row[0], m.at
		}
		last = m
	}
}

// reach finds the best way to be on each character as the k-th: to stay, or to come from
// a blank or from another character. The same character twice needs a blank between. It
// returns what moving on from the k-th now is worth.
func (s *stepper) reach(k int, allowed []uint8, last move) move {
	enter := s.rule.cost(k, s.t)
	rested := s.now.blank[k-1] - enter
	moved, came := rested, uint8(blank)
	if last.best-enter > moved {
		moved, came = last.best-enter, last.at
	}
	m := nowhere
	now, next, from := &s.now.char[k], &s.next.char[k], &s.from[k]
	for _, c := range allowed {
		v, how := now[c], uint8(stay)
		if v > m.best {
			m.best, m.second, m.at = v, m.best, c
		} else if v > m.second {
			m.second = v
		}
		switch {
		case c == last.at:
			if rested > v {
				v, how = rested, blank
			}
			if last.second-enter > v {
				v, how = last.second-enter, runnerUp(&s.now.char[k-1], c)
			}
		case moved > v:
			v, how = moved, came
		}
		next[c], from[c] = v+s.row[c+1], how
	}
	return m
}

// runnerUp returns the best character other than c.
func runnerUp(v *[letters]float32, c uint8) uint8 {
	out, best := uint8(blank), float32(math.Inf(-1))
	for i, x := range v {
		if uint8(i) != c && x > best {
			out, best = uint8(i), x
		}
	}
	return out
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
