package face

import (
	"fmt"
	"math"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const chipSide = 150

// Embedding describes a face; the Euclidean distance between two of them tells persons apart.
type Embedding [128]float32

// Distance returns the Euclidean distance of two embeddings; the same person is mostly under 0.6.
func Distance(a, b Embedding) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i] - b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// Embedder computes embeddings; it is safe for concurrent use.
type Embedder struct{ net *onnx.Model }

// NewEmbedder opens dlib's ResNet-29 from the models directory.
func NewEmbedder(set *models.Set) (*Embedder, error) {
	net, err := set.Get("face-embedding")
	if err != nil {
		return nil, err
	}
	return &Embedder{net: net}, nil
}

// chipPoints are where dlib's five-point model puts landmarks in a chip without padding (its get_face_chip_details).
var chipPoints = []struct {
	landmark int
	x, y     float64
}{
	{LeftEyeOuter, .8596, .2135},
	{LeftEyeInner, .6461, .2290},
	{RightEyeOuter, .1206, .2137},
	{RightEyeInner, .3341, .2291},
	{NoseBase, .4901, .6278},
}

// Chip returns the face as the embedding wants it: 150 × 150 px, eyes level, with a quarter of padding around.
func Chip(m *pix.RGB, mesh Mesh) *pix.RGB {
	from, to := make([]pix.Pt, len(chipPoints)), make([]pix.Pt, len(chipPoints))
	for i, c := range chipPoints {
		from[i] = pix.Pt{X: (0.25 + c.x) / 1.5 * chipSide, Y: (0.25 + c.y) / 1.5 * chipSide}
		to[i] = mesh.P[c.landmark].Flat()
	}
	s := FitSimilarity(from, to)
	last := float64(chipSide - 1)
	q := pix.Quad{s.Apply(pix.Pt{}), s.Apply(pix.Pt{X: last}), s.Apply(pix.Pt{X: last, Y: last}), s.Apply(pix.Pt{Y: last})}
	return pix.Warp(m, q, chipSide, chipSide)
}

// Embed describes a face: the mean of the embeddings of its chip and of the chip mirrored.
func (e *Embedder) Embed(m *pix.RGB, mesh Mesh) (Embedding, error) { return e.EmbedChip(Chip(m, mesh)) }

// EmbedChip is Embed for a chip that was cut before.
func (e *Embedder) EmbedChip(chip *pix.RGB) (Embedding, error) {
	if chip.W != chipSide || chip.H != chipSide {
		return Embedding{}, fmt.Errorf("describing face: chip of %dx%d, want %d", chip.W, chip.H, chipSide)
	}
	a, err := e.run(chip)
	if err != nil {
		return a, err
	}
	b, err := e.run(chip.Mirror())
	for i := range a {
		a[i] = (a[i] + b[i]) / 2
	}
	return a, err
}

func (e *Embedder) run(chip *pix.RGB) (Embedding, error) {
	data := make([]float32, len(chip.Pix))
	for i, v := range chip.Pix {
		data[i] = float32(v)
	}
	out, err := e.net.Run(onnx.Tensor{Shape: []int64{1, chipSide, chipSide, 3}, Data: data})
	if err != nil {
		return Embedding{}, fmt.Errorf("describing face: %w", err)
	}
	v := sized(out, len(Embedding{}))
	if v == nil {
		return Embedding{}, fmt.Errorf("describing face: the network's output is not %d numbers", len(Embedding{}))
	}
	return Embedding(v), nil
}
