package text

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/barcode"
	"github.com/bonafide-id/bonafide/internal/vision/barcode/aamva"
	"github.com/bonafide-id/bonafide/internal/vision/class"
	"github.com/bonafide-id/bonafide/internal/vision/fields"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/mrz/zone"
	"github.com/bonafide-id/bonafide/internal/vision/parallel"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Lines are read in batches, so that what they say can be said between: a small one
// first, which mostly names the document. Two workers of one thread each are as many as
// help.
const (
	firstBatch = 4
	batch      = 8
	workers    = 2
)

// reading is one page being read.
type reading struct {
	s     *Service
	m     *pix.RGB
	page  *derivedv1.Page
	sent  envelopev1.Medium
	out   *answers
	now   time.Time
	zone  *zone.Zone
	sym   *barcode.Symbol
	card  *aamva.Card
	class class.Result
	lines []fields.Line
}

func (s *Service) newReading(m *pix.RGB, p *derivedv1.Page, sent envelopev1.Medium, emit stream.Emit) *reading {
	a := &answers{medium: sent, source: p.GetSourceSha256(), digest: s.Models.Digest, start: s.Now(), now: s.Now, emit: emit, said: map[string]bool{},
		toSrc: pix.Homography(pix.Full(2, 2), pix.Full(2, 2))}
	if h := p.GetToSource(); len(h) == 9 {
		copy(a.toSrc[:], h)
	}
	return &reading{s: s, m: m, page: p, sent: sent, out: a, now: s.Now()}
}

// read says everything about the page, the quickest and surest first.
func (r *reading) read(ctx context.Context) error {
	quads := quadsOf(r.page.GetLines())
	for _, step := range []func(context.Context, []pix.Quad) error{r.readZone, r.readSymbol, r.readLines} {
		if err := step(ctx, quads); err != nil {
			return err
		}
	}
	return r.close(ctx)
}

func quadsOf(list []*derivedv1.Quad) []pix.Quad {
	var out []pix.Quad
	for _, q := range list {
		if len(q.GetPoints()) != 4 {
			continue
		}
		var p pix.Quad
		for i, c := range q.GetPoints() {
			p[i] = pix.Pt{X: float64(c.GetX()), Y: float64(c.GetY())}
		}
		out = append(out, p)
	}
	return out
}

func (r *reading) readZone(ctx context.Context, quads []pix.Quad) (err error) {
	if r.zone, err = r.s.zones.Find(r.m, quads); err != nil || r.zone == nil {
		return err
	}
	if class.Settled(r.zone.Document) {
		if err := r.classify(ctx); err != nil {
			return err
		}
	}
	return r.out.say(ctx, zoneAnswers(r.zone, r.now)...)
}

// readSymbol looks for a barcode where the page has bars, and on every side without a
// zone: no document has both but some North American cards.
func (r *reading) readSymbol(ctx context.Context, _ []pix.Quad) error {
	if len(r.page.GetBarcodes()) == 0 && r.zone != nil {
		return nil
	}
	if r.sym = barcode.Read(r.m.Gray()); r.sym == nil {
		return nil
	}
	if card, err := aamva.Parse(string(r.sym.Payload)); err == nil {
		r.card = card
		if r.s.countries.Classify(r.input()).Type != class.Other {
			if err := r.classify(ctx); err != nil {
				return err
			}
		}
	}
	return r.out.say(ctx, symbolAnswers(r.sym, r.card)...)
}

// readLines reads the printed lines, large and high ones first, and says what they tell
// after each batch.
func (r *reading) readLines(ctx context.Context, quads []pix.Quad) error {
	rest := r.order(quads)
	for size := firstBatch; len(rest) > 0; size = batch {
		n := min(size, len(rest))
		if err := r.readBatch(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
		if err := r.sayLines(ctx, len(rest) == 0); err != nil {
			return err
		}
	}
	if r.class.Type == "" {
		return r.classify(ctx)
	}
	return nil
}

// order lists the lines to be read: not those of the zone; those that name the document
// and its state, large and at the top, first.
func (r *reading) order(quads []pix.Quad) []pix.Quad {
	var out []pix.Quad
	for _, q := range quads {
		if r.zone == nil || !inside(q.Centre(), r.zone.Quads) {
			out = append(out, q)
		}
	}
	rank := func(q pix.Quad) float64 {
		_, h := q.Size()
		return q.Centre().Y/float64(r.m.H) - 6*h/float64(r.m.H)
	}
	slices.SortStableFunc(out, func(a, b pix.Quad) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// inside says whether a point lies in the upright box of one of the quadrilaterals.
func inside(p pix.Pt, quads []pix.Quad) bool {
	for _, q := range quads {
		x0, y0, x1, y1 := q.Bounds()
		if p.X >= x0 && p.X <= x1 && p.Y >= y0 && p.Y <= y1 {
			return true
		}
	}
	return false
}

func (r *reading) readBatch(ctx context.Context, quads []pix.Quad) error {
	got := make([]fields.Line, len(quads))
	if err := parallel.Each(workers, len(quads), func(i int) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		q := quads[i]
		t, err := r.s.lines.Read(r.m, q.Turn(r.turn()))
		if err != nil {
			return fmt.Errorf("reading line: %w", err)
		}
		got[i] = fields.Line{Quad: q, Text: t.Text, Conf: t.Conf, At: t.At}
		return nil
	}); err != nil {
		return err
	}
	for _, l := range got {
		if strings.TrimSpace(l.Text) != "" {
			r.lines = append(r.lines, l)
		}
	}
	return nil
}

// turn is by how many quarters the page stands wrong, where a zone shows it.
func (r *reading) turn() int {
	if r.zone == nil {
		return 0
	}
	return r.zone.Turn
}

// sayLines says the class once print decides it, and the fields: those that more lines
// may still change only when all are read.
func (r *reading) sayLines(ctx context.Context, all bool) error {
	if r.class.Type == "" {
		guess := r.s.countries.Classify(r.input())
		if guess.Type == class.Other || guess.Country == "" {
			if !all {
				return nil
			}
		}
		if err := r.classify(ctx); err != nil {
			return err
		}
	}
	return r.out.say(ctx, fieldAnswers(fields.Extract(r.fieldPage(!all)))...)
}

func (r *reading) fieldPage(firm bool) fields.Page {
	lines := slices.Clone(r.lines)
	slices.SortStableFunc(lines, topFirst)
	p := fields.Page{Lines: lines, Numbered: r.class.Type == class.Licence, Firm: firm, Calendar: fields.Calendar{Now: r.now}}
	if r.class.Country == "USA" {
		p.Calendar.Order = fields.MonthFirst
	}
	if r.zone != nil {
		p.Known = known(r.zone.Document, r.now)
	}
	return p
}

func topFirst(a, b fields.Line) int { return cmp.Compare(a.Quad[0].Y, b.Quad[0].Y) }

func (r *reading) input() class.Input {
	in := class.Input{Card: r.card}
	if r.zone != nil {
		in.Zone = r.zone.Document
	}
	top := slices.Clone(r.lines)
	slices.SortStableFunc(top, topFirst)
	for _, l := range top {
		in.Lines = append(in.Lines, l.Text)
	}
	return in
}

func (r *reading) classify(ctx context.Context) error {
	if r.class.Type != "" {
		return nil
	}
	r.class = r.s.countries.Classify(r.input())
	return r.out.say(ctx, classAnswers(r.class, sideAnswer(r.side()), r.sent)...)
}

func (r *reading) side() (side string, seen bool) {
	var z *mrz.Document
	if r.zone != nil {
		z = r.zone.Document
	}
	return sideOf(r.page.GetPortrait() != nil, z, r.card != nil, r.sent)
}

// close answers what is open still.
func (r *reading) close(ctx context.Context) error {
	if err := r.classify(ctx); err != nil {
		return err
	}
	side, _ := r.side()
	var zoneOpen, symbolOpen []string
	var rest []answer
	for _, id := range r.out.open() {
		switch {
		case strings.HasPrefix(id, "doc.mrz.") && r.zone != nil:
			rest = append(rest, none(id, "not_in_format").from("mrz"))
		case strings.HasPrefix(id, "doc.mrz."):
			zoneOpen = append(zoneOpen, id)
		case strings.HasPrefix(id, "doc.barcode."):
			symbolOpen = append(symbolOpen, id)
		case strings.HasPrefix(id, "doc.text."):
			rest = append(rest, missingField(id, r.class, side).from("print"))
		}
	}
	rest = append(rest, noZone(zoneOpen, r.class, side)...)
	rest = append(rest, restOfSymbol(symbolOpen, r.sym, len(r.page.GetBarcodes()) > 0)...)
	return r.out.say(ctx, rest...)
}
