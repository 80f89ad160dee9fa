package document

import (
	"cmp"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/quality"
)

// measured is everything that the answers rest on, as numbers.
type measured struct {
	located   bool
	several   int // documents on the picture, where there is more than one
	trust     float64
	lines     int
	bare      bool      // nothing but a barcode
	faces     []float64 // areas, on the page
	turns     int
	focus     quality.Measure
	glare     quality.Measure
	whiteOnly bool // glare cannot be told from paper
	dark      quality.Measure
	bright    quality.Measure
	sharpness quality.Measure // resolution
	askew     quality.Measure // perspective
	cut       quality.Measure
}

func measure(v *sight) measured {
	grey := v.page.Gray()
	m := measured{
		located: v.location.Located, several: len(v.location.Several), trust: v.location.Trust, lines: len(v.lines), bare: v.bare(), turns: v.page.Turns,
		focus: quality.Focus(grey), dark: quality.Dark(grey), bright: quality.Bright(grey),
		sharpness: quality.Resolution(v.outline()), askew: quality.Perspective(v.location.Quad),
	}
	glare, ok := quality.Glare(v.page.RGB)
	m.glare, m.whiteOnly = glare, !ok
	m.cut = quality.CutOff(v.lines, v.page.W, v.page.H)
	for _, f := range v.faces {
		m.faces = append(m.faces, f.Box.W()*f.Box.H())
	}
	return m
}

// bare reports whether nothing on the picture speaks for a document, a barcode aside.
func (v *sight) bare() bool {
	return !v.location.Located && len(v.location.Several) == 0 && len(v.lines) < fewLines && len(v.faces) == 0
}

// empty reports whether there is nothing to go on working with.
func (v *sight) empty() bool { return v.bare() && len(v.bars) == 0 }

// answer is one finding before it is put into an event.
type answer struct {
	check   string
	outcome envelopev1.Outcome
	reason  string
	measure *quality.Measure
	number  *float64
	by      string // detector
	quad    *pix.Quad
}

// decide answers every check that the service owes about a picture with a document on it.
func decide(m measured, medium envelopev1.Medium) []answer {
	out := []answer{
		located(m),
		orientation(m),
		graded("doc.image.focus", m.focus, "blurred"),
		graded("doc.image.dark", m.dark, "too_dark"),
		graded("doc.image.bright", m.bright, "too_bright"),
		provided(m.outline(), graded("doc.image.resolution", m.sharpness, "too_small")),
		provided(m.edges(), graded("doc.image.perspective", m.askew, "too_oblique")),
		provided(m.text(), graded("doc.image.cut_off", m.cut, "cut_off")),
		glare(m),
		present(m),
		several(m),
	}
	if medium == check.Document {
		out = append(out, detected(m), single(m))
	}
	return out
}

// outline, edges and text say why there is nothing to rest a pass on; "" where there is. A picture that is nothing but
// the document shows its extent, which the borders of the picture are, and no edges.
func (m measured) outline() string {
	switch {
	case m.several > 1:
		return "several_documents"
	case !m.located && m.lines < fewLines:
		return "no_outline"
	}
	return ""
}

func (m measured) edges() string {
	if m.located {
		return ""
	}
	return cmp.Or(m.outline(), "no_outline")
}

func (m measured) text() string {
	if m.lines < fewLines {
		return "no_text"
	}
	return ""
}

// provided takes a pass back that has nothing to rest on.
func provided(lacking string, a answer) answer {
	if a.outcome == stream.Pass && lacking != "" {
		a.outcome, a.reason = stream.Inconclusive, lacking
	}
	return a
}

// present: a close-up of a barcode may be of a document, and its payload is worth reading; a face is on more than documents.
func present(m measured) answer {
	a := answer{check: "doc.image.no_document", outcome: stream.Pass, by: "corners"}
	switch {
	case m.bare:
		a.outcome, a.reason = stream.Inconclusive, "only_a_barcode"
	case m.several < 2:
		a = provided(m.outline(), a)
	}
	return a
}

func graded(id string, m quality.Measure, reason string) answer {
	if m.OK {
		return answer{check: id, outcome: stream.Pass, measure: &m, by: "quality"}
	}
	return answer{check: id, outcome: stream.Fail, reason: reason, measure: &m, by: "quality"}
}

func glare(m measured) answer {
	if m.whiteOnly {
		return answer{check: "doc.image.glare", outcome: stream.Inconclusive, reason: "white_paper", by: "quality"}
	}
	return graded("doc.image.glare", m.glare, "glare")
}

// located: a picture that is nothing but the document is located as well, whole.
func located(m measured) answer {
	return provided(m.outline(), answer{check: "doc.class.located", outcome: stream.Pass, by: "corners"})
}

// orientation is what was undone, in degrees clockwise.
func orientation(m measured) answer {
	degrees := float64(90 * m.turns)
	a := answer{check: "doc.class.orientation", outcome: stream.Pass, number: &degrees, by: "orientation"}
	if m.lines < fewLines && len(m.faces) == 0 {
		a.outcome, a.reason = stream.Inconclusive, "no_text"
	}
	return a
}

func several(m measured) answer {
	n := quality.Measure{Raw: float64(max(m.several, 1)), Threshold: 1, OK: m.several < 2}
	a := provided(m.outline(), graded("doc.image.several_documents", n, "several_documents"))
	a.by = "corners"
	return a
}

func detected(m measured) answer {
	if len(m.faces) == 0 {
		return answer{check: "doc.portrait.detected", outcome: stream.Fail, reason: "no_face", by: "portrait"}
	}
	return answer{check: "doc.portrait.detected", outcome: stream.Pass, by: "portrait"}
}

// ghost is the largest share of the portrait's area that a second image of the holder has on documents.
const ghost = 0.5

// single: a ghost image is no second portrait.
func single(m measured) answer {
	if len(m.faces) == 0 {
		return answer{check: "doc.portrait.single", outcome: stream.NotApplicable, reason: "no_face", by: "portrait"}
	}
	largest, n := 0.0, 0
	for _, a := range m.faces {
		largest = max(largest, a)
	}
	for _, a := range m.faces {
		if a > ghost*largest {
			n++
		}
	}
	a := graded("doc.portrait.single", quality.Measure{Raw: float64(n), Threshold: 1, OK: n == 1}, "several_faces")
	a.by = "portrait"
	return a
}
