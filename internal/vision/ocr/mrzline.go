package ocr

import (
	"fmt"
	"math"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// MRZAlphabet holds the characters of a machine-readable zone in the order of the
// network's classes.
const MRZAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// The strips of the MRZ network are 32 pixels high and 64 to 1024 wide.
const (
	mrzHigh = 32
	mrzWide = 1024
)

// MRZReader reads a line of OCR-B. It is safe for concurrent use.
type MRZReader struct{ net *onnx.Model }

// NewMRZReader opens the model "mrz".
func NewMRZReader(set *models.Set) (*MRZReader, error) {
	net, err := set.Get("mrz")
	if err != nil {
		return nil, fmt.Errorf("opening MRZ reader: %w", err)
	}
	return &MRZReader{net: net}, nil
}

// Probs returns the probabilities of each character along the line in q, which should
// hold the line and little else: the network was trained on margins of up to half a
// character's height.
func (r *MRZReader) Probs(g *pix.Gray, q pix.Quad) (Probs, error) {
	w, h := q.Size()
	wide := int(math.Round(w*mrzHigh/math.Max(h, 1)/8)) * 8
	return r.probs(pix.WarpG(g, q, min(max(wide, 64), mrzWide), mrzHigh))
}

func (r *MRZReader) probs(g *pix.Gray) (Probs, error) {
	in := onnx.Tensor{Shape: []int64{1, 1, mrzHigh, int64(g.W)}, Data: normal(g.Pix)}
	out, err := r.net.Run(in)
	if err != nil {
		return Probs{}, fmt.Errorf("reading MRZ line: %w", err)
	}
	p := Probs{Steps: int(out[0].Shape[1]), Classes: int(out[0].Shape[2]), P: out[0].Data, Alphabet: []rune(MRZAlphabet)}
	for t := range p.Steps {
		softmax(p.Row(t))
	}
	return p, nil
}

// normal brings grey values to mean 0 and deviation 1.
func normal(px []uint8) []float32 {
	var sum, sq float64
	for _, v := range px {
		f := float64(v) / 255
		sum, sq = sum+f, sq+f*f
	}
	n := float64(max(len(px), 1))
	mean := sum / n
	dev := math.Sqrt(math.Max(sq/n-mean*mean, 0)) + 1e-3
	out := make([]float32, len(px))
	for i, v := range px {
		out[i] = float32((float64(v)/255 - mean) / dev)
	}
	return out
}

func softmax(row []float32) {
	_, top := argmax(row)
	sum := 0.0
	for i, v := range row {
		e := math.Exp(float64(v - top))
		row[i], sum = float32(e), sum+e
	}
	for i := range row {
		row[i] /= float32(sum)
	}
}

// MRZ returns the probabilities of p's characters that a machine-readable zone may
// hold, in the order of MRZAlphabet, made to sum to one again; other characters count
// as none. With it the general reader is a second reader of OCR-B.
func (p Probs) MRZ() Probs {
	at := map[rune]int{}
	for k, r := range p.Alphabet {
		if k+1 < p.Classes {
			at[r] = k + 1
		}
	}
	out := Probs{Steps: p.Steps, Classes: len(MRZAlphabet) + 1, Alphabet: []rune(MRZAlphabet)}
	for t := range p.Steps {
		row, src := make([]float32, out.Classes), p.Row(t)
		row[0] = src[0]
		sum := src[0] + 1e-9
		for k, r := range out.Alphabet {
			row[k+1] = src[at[r]]
			sum += row[k+1]
		}
		for k := range row {
			row[k] /= sum
		}
		out.P = append(out.P, row...)
	}
	return out
}
