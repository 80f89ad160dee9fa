package zone

import (
	"cmp"
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Shapes of a zone's lines, in heights of a detector's box, which holds a line with its
// margins.
const (
	piece   = 2.5 // a box narrower than this joins no line
	longRow = 10  // a line of a zone is at least as long
	gap     = 4   // boxes of one line lie no further apart
)

// row is a line of text made of one or more boxes.
type row struct {
	quad pix.Quad
	w, h float64
	u    pix.Pt // direction of reading
}

func newRow(q pix.Quad) row {
	w, h := q.Size()
	d := q[1].Sub(q[0]).Add(q[2].Sub(q[3]))
	return row{q, w, h, d.Mul(1 / math.Max(math.Hypot(d.X, d.Y), 1e-9))}
}

// along and across are a point's coordinates in the row's own axes.
func (r row) along(p pix.Pt) float64  { return p.X*r.u.X + p.Y*r.u.Y }
func (r row) across(p pix.Pt) float64 { return p.Y*r.u.X - p.X*r.u.Y }

// span is the row's extent in the axes of a.
func (r row) span(a row) (from, to float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for _, p := range r.quad {
		from, to = math.Min(from, a.along(p)), math.Max(to, a.along(p))
	}
	return from, to
}

// join merges boxes that lie on one line next to each other. The page is read as if
// turned by turn quarters counter-clockwise.
func join(quads []pix.Quad, turn int) []row {
	var rows []row
	for _, q := range quads {
		if r := newRow(q.Turn(turn)); r.w > piece*r.h {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.w/b.h, a.w/a.h) })
	for merged := true; merged; {
		merged = false
		for i := 0; i < len(rows) && !merged; i++ {
			for j := i + 1; j < len(rows) && !merged; j++ {
				if rows[i].continues(rows[j]) {
					rows[i] = rows[i].with(rows[j])
					rows = slices.Delete(rows, j, j+1)
					merged = true
				}
			}
		}
	}
	return rows
}

// continues says whether o lies on r's line, near one of its ends.
func (r row) continues(o row) bool {
	if o.h < 0.6*r.h || o.h > 1.6*r.h {
		return false
	}
	if math.Abs(r.across(o.quad.Centre())-r.across(r.quad.Centre())) > 0.4*r.h {
		return false
	}
	from, to := r.span(r)
	oFrom, oTo := o.span(r)
	return oFrom-to < gap*r.h && from-oTo < gap*r.h
}

// with returns the row that holds both, level with the longer.
func (r row) with(o row) row {
	from, to := r.span(r)
	oFrom, oTo := o.span(r)
	return r.stretched(math.Min(from, oFrom), math.Max(to, oTo))
}

// stretched returns r reaching from one coordinate along itself to another.
func (r row) stretched(from, to float64) row {
	c := r.across(r.quad.Centre())
	at := func(a, b float64) pix.Pt {
		return pix.Pt{X: a*r.u.X - b*r.u.Y, Y: a*r.u.Y + b*r.u.X}
	}
	top, bottom := c-r.h/2, c+r.h/2
	return newRow(pix.Quad{at(from, top), at(to, top), at(to, bottom), at(from, bottom)})
}

// below says whether o can be the next line of a zone under r.
func (r row) below(o row) bool {
	d := r.across(o.quad.Centre()) - r.across(r.quad.Centre())
	if d < 0.7*r.h || d > 2.6*r.h || o.h < 0.45*r.h || o.h > 2.2*r.h || r.u.X*o.u.X+r.u.Y*o.u.Y < 0.998 {
		return false
	}
	from, to := r.span(r)
	oFrom, oTo := o.span(r)
	return math.Min(to, oTo)-math.Max(from, oFrom) > 0.6*math.Min(to-from, oTo-oFrom)
}

// stacks lists runs of one to three rows that lie under one another, each row brought
// to the extent of the widest: detectors lose fillers at the ends of lines. Those of
// several rows which are all long come first, as a zone's are.
func stacks(rows []row) [][]row {
	if len(rows) == 0 {
		return nil
	}
	axis := rows[0] // the longest: join sorted them
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Compare(axis.across(a.quad.Centre()), axis.across(b.quad.Centre()))
	})
	var runs [][]row
	for i, r := range rows {
		if r.w < longRow*r.h {
			continue
		}
		run := []row{r}
		runs = append(runs, run)
		for j := i + 1; j < len(rows) && len(run) < 3; j++ {
			if last := run[len(run)-1]; last.below(rows[j]) && rows[j].w > 0.3*last.w {
				run = append(run[:len(run):len(run)], rows[j])
				runs = append(runs, run)
			}
		}
	}
	slices.SortStableFunc(runs, func(a, b []row) int {
		return cmp.Or(cmp.Compare(min(len(b), 2), min(len(a), 2)), cmp.Compare(shortest(b), shortest(a)))
	})
	for i, run := range runs {
		if len(run) > 1 {
			runs[i] = even(run)
		}
	}
	return runs
}

// shortest is the length of the shortest row in its heights.
func shortest(rows []row) float64 {
	least := math.Inf(1)
	for _, r := range rows {
		least = min(least, r.w/r.h)
	}
	return least
}

// even stretches the rows of a stack to their common extent.
func even(stack []row) []row {
	widest := stack[0]
	for _, r := range stack[1:] {
		if r.w > widest.w {
			widest = r
		}
	}
	from, to := widest.span(widest)
	out := make([]row, len(stack))
	for i, r := range stack {
		f, t := r.span(widest)
		// The short row's own tilt is worth little; the widest row's is taken.
		leveled := row{quad: r.quad, w: r.w, h: r.h, u: widest.u}
		out[i] = leveled.stretched(math.Min(from, f), math.Max(to, t))
	}
	return out
}

// neighbours guesses, for a long row that stands alone, where a row above or below it
// would lie: lines of OCR-B on documents are set about 1.4 tight boxes apart.
func neighbours(r row, tight pix.Quad) [][]row {
	_, h := tight.Size()
	var out [][]row
	for _, pitch := range [...]float64{1.4, 1.2, 1.65} {
		off := pix.Pt{X: -r.u.Y, Y: r.u.X}.Mul(pitch * h)
		above, below := r.moved(off.Mul(-1), h), r.moved(off, h)
		out = append(out, []row{above, r}, []row{r, below}, []row{above, r, below})
	}
	return out
}

// moved returns a row of height h as far along as r, off by d.
func (r row) moved(d pix.Pt, h float64) row {
	q := r.quad
	for i := range q {
		q[i] = q[i].Add(d)
	}
	return newRow(q.Grow(0, (h-r.h)/2))
}
