package ocr

import (
	"slices"

	"golang.org/x/text/unicode/norm"
)

// Probs is the output of a line reader: Steps rows of Classes probabilities, from left
// to right. Class 0 is "no character here"; Alphabet holds the others from class 1 on.
type Probs struct {
	Steps, Classes int
	P              []float32
	Alphabet       []rune
	Kin            [][]int // of each class, those that differ from it by a diacritic only; nil: none are told
}

// Row returns the probabilities of one step.
func (p Probs) Row(t int) []float32 { return p.P[t*p.Classes : (t+1)*p.Classes] }

// Text is what was read in one line.
type Text struct {
	Text string
	Conf []float32 // of each rune, 0 to 1
	At   []float32 // middle of each rune as a share of the line's width
}

// Greedy reads the likeliest class of each step, merges repeats and drops blanks. A
// rune's confidence is the highest probability along its run, that of the same letter
// with other diacritics included: which mark it is, small print often leaves open.
func Greedy(p Probs) Text {
	var out []rune
	var t Text
	last, first := 0, 0
	for s := range p.Steps {
		k, prob := argmax(p.Row(s))
		prob = p.withKin(s, k, prob)
		n := len(out) - 1
		switch {
		case k == 0:
		case k == last:
			t.Conf[n] = max(t.Conf[n], prob)
			t.At[n] = (float32(first+s)/2 + 0.5) / float32(p.Steps)
		default:
			first = s
			out = append(out, p.Alphabet[k-1])
			t.Conf = append(t.Conf, prob)
			t.At = append(t.At, (float32(s)+0.5)/float32(p.Steps))
		}
		last = k
	}
	t.Text = string(out)
	return t
}

func argmax(row []float32) (int, float32) {
	k, best := 0, row[0]
	for i, v := range row[1:] {
		if v > best {
			k, best = i+1, v
		}
	}
	return k, best
}

func (p Probs) withKin(step, class int, prob float32) float32 {
	if p.Kin == nil || class == 0 {
		return prob
	}
	for _, k := range p.Kin[class] {
		prob += p.Row(step)[k]
	}
	return min(prob, 1)
}

// kin lists, for each class of an alphabet, the others of the same letter.
func kin(alphabet []rune) [][]int {
	byBase := map[rune][]int{}
	for i, r := range alphabet {
		byBase[base(r)] = append(byBase[base(r)], i+1)
	}
	out := make([][]int, len(alphabet)+1)
	for i, r := range alphabet {
		for _, k := range byBase[base(r)] {
			if k != i+1 {
				out[i+1] = append(out[i+1], k)
			}
		}
	}
	return out
}

// base strips the marks of a letter.
func base(r rune) rune {
	if i := slices.Index([]rune("ØøŁłĐđı"), r); i >= 0 {
		return []rune("OoLlDdi")[i]
	}
	for _, b := range norm.NFD.String(string(r)) {
		return b
	}
	return r
}
