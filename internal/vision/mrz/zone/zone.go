package zone

import (
	"fmt"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Zone is a machine-readable zone found on a page.
type Zone struct {
	*mrz.Document
	Quads []pix.Quad // of each line, in pixels of the page
	slots [][]slot
}

// Reader finds and reads zones. It is safe for concurrent use.
type Reader struct {
	own    *ocr.MRZReader
	second *ocr.Reader
}

// NewReader opens the models "mrz", "text-rec" and "text-cls".
func NewReader(set *models.Set) (*Reader, error) {
	own, err := ocr.NewMRZReader(set)
	if err != nil {
		return nil, err
	}
	second, err := ocr.NewReader(set)
	if err != nil {
		return nil, err
	}
	return &Reader{own: own, second: second}, nil
}

// worthwhile is the least score of a zone, a character: below it the lines are some
// other print.
const worthwhile = 0.35

// Find reads the zone among the lines of text of a page; nil where there is none.
// Lines is what ocr.Detector found on m.
func (r *Reader) Find(m *pix.RGB, lines []pix.Quad) (*Zone, error) {
	p := &page{r: r, m: m, g: m.Gray(), seen: map[pix.Quad]sight{}}
	var best candidate
	for _, s := range stacks(join(lines)) {
		c, err := p.try(s)
		if err != nil {
			return nil, fmt.Errorf("reading machine-readable zone: %w", err)
		}
		if c.score > best.score {
			best = c
		}
	}
	if best.doc == nil {
		return nil, nil
	}
	best, err := p.secondLook(best)
	if err != nil {
		return nil, fmt.Errorf("reading machine-readable zone again: %w", err)
	}
	z := &Zone{Document: best.doc, slots: best.slots}
	for _, row := range best.rows {
		z.Quads = append(z.Quads, row.quad)
	}
	return z, nil
}

// candidate is a stack of rows with the layout that fits it best.
type candidate struct {
	fitted
	rows []row
}

// page remembers what was read of a picture: stacks share rows.
type page struct {
	r    *Reader
	m    *pix.RGB
	g    *pix.Gray
	seen map[pix.Quad]sight
}

func (p *page) try(rows []row) (candidate, error) {
	var lines []sight
	for _, r := range rows {
		s, err := p.look(r)
		if err != nil {
			return candidate{}, err
		}
		lines = append(lines, s)
	}
	best := candidate{rows: rows}
	best.fitted = bestFit(lines)
	return best, nil
}

// bestFit tries every layout; the zero value where none is worth while.
func bestFit(lines []sight) fitted {
	var best fitted
	for _, lay := range mrz.Layouts() {
		if !near(lay, lines) {
			continue
		}
		f, ok := fit(lay, lines)
		if ok && f.score > best.score && f.score > worthwhile*float64(total(lay.Lengths)) {
			best = f
		}
	}
	return best
}

// near says whether a free reading of each line is about as long as the layout's.
func near(lay mrz.Layout, lines []sight) bool {
	if len(lay.Lengths) != len(lines) {
		return false
	}
	off := 0
	for i, n := range lay.Lengths {
		off += abs(len(ocr.Greedy(lines[i][0].raw).Text) - n)
	}
	return off <= 8*len(lines)
}

func abs(n int) int { return max(n, -n) }

func total(n []int) int {
	sum := 0
	for _, v := range n {
		sum += v
	}
	return sum
}

// look reads a row with the project's own reader.
func (p *page) look(r row) (sight, error) {
	if s, ok := p.seen[r.quad]; ok {
		return s, nil
	}
	probs, err := p.r.own.Probs(p.g, ocr.Tighten(p.g, r.quad))
	if err != nil {
		return nil, err
	}
	s := sight{newLook(probs)}
	p.seen[r.quad] = s
	return s, nil
}

// doubtful is the confidence below which a character is looked at again.
const doubtful = 0.9

// secondLook reads again, with the general reader, the lines of a zone in which a
// check digit fails, a rule bent the reading, or a character is doubtful.
func (p *page) secondLook(c candidate) (candidate, error) {
	if c.doc.Holds() && c.bent < 1 && !c.doubtful() {
		return c, nil
	}
	var lines []sight
	for _, r := range c.rows {
		probs, err := p.r.second.Probs(p.m, ocr.Tighten(p.g, r.quad))
		if err != nil {
			return c, err
		}
		lines = append(lines, append(p.seen[r.quad][:1:1], newLook(probs.MRZ())))
	}
	if f := bestFit(lines); f.doc != nil {
		c.fitted = f
	}
	return c, nil
}

func (c candidate) doubtful() bool {
	for _, l := range c.doc.Lines {
		for _, v := range l.Conf {
			if v < doubtful {
				return true
			}
		}
	}
	return false
}
