package ocr

// Probs is the output of a line reader: Steps rows of Classes probabilities, from left
// to right. Class 0 is "no character here"; Alphabet holds the others from class 1 on.
type Probs struct {
	Steps, Classes int
	P              []float32
	Alphabet       []rune
}

// Row returns the probabilities of one step.
func (p Probs) Row(t int) []float32 { return p.P[t*p.Classes : (t+1)*p.Classes] }

// Text is what was read in one line.
type Text struct {
	Text string
	Conf []float32 // of each rune, 0 to 1
	At   []float32 // middle of each rune as a share of the line's width
}

// Mean returns the mean confidence of the runes, 0 for an empty text.
func (t Text) Mean() float32 {
	var sum float32
	for _, c := range t.Conf {
		sum += c
	}
	return sum / float32(max(len(t.Conf), 1))
}

// Greedy reads the likeliest class of each step, merges repeats and drops blanks. A
// rune's confidence is the highest probability along its run.
func Greedy(p Probs) Text {
	var out []rune
	var t Text
	last, first := 0, 0
	for s := range p.Steps {
		k, prob := argmax(p.Row(s))
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
