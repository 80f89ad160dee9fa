package zone

import (
	"strings"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

// Misfit is a character that looks like one which Doc 9303 does not allow at its position.
type Misfit struct {
	mrz.Span         // of the one character
	Seen     byte    // what it looks like, where nothing but looks counts
	Conf     float32 // that it is that, 0 to 1
}

// Misfits lists what does not belong where it stands. The lines of a zone cannot show it: they are made of allowed
// characters only. A character that readers of OCR-B take for the allowed one is no misfit: an O of genuine documents is
// read as 0 with all confidence.
func (z *Zone) Misfits() []Misfit {
	var out []Misfit
	z.each(func(at mrz.Span, class mrz.Class, s slot) {
		seen, taken := best(s, mrz.Any.Alphabet()), z.Lines[at.Row].Text[at.From]
		if strings.IndexByte(class.Alphabet(), seen) < 0 && !lookAlike(seen, taken) {
			out = append(out, Misfit{at, seen, s.p[index(seen)] * s.seen})
		}
	})
	return out
}

// Unseen counts the positions at which no character could be made out; what the lines have there is a guess.
func (z *Zone) Unseen() int {
	n := 0
	z.each(func(_ mrz.Span, _ mrz.Class, s slot) {
		if s.seen < 0.5 {
			n++
		}
	})
	return n
}

func (z *Zone) each(visit func(at mrz.Span, class mrz.Class, s slot)) {
	lay, _ := mrz.LayoutOf(z.Format)
	for row, slots := range z.slots {
		for col, class := range lay.Classes(row) {
			visit(mrz.Span{Row: row, From: col, To: col + 1}, class, slots[col])
		}
	}
}

// lookAlike says whether two characters are of one shape in OCR-B, or nearly.
func lookAlike(a, b byte) bool {
	for _, shape := range []string{"0ODQ", "1IL", "2Z", "5S", "6G", "8B", "4A", "7T"} {
		if strings.IndexByte(shape, a) >= 0 && strings.IndexByte(shape, b) >= 0 {
			return true
		}
	}
	return false
}
