package specimen

import (
	"image/color"
	"strings"
	"time"
)

// layout is the design of one document. Lengths are in millimetres.
type layout struct {
	width, height, corner float64 // corner is the radius of the rounded corners
	portrait, ghost       box
	caption, value        float64 // heights of capitals
	values                typeface
	entries               func(p person) []entry
	art                   func(c *canvas, d *document) // what is neither portrait nor entry
}

// entry is a printed field: a caption and, on the baseline x, y, the value.
type entry struct {
	field   string // of a finding doc.text.field.*, empty for what is not one
	caption string
	cx, cy  float64 // where the caption begins
	x, y    float64
	value   string
	truth   string // the value in the notation of the findings
}

var (
	layouts = map[Kind]*layout{Passport: &passportLayout, UKCard: &cardLayout}

	inkText    = color.RGBA{28, 26, 38, 255}
	inkCaption = color.RGBA{52, 74, 120, 255}
)

func (l *layout) fields(p person) map[string]string {
	out := map[string]string{}
	for _, e := range l.entries(p) {
		if e.field != "" {
			out[e.field] = e.truth
		}
	}
	return out
}

func (l *layout) find(p person, field string) entry {
	for _, e := range l.entries(p) {
		if e.field == field {
			return e
		}
	}
	panic("no printed field " + field) // the forger names fields of these layouts only
}

func (l *layout) label(e entry) label {
	return label{x: e.x, y: e.y, size: l.value, face: l.values, ink: inkText}
}

// print draws captions and values.
func (l *layout) print(c *canvas, p person) {
	for _, e := range l.entries(p) {
		c.text(label{x: e.cx, y: e.cy, size: l.caption, face: sans, ink: inkCaption}, e.caption)
		c.text(l.label(e), e.value)
	}
}

func iso(t time.Time) string { return t.Format(time.DateOnly) }

// passportDate is how passports print dates: 12 AUG 1974.
func passportDate(t time.Time) string { return strings.ToUpper(t.Format("02 Jan 2006")) }

// cardDate is how European driving licences print dates: 12.08.1974.
func cardDate(t time.Time) string { return t.Format("02.01.2006") }
