package zone

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

// explained is what one character is worth that a layout explains, against what the
// layout's rules cost where they bend the reading, in natural logarithms.
const explained = 1.0

// sight is all looks at one line; the first is the one that scores.
type sight []look

// fitted is a layout laid over lines.
type fitted struct {
	doc   *mrz.Document
	slots [][]slot
	score float64 // higher is better; comparable between layouts over the same page
	bent  float64 // what the rules cost
}

// fitter lays layouts over the same lines. Layouts share rows: what was aligned once
// is kept.
type fitter struct {
	lines []sight
	kept  map[string]aligned // by row and classes
}

type aligned struct {
	slots []slot
	path  float64
	ok    bool
}

func (f fitter) merge(row int, classes []mrz.Class) ([]slot, float64, bool) {
	key := string(rune('0' + row))
	for _, c := range classes {
		key += string(rune('a' + c))
	}
	a, ok := f.kept[key]
	if !ok {
		a.slots, a.path, a.ok = merge(f.lines[row], allowedBy(classes))
		f.kept[key] = a
	}
	return a.slots, a.path, a.ok
}

// fit lays one layout over as many lines as it has; false where it cannot be.
func (f fitter) fit(lay mrz.Layout) (fitted, bool) {
	if len(f.lines) != len(lay.Lengths) {
		return fitted{}, false
	}
	var slots [][]slot
	score := 0.0
	for row, s := range f.lines {
		classes := lay.Classes(row)
		combined, path, ok := f.merge(row, classes)
		if !ok {
			return fitted{}, false
		}
		slots = append(slots, combined)
		score += path - s[0].freely() + worth(classes)
	}
	text, cost := choose(lay, slots)
	doc, err := mrz.ParseLines(withConfidence(text, slots))
	if err != nil || doc.Format != lay.Format {
		return fitted{}, false
	}
	return fitted{doc: doc, slots: slots, score: score - cost, bent: cost}, true
}

// worth is what a row's characters are worth: narrower classes explain more.
func worth(classes []mrz.Class) float64 {
	sum := 0.0
	for _, c := range classes {
		n := len(c.Alphabet())
		if c == mrz.Check {
			n = 1 // its digit follows from the others
		}
		sum += explained + 0.5*math.Log(float64(letters)/float64(n))
	}
	return sum
}

// freely is the score of the likeliest reading under no rules.
func (l look) freely() float64 {
	sum := float32(0)
	for t := range l.steps {
		row := l.log[t*(letters+1) : (t+1)*(letters+1)]
		best := row[0]
		for _, v := range row {
			best = max(best, v)
		}
		sum += best
	}
	return float64(sum)
}

// merge aligns each look by itself and multiplies their distributions position by
// position. A look that cannot hold the characters is left out, the first excepted.
func merge(s sight, allowed [][]uint8) ([]slot, float64, bool) {
	out, path, ok := align(s[0], allowed)
	if !ok {
		return nil, 0, false
	}
	for _, l := range s[1:] {
		more, _, ok := align(l, allowed)
		if !ok {
			continue
		}
		for i := range out {
			out[i] = out[i].times(more[i])
		}
	}
	return out, path, true
}

// times multiplies two independent views of one position.
func (s slot) times(o slot) slot {
	sum := float32(0)
	for c := range letters {
		s.p[c] = (s.p[c] + 1e-4) * (o.p[c] + 1e-4)
		sum += s.p[c]
	}
	for c := range letters {
		s.p[c] /= sum
	}
	s.seen = max(s.seen, o.seen)
	return s
}

// withConfidence makes lines of the chosen characters and how sure each is.
func withConfidence(text []string, slots [][]slot) []mrz.Line {
	out := make([]mrz.Line, len(text))
	for i, t := range text {
		conf := make([]float32, len(t))
		for k := range conf {
			s := slots[i][k]
			conf[k] = s.p[index(t[k])] * s.seen
		}
		out[i] = mrz.Line{Text: t, Conf: conf}
	}
	return out
}
