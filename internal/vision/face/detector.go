package face

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/onnx"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Detector finds faces; it is safe for concurrent use.
type Detector struct{ net *onnx.Model }

// NewDetector opens BlazeFace from the models directory.
func NewDetector(set *models.Set) (*Detector, error) {
	net, err := set.Get("blazeface")
	if err != nil {
		return nil, err
	}
	return &Detector{net: net}, nil
}

// certain is the score from which a look is believed. Faces that fill the picture are seen weakly and in the wrong
// place at first: on chips of 92 × 112 px three of 160 were, with scores of 0.51–0.72.
const certain = 0.8

// Find returns the upright faces in m, best first: as FindLarge, and if there are none, small ones in overlapping
// tiles, which costs some twenty looks.
func (d *Detector) Find(m *pix.RGB) ([]Face, error) {
	found, err := d.FindLarge(m)
	if err != nil || len(found) > 0 {
		return found, err
	}
	return d.tiles(m)
}

// FindLarge returns the upright faces of a picture of a person, best first: in the whole picture; if none is
// certain, also as a face that fills the picture or is cut off by its border (the picture is shrunk and padded).
func (d *Detector) FindLarge(m *pix.RGB) ([]Face, error) {
	if m.W < 8 || m.H < 8 {
		return nil, nil
	}
	var all []Face
	for _, share := range []float64{1, 0.6, 0.38} {
		found, err := d.look(m, share)
		if err != nil {
			return nil, err
		}
		all = strongest(append(all, found...))
		if len(all) > 0 && all[0].Score >= certain {
			break
		}
	}
	return all, nil
}

// FindAll returns also the small faces beside large ones: the whole picture and every tile, merged. Use it where
// the number of faces matters, or for the portrait and its ghost on a document's page.
func (d *Detector) FindAll(m *pix.RGB) ([]Face, error) {
	found, err := d.Find(m)
	if err != nil || m.W < 8 || m.H < 8 {
		return nil, err
	}
	more, err := d.tiles(m)
	return strongest(append(found, more...)), err
}

// FindTurned is Find for a picture that may lie on its side or upside down: it returns the faces in pixels of
// m turned by that many quarter turns clockwise. The turn with the strongest face wins; an upright face that is
// certain is taken at once.
func (d *Detector) FindTurned(m *pix.RGB) (found []Face, turns int, err error) {
	best := 0.0
	for k := range 4 {
		t := m
		if k > 0 {
			t = m.Rotate90(k)
		}
		fs, err := d.Find(t)
		if err != nil {
			return nil, 0, err
		}
		if len(fs) > 0 && uprightness(fs[0])*fs[0].Score > best {
			best, found, turns = uprightness(fs[0])*fs[0].Score, fs, k
		}
		if k == 0 && best > 0.85 {
			break
		}
	}
	return found, turns, nil
}

// uprightness is 1 for eyes straight above the mouth and 0 for eyes beside or below it. BlazeFace finds many
// faces that lie on their side, and its six points then tell how they lie.
func uprightness(f Face) float64 {
	eyes := f.Points[RightEye].Add(f.Points[LeftEye]).Mul(0.5)
	d := f.Points[Mouth].Sub(eyes)
	return math.Max(0, d.Y/math.Max(1e-6, math.Hypot(d.X, d.Y)))
}

// look runs the network once on the whole of m.
func (d *Detector) look(m *pix.RGB, share float64) ([]Face, error) {
	data, v := letterbox(m, share)
	found, err := blaze(d.net, data)
	for i := range found {
		found[i] = found[i].moved(v.back)
	}
	return found, err
}

// tiles looks at overlapping squares of two sizes.
func (d *Detector) tiles(m *pix.RGB) ([]Face, error) {
	var all []Face
	for _, part := range []float64{0.6, 0.36} {
		side := int(part * float64(max(m.W, m.H)))
		if side < 64 {
			continue
		}
		for _, y := range starts(m.H, side) {
			for _, x := range starts(m.W, side) {
				found, err := d.look(m.Crop(x, y, side, side), 1)
				if err != nil {
					return nil, err
				}
				for _, f := range found {
					f = f.moved(func(p pix.Pt) pix.Pt { return pix.Pt{X: p.X + float64(x), Y: p.Y + float64(y)} })
					all = append(all, f)
				}
			}
		}
	}
	return strongest(all), nil
}

// starts places tiles of a side along n pixels so that neighbours overlap by a third at least.
func starts(n, side int) []int {
	if n <= side {
		return []int{0}
	}
	k := int(math.Ceil(float64(n-side) / (0.67 * float64(side))))
	var at []int
	for i := range k + 1 {
		at = append(at, (n-side)*i/k)
	}
	return at
}
