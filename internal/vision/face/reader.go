package face

import (
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// meshSure is the mesh's own probability from which a detection is taken for a face; detections of chance get less
// than 0.05, faces of the test material 0.9 and more.
const meshSure = 0.5

// Reader goes all the way from a picture to an embedding; it is safe for concurrent use.
type Reader struct {
	Detector *Detector
	Mesher   *Mesher
	Embedder *Embedder
}

// NewReader opens "blazeface", "facemesh" and "face-embedding".
func NewReader(set *models.Set) (*Reader, error) {
	d, err := NewDetector(set)
	if err != nil {
		return nil, err
	}
	m, err := NewMesher(set)
	if err != nil {
		return nil, err
	}
	e, err := NewEmbedder(set)
	if err != nil {
		return nil, err
	}
	return &Reader{Detector: d, Mesher: m, Embedder: e}, nil
}

// Reading is the main face of one picture.
type Reading struct {
	Picture   *pix.RGB // as it was searched: turned upright if the picture lay on its side
	Mesh      Mesh
	Look      Look
	Embedding Embedding
}

// Read finds the main face of a picture, turning the picture if there is none upright, and describes it; false where
// there is no face.
func (r *Reader) Read(m *pix.RGB) (Reading, bool, error) {
	found, err := r.Detector.Find(m)
	if err != nil {
		return Reading{}, false, err
	}
	reading, ok, err := r.take(m, found)
	if err != nil || ok {
		return reading, ok, err
	}
	found, turns, err := r.Detector.FindTurned(m)
	if err != nil || len(found) == 0 {
		return Reading{}, false, err
	}
	return r.take(m.Rotate90(turns), found)
}

// take describes the best of the faces that the mesh confirms.
func (r *Reader) take(m *pix.RGB, found []Face) (Reading, bool, error) {
	for _, f := range found {
		mesh, err := r.Mesher.Fit(m, f)
		if err != nil {
			return Reading{}, false, err
		}
		if mesh.Score < meshSure {
			continue
		}
		e, err := r.Embedder.Embed(m, mesh)
		return Reading{Picture: m, Mesh: mesh, Look: Examine(m, mesh), Embedding: e}, err == nil, err
	}
	return Reading{}, false, nil
}
