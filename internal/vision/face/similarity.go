package face

import "github.com/bonafide-id/bonafide/internal/vision/pix"

// Similarity is a turn, a scale and a shift: x' = a·x − b·y + tx, y' = b·x + a·y + ty.
type Similarity struct{ a, b, tx, ty float64 }

func (s Similarity) Apply(p pix.Pt) pix.Pt {
	return pix.Pt{X: s.a*p.X - s.b*p.Y + s.tx, Y: s.b*p.X + s.a*p.Y + s.ty}
}

// FitSimilarity returns the similarity that takes from to to with the least squared error. In the plane it is
// linear in a and b once both sets are centred.
func FitSimilarity(from, to []pix.Pt) Similarity {
	cf, ct := centroid(from), centroid(to)
	var dot, cross, norm float64
	for i := range from {
		p, q := from[i].Sub(cf), to[i].Sub(ct)
		dot += p.X*q.X + p.Y*q.Y
		cross += p.X*q.Y - p.Y*q.X
		norm += p.X*p.X + p.Y*p.Y
	}
	s := Similarity{a: dot / norm, b: cross / norm}
	c := s.Apply(cf)
	s.tx, s.ty = ct.X-c.X, ct.Y-c.Y
	return s
}

func centroid(ps []pix.Pt) pix.Pt {
	var c pix.Pt
	for _, p := range ps {
		c = c.Add(p)
	}
	return c.Mul(1 / float64(len(ps)))
}
