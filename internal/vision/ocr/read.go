package ocr

import (
	"fmt"
	"math"
	"strings"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// The recogniser's lines are 48 pixels high and 48 to 2048 wide, in steps of 8.
const (
	readHigh = 48
	readWide = 2048
)

// Reader reads a line of printed Latin text. It is safe for concurrent use.
type Reader struct {
	net, cls *onnx.Model
	alphabet []rune
	kin      [][]int
}

// NewReader opens the models "text-rec" and "text-cls".
func NewReader(set *models.Set) (*Reader, error) {
	net, err := set.Get("text-rec")
	if err != nil {
		return nil, fmt.Errorf("opening text reader: %w", err)
	}
	cls, err := set.Get("text-cls")
	if err != nil {
		return nil, fmt.Errorf("opening classifier of upside-down lines: %w", err)
	}
	chars := strings.Split(net.Meta("character"), "\n")
	if len(chars) < 2 {
		return nil, fmt.Errorf("the text reader's model carries no alphabet")
	}
	letters := alphabet(chars)
	return &Reader{net: net, cls: cls, alphabet: letters, kin: kin(letters)}, nil
}

// alphabet makes one rune of each class; the last class, which the list lacks, is the
// space.
func alphabet(chars []string) []rune {
	var out []rune
	for _, c := range chars {
		r := []rune(c)
		if len(r) != 1 {
			r = []rune{'\uFFFD'}
		}
		out = append(out, r[0])
	}
	return append(out, ' ')
}

// Read returns the text in q.
func (r *Reader) Read(m *pix.RGB, q pix.Quad) (Text, error) {
	p, err := r.Probs(m, q)
	if err != nil {
		return Text{}, err
	}
	return Greedy(p), nil
}

// Probs returns the probabilities of each character along the line in q, for readers
// that know more about the line than its picture.
func (r *Reader) Probs(m *pix.RGB, q pix.Quad) (Probs, error) {
	out, err := r.net.Run(planar(strip(m, Upright(q), readHigh, 48, readWide)))
	if err != nil {
		return Probs{}, fmt.Errorf("reading line: %w", err)
	}
	classes := int(out[0].Shape[2])
	if classes > len(r.alphabet)+1 {
		return Probs{}, fmt.Errorf("reading line: %d classes, %d characters", classes, len(r.alphabet))
	}
	return Probs{Steps: int(out[0].Shape[1]), Classes: classes, P: out[0].Data, Alphabet: r.alphabet, Kin: r.kin}, nil
}

// Upright turns the quadrilateral of a tall box, so that text that runs downwards is
// read from left to right.
func Upright(q pix.Quad) pix.Quad {
	if w, h := q.Size(); h > 1.5*w {
		return q.Turn(1)
	}
	return q
}

// strip cuts q out at the given height, its width in proportion, a multiple of 8.
func strip(m *pix.RGB, q pix.Quad, high, least, most int) *pix.RGB {
	w, h := q.Size()
	wide := int(math.Ceil(w*float64(high)/math.Max(h, 1)/8)) * 8
	return pix.Warp(m, q, min(max(wide, least), most), high)
}

// Upside says how likely it is, 0 to 1, that the line in q stands on its head. Of a long
// line the first part is looked at: the network sees four heights of text.
func (r *Reader) Upside(m *pix.RGB, q pix.Quad) (float32, error) {
	w, h := q.Size()
	if share := 4 * h / math.Max(w, 1); share < 1 {
		q[1] = q[0].Mul(1 - share).Add(q[1].Mul(share))
		q[2] = q[3].Mul(1 - share).Add(q[2].Mul(share))
		w, _ = q.Size()
	}
	wide := min(192, max(8, int(math.Ceil(w*48/math.Max(h, 1)))))
	crop := pix.Warp(m, q, wide, 48)
	in := onnx.Tensor{Shape: []int64{1, 3, 48, 192}, Data: make([]float32, 3*48*192)}
	small := planar(crop)
	for row := range 3 * 48 {
		copy(in.Data[row*192:], small.Data[row*wide:(row+1)*wide])
	}
	out, err := r.cls.Run(in)
	if err != nil {
		return 0, fmt.Errorf("telling which way up a line is: %w", err)
	}
	return out[0].Data[1], nil
}
