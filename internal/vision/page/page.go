// Package page finds the document on a picture and lays it flat: where its four corners are, what format it has,
// which way is up.
//
// # Never lose content
//
// A picture may show a card on a table, a scan that is nothing but the page, or front and back on one sheet. A
// wrong crop loses lines that no later step can bring back, a missing crop only costs resolution. So a document
// counts as located only where all of its sides can be seen in the pixels, and the whole picture is the page
// wherever there is a doubt.
//
// # How it is located
//
// A small net proposes the corners, on the picture as it is and turned by quarters, since it was trained on upright
// ones, and again on the part it found. Each proposal is then moved side by side to where the colour changes
// along the whole side, and judged by how much of its outline shows such a change. The judgement does not come
// from the net: on a picture without a border its corners are as confident as ever, and wrong.
//
// All coordinates are in pixels of the picture handed in; [Page] keeps the homography back to it.
package page

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Format is a document's size by its proportions.
type Format string

// The formats of ISO/IEC 7810 that identity documents have.
const (
	ID1   Format = "id-1" // cards, 85.60 × 53.98 mm
	ID3   Format = "id-3" // data pages of passports, 125 × 88 mm; visas and ID-2 cards are as good as the same
	Other Format = "other"
)

// Aspects of ISO/IEC 7810, width by height.
const (
	aspectID1 = 85.60 / 53.98
	aspectID3 = 125.0 / 88.0
)

// FormatOf guesses the format of a page of w × h pixels, whichever way it lies. Perspective and rounded corners
// make it uncertain by some percent, and the two formats are only eleven apart: it is a hint.
func FormatOf(w, h float64) Format {
	if w <= 0 || h <= 0 {
		return Other
	}
	a := math.Max(w, h) / math.Min(w, h)
	off1, off3 := math.Abs(math.Log(a/aspectID1)), math.Abs(math.Log(a/aspectID3))
	switch {
	case math.Min(off1, off3) > 0.09:
		return Other
	case off1 < off3:
		return ID1
	}
	return ID3
}

// Page is a document as it would lie under a scanner.
type Page struct {
	*pix.RGB
	// ToPicture takes pixels of the page to pixels of the picture that it was rectified from.
	ToPicture [9]float64
	Turns     int // quarter turns clockwise that were applied since Rectify
}

// Rectify lays q flat on a page whose long side is longSide pixels, or as many as q has in the picture where it
// has fewer: pixels that are not there are not made up.
func Rectify(m *pix.RGB, q pix.Quad, longSide int) *Page {
	w, h := flatSize(q)
	f := math.Min(1, float64(longSide)/math.Max(w, h))
	pw, ph := max(int(math.Round(w*f)), 1), max(int(math.Round(h*f)), 1)
	if q == pix.Full(m.W, m.H) {
		pw, ph = pix.Fit(m.W, m.H, longSide)
		return &Page{RGB: pix.Resize(m, pw, ph), ToPicture: pix.Homography(pix.Full(pw, ph), pix.Full(pw, ph).Scale(float64(m.W)/float64(pw), float64(m.H)/float64(ph)))}
	}
	return &Page{RGB: pix.Warp(m, q, pw, ph), ToPicture: pix.Homography(pix.Full(pw, ph), q)}
}

// flatSize returns the sides that the shape of q had before perspective shortened them: the longer one of each
// pair, made to fit a known format if it is near one.
func flatSize(q pix.Quad) (w, h float64) {
	w = math.Max(q[0].Dist(q[1]), q[3].Dist(q[2])) + 1
	h = math.Max(q[0].Dist(q[3]), q[1].Dist(q[2])) + 1
	aspect := 0.0
	switch FormatOf(w, h) {
	case ID1:
		aspect = aspectID1
	case ID3:
		aspect = aspectID3
	default:
		return w, h
	}
	if w >= h {
		return w, w / aspect
	}
	return h / aspect, h
}

// Turn returns the page after k more quarter turns clockwise.
func (p *Page) Turn(k int) *Page {
	if k = (k%4 + 4) % 4; k == 0 {
		return p
	}
	before := pix.Full(p.W, p.H)
	turned := p.Rotate90(k)
	// The corner that is first after k turns clockwise was k places back.
	back := pix.Homography(pix.Full(turned.W, turned.H), before.Turn(-k))
	return &Page{RGB: turned, ToPicture: pix.Compose(p.ToPicture, back), Turns: (p.Turns + k) % 4}
}
