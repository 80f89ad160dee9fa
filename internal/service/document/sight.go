package document

import (
	"slices"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	"github.com/bonafide-id/bonafide/internal/vision/barcode"
	"github.com/bonafide-id/bonafide/internal/vision/face"
	"github.com/bonafide-id/bonafide/internal/vision/page"
	"github.com/bonafide-id/bonafide/internal/vision/parallel"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// sight is what was seen on one picture.
type sight struct {
	picture  *picture.Picture
	location page.Location // in pixels of picture
	page     *page.Page
	lines    []pix.Quad  // on the page
	faces    []face.Face // on the page, best first
	bars     []pix.Quad  // on the page: what may be barcodes
}

// look locates the document, lays it flat, and turns it upright.
func (s *Service) look(p *picture.Picture) (*sight, error) {
	l, err := s.corners.Locate(p.RGB)
	if err != nil {
		return nil, err
	}
	v := &sight{picture: p, location: l}
	if err := s.layFlat(v); err != nil {
		return nil, err
	}
	if v.location.Located && len(v.lines) < fewLines {
		if err := s.reconsider(v); err != nil {
			return nil, err
		}
	}
	if err := s.turnUpright(v); err != nil {
		return nil, err
	}
	v.bars = v.barcodes()
	return v, nil
}

// barcodes are the places that look like one. On a picture without anything else only one that can be read counts: fences have bars too.
func (v *sight) barcodes() []pix.Quad {
	grey := v.page.Gray()
	if !v.bare() {
		return page.Bars(grey)
	}
	if symbol := barcode.Read(grey); symbol != nil {
		return []pix.Quad{symbol.Quad}
	}
	return nil
}

// fewLines is fewer lines of text than any side of a document has.
const fewLines = 3

// seam is how far, as a share of the page, a located document is cut out beyond its outline, so that an error of a
// pixel or two takes nothing off the machine-readable zone.
const seam = 0.006

// layFlat rectifies the page and finds lines and faces on it, side by side: the answer to what it is waits for both.
func (s *Service) layFlat(v *sight) error {
	q := v.location.Quad
	if v.location.Located {
		w, h := q.Size()
		q = q.Grow(seam*w, seam*h)
	}
	v.page = page.Rectify(v.picture.RGB, q, pageSide)
	return parallel.Do(
		func() (err error) { v.lines, err = s.lines.Lines(v.page.RGB); return err },
		func() (err error) { v.faces, err = s.find(v.page.RGB); return err },
	)
}

// reconsider takes the whole picture where what was located holds hardly any text and the picture holds more: a
// portrait has an outline too.
func (s *Service) reconsider(v *sight) error {
	whole := &sight{picture: v.picture, location: page.Location{Quad: pix.Full(v.picture.W, v.picture.H), Trust: v.location.Trust}}
	if err := s.layFlat(whole); err != nil {
		return err
	}
	if len(whole.lines) > len(v.lines) {
		*v = *whole
	}
	return nil
}

// turnUpright turns the page by the direction of its lines, and then decides between the two ways that remain.
func (s *Service) turnUpright(v *sight) (err error) {
	if page.Upended(v.lines) {
		v.turn(1)
		if v.faces, err = s.find(v.page.RGB); err != nil {
			return err
		}
	}
	up := bestScore(v.faces)
	if up >= certainFace {
		return nil
	}
	flipped, err := s.find(v.page.Rotate90(2))
	if err != nil {
		return err
	}
	upside, err := s.upside(v)
	if err != nil {
		return err
	}
	if page.Headlong(upside, up, bestScore(flipped)) {
		v.turn(2)
		v.faces = flipped
	}
	return nil
}

// What the detector and the mesh must say at least of a face on a document. Coats of arms, watermarks and stamps
// reach 0.82 and 0.79 on the documents of A1, but none of them both; the portraits have 0.77 and 0.76 at least.
const (
	faceScore = 0.75
	meshScore = 0.7
)

// certainFace is the score of a face that is upright; on their head they reach 0.82.
const certainFace = 0.85

// find returns the faces that the mesh of landmarks confirms, best first.
func (s *Service) find(m *pix.RGB) ([]face.Face, error) {
	found, err := s.faces.Find(m)
	if err != nil {
		return nil, err
	}
	var sure []face.Face
	for _, f := range found {
		if f.Score < faceScore || len(sure) == mostFaces {
			break
		}
		mesh, err := s.meshes.Fit(m, f)
		if err != nil {
			return nil, err
		}
		if mesh.Score >= meshScore {
			sure = append(sure, f)
		}
	}
	return sure, nil
}

// mostFaces bounds the work on a picture of a crowd.
const mostFaces = 6

// asked is how many lines are asked which way up they stand: the longest ones.
const asked = 7

func (s *Service) upside(v *sight) ([]float32, error) {
	byLength := slices.SortedFunc(slices.Values(v.lines), func(a, b pix.Quad) int {
		wa, _ := a.Size()
		wb, _ := b.Size()
		return int(wb - wa)
	})
	var out []float32
	for _, q := range byLength[:min(asked, len(byLength))] {
		if w, h := q.Size(); w < 2*h {
			continue
		}
		u, err := s.reader.Upside(v.page.RGB, q)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

func (v *sight) turn(k int) {
	v.lines = page.TurnQuads(v.lines, v.page.W, v.page.H, k)
	v.page = v.page.Turn(k)
}

func bestScore(fs []face.Face) float64 {
	if len(fs) == 0 {
		return 0
	}
	return fs[0].Score
}

// toSource takes pixels of the page to pixels of the uploaded picture.
func (v *sight) toSource() [9]float64 {
	whole := pix.Full(v.page.W, v.page.H)
	return pix.Homography(whole, v.picture.ToSource(pix.ProjectQuad(v.page.ToPicture, whole)))
}

// outline is the located document, or the whole picture, in pixels of the uploaded one.
func (v *sight) outline() pix.Quad { return v.picture.ToSource(v.location.Quad) }

// largest returns the face with the most pixels: the portrait, beside ghosts of it.
func (v *sight) largest() (face.Face, bool) {
	if len(v.faces) == 0 {
		return face.Face{}, false
	}
	return slices.MaxFunc(v.faces, func(a, b face.Face) int { return int(a.Box.W()*a.Box.H() - b.Box.W()*b.Box.H()) }), true
}

// room is how much of a face's size is left round it on the portrait.
const room = 0.6

// portrait is the largest face with room around it, on the page.
func (v *sight) portrait() (pix.Quad, bool) {
	f, ok := v.largest()
	if !ok {
		return pix.Quad{}, false
	}
	x0, y0, x1, y1 := f.Box.Quad().Grow(room*f.Box.W(), room*f.Box.H()).Bounds()
	q := pix.Rect(max(x0, 0), max(y0, 0), min(x1, float64(v.page.W-1)), min(y1, float64(v.page.H-1)))
	w, h := q.Size()
	return q, w >= 16 && h >= 16
}

// derived describes the page. Its portrait is the face itself: what lies around it is measured from there.
func (v *sight) derived(source string, blob *derivedv1.Blob) *derivedv1.Page {
	h := v.toSource()
	p := &derivedv1.Page{
		SourceSha256: source, Blob: blob, ToSource: h[:], Lines: quads(v.lines), QuarterTurns: uint32(v.page.Turns),
		Format: string(page.FormatOf(float64(v.page.W), float64(v.page.H))), Located: v.location.Located,
		Barcodes: quads(v.bars),
	}
	if f, ok := v.largest(); ok {
		p.Portrait = quad(f.Box.Quad())
	}
	return p
}

func quads(qs []pix.Quad) []*derivedv1.Quad {
	out := make([]*derivedv1.Quad, len(qs))
	for i, q := range qs {
		out[i] = quad(q)
	}
	return out
}

func quad(q pix.Quad) *derivedv1.Quad {
	out := &derivedv1.Quad{}
	for _, p := range q {
		out.Points = append(out.Points, &derivedv1.Point{X: float32(p.X), Y: float32(p.Y)})
	}
	return out
}
