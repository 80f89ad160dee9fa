package zone

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Zone is a machine-readable zone found on a page.
type Zone struct {
	*mrz.Document
	Quads []pix.Quad // of each line, in pixels of the page
	Turn  int        // quarter turns clockwise by which the page stands wrong
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
	p := &page{r: r, m: m, g: m.Gray(), seen: map[pix.Quad]sight{}, tight: map[pix.Quad]pix.Quad{}}
	for _, turn := range [...]int{0, 1, 3, 2} {
		best, err := p.search(stacks(join(lines, turn)))
		if err != nil {
			return nil, fmt.Errorf("reading machine-readable zone: %w", err)
		}
		if best.doc != nil {
			return p.zone(best, turn), nil
		}
	}
	return nil, nil
}

func (p *page) zone(c candidate, turn int) *Zone {
	z := &Zone{Document: c.doc, Turn: turn, slots: c.slots}
	for _, row := range c.rows {
		z.Quads = append(z.Quads, p.tight[row.quad])
	}
	return z
}

// search tries stacks of rows; where none will do, rows that stand alone with guessed
// neighbours. The best is looked at again.
func (p *page) search(all [][]row) (candidate, error) {
	best, err := p.bestOf(all)
	if err != nil {
		return best, err
	}
	for _, s := range all {
		if best.doc != nil || len(s) > 1 || !p.promising(s[0]) {
			continue
		}
		if best, err = p.bestOf(neighbours(s[0], ocr.Tighten(p.g, s[0].quad))); err != nil {
			return best, err
		}
	}
	if best.doc == nil {
		return best, nil
	}
	return p.secondLook(best)
}

// promising says whether a row by itself reads like a line of a zone: about as long as
// one, with fillers in it.
func (p *page) promising(r row) bool {
	text := ocr.Greedy(p.seen[r.quad][0].raw).Text
	return len(text) >= 24 && len(text) <= 54 && strings.Contains(text, "<<")
}

// bestOf tries stacks until one reads without a fault.
func (p *page) bestOf(all [][]row) (candidate, error) {
	var best candidate
	for _, s := range all {
		c, err := p.try(s)
		if err != nil {
			return best, err
		}
		if c.score > best.score {
			best = c
		}
		if best.faultless() {
			break
		}
	}
	return best, nil
}

// candidate is a stack of rows with the layout that fits it best.
type candidate struct {
	fitted
	rows []row
}

// faultless says that no other stack can be the zone: lines under one another in which
// every check digit holds as they were read.
func (c candidate) faultless() bool {
	return c.doc != nil && len(c.rows) > 1 && len(c.doc.Checks) > 1 && c.bent < 1 && c.doc.Holds()
}

// page remembers what was read of a picture: stacks share rows.
type page struct {
	r    *Reader
	m    *pix.RGB
	g    *pix.Gray
	seen map[pix.Quad]sight
	// tight holds the quadrilaterals that were read in place of the rows'.
	tight map[pix.Quad]pix.Quad
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
	fits := fitter{lines, map[string]aligned{}}
	for _, lay := range mrz.Layouts() {
		if !near(lay, lines) {
			continue
		}
		f, ok := fits.fit(lay)
		if ok && f.score > best.score && f.score > worthwhile*float64(total(lay.Lengths)) && f.sound() {
			best = f
		}
	}
	return best
}

// sound says whether lines look like a zone at all: half of the check digits hold, or
// fillers stand where other print has none.
func (f fitted) sound() bool {
	holds, fillers := 0, 0
	for _, c := range f.doc.Checks {
		if c.OK {
			holds++
		}
	}
	for _, l := range f.doc.Lines {
		for i, c := range l.Conf {
			if l.Text[i] == '<' && c > doubtful {
				fillers++
			}
		}
	}
	return 2*holds >= len(f.doc.Checks) && holds > 0 || fillers >= 8
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
	q := ocr.Tighten(p.g, r.quad)
	p.tight[r.quad] = q
	probs, err := p.r.own.Probs(p.g, q)
	if err != nil {
		return nil, err
	}
	s := sight{newLook(probs)}
	p.seen[r.quad] = s
	return s, nil
}

// doubtful is the confidence below which a character is looked at again.
const doubtful = 0.9

// secondLook reads again with the general reader: all lines of a zone in which a check
// digit fails or a rule bent the reading, else those in which a character is doubtful.
func (p *page) secondLook(c candidate) (candidate, error) {
	all := !c.doc.Holds() || c.bent >= 1
	var lines []sight
	again := false
	for i, r := range c.rows {
		s := p.seen[r.quad]
		if all || slices.Min(c.doc.Lines[i].Conf) < doubtful {
			probs, err := p.r.second.Probs(p.m, p.tight[r.quad])
			if err != nil {
				return c, err
			}
			s, again = append(s[:1:1], newLook(probs.MRZ())), true
		}
		lines = append(lines, s)
	}
	if !again {
		return c, nil
	}
	if f := bestFit(lines); f.doc != nil {
		c.fitted = f
	}
	return c, nil
}
