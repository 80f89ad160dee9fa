package zone

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/material"
	"github.com/bonafide-id/bonafide/internal/vision/mrz"
	"github.com/bonafide-id/bonafide/internal/vision/ocr"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

var lines = []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}

// seen makes what a reader would put out for a line: each character for two steps of
// four, blanks between. A change gives a position's second choice and its probability.
type change struct {
	row, col int
	second   byte
	p        float32
}

func seen(t *testing.T, lines []string, changes ...change) []sight {
	t.Helper()
	var out []sight
	for row, text := range lines {
		p := ocr.Probs{Classes: letters + 1, Alphabet: []rune(ocr.MRZAlphabet)}
		for col := range len(text) {
			for s := range 4 {
				r := make([]float32, letters+1)
				if r[0] = 0.999; s == 1 || s == 2 {
					r[0], r[index(text[col])+1] = 0.001, 0.999
					for _, c := range changes {
						if c.row == row && c.col == col {
							r[index(text[col])+1], r[index(c.second)+1] = 0.999-c.p, c.p
						}
					}
				}
				p.P = append(p.P, r...)
				p.Steps++
			}
		}
		out = append(out, sight{newLook(p)})
	}
	return out
}

func read(t *testing.T, s []sight) *mrz.Document {
	t.Helper()
	f := bestFit(s)
	if f.doc == nil {
		t.Fatal("no layout fits")
	}
	return f.doc
}

func TestReadsWhatIsThere(t *testing.T) {
	for _, l := range [][]string{lines,
		{"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
		{"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"},
		{"VNUSATRAVELER<<HAPPY<<<<<<<<<<<<<<<<<<<<<<<<", "1234567897CAN6612120M1407282B3XLC000FD142955"},
		{"VCFRASPECIMEN<<SPECIMEN<<<<<<<<<<<<<", "F000000005UTO0311063M1401143<M300703"},
		{"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"},
		{"D1FRA13AA000026181231MARTIN<<9"},
		{"I<PRT007777779<ZZ92<<<<<<<<<<<", "8303143M3405282PRT<<<<<<<<<<<2", "CACADOR<DE<ARAUJO<<ANDRE<ESTEV"},
	} {
		if d := read(t, seen(t, l)); d.Text() != strings.Join(l, "\n") || !d.Holds() {
			t.Errorf("%s: %s", d.Format, d.Text())
		}
	}
}

// The reader leans to the wrong digit; the check digit decides for its second choice.
func TestCheckDigitCorrectsReader(t *testing.T) {
	wrong := []string{lines[0], "L898902C36UTO7408722F1204159ZE184226B<<<<<10"}
	d := read(t, seen(t, wrong, change{1, 17, '1', 0.2}))
	if d.Text() != strings.Join(lines, "\n") {
		t.Errorf("read %s", d.Text())
	}
}

// A date of birth that was forged, and is read surely, stays wrong: that is the finding.
func TestForgedDigitStays(t *testing.T) {
	forged := []string{lines[0], "L898902C36UTO7408222F1204159ZE184226B<<<<<10"}
	d := read(t, seen(t, forged))
	c, _ := d.CheckOf(mrz.CheckBirth)
	n, _ := d.CheckOf(mrz.CheckNumber)
	if c.OK || !n.OK || c.Conf < 0.9 || d.Lines[1].Text != forged[1] {
		t.Errorf("birth %+v number %+v", c, n)
	}
}

// Letters where digits must stand, and digits among letters, cannot be read.
func TestTypedPositions(t *testing.T) {
	d := read(t, seen(t, []string{"P<UT0ERIK5SON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", lines[1]}, change{0, 4, 'O', 0.01}, change{0, 9, 'S', 0.01}))
	if d.Text() != strings.Join(lines, "\n") {
		t.Errorf("read %s", d.Text())
	}
}

func TestOtherPrintIsNoZone(t *testing.T) {
	other := []string{"THE<QUICK<BROWN<FOX<JUMPS<OVER<THE<LAZY<DOG", "AND<RUNS<AWAY<FROM<IT<AS<FAST<AS<EVER<IT<CAN"}
	for i := range other {
		other[i] = strings.ReplaceAll(other[i], "<", "Q")
	}
	if f := bestFit(seen(t, other)); f.doc != nil {
		t.Errorf("%s: %s", f.doc.Format, f.doc.Text())
	}
}

func TestTooShortAndEmpty(t *testing.T) {
	if _, _, ok := align(newLook(ocr.Probs{Steps: 3, Classes: letters + 1, P: make([]float32, 3*(letters+1))}), allowedBy(make([]mrz.Class, 30))); ok {
		t.Error("laid 30 characters over three steps")
	}
	if s := stacks(join(nil, 0)); len(s) != 0 {
		t.Errorf("%d stacks of nothing", len(s))
	}
}

// Boxes that the detector broke are joined, and the short line of a stack is brought to
// the length of the long one.
func TestStacks(t *testing.T) {
	boxes := []pix.Quad{pix.Rect(10, 100, 200, 120), pix.Rect(230, 101, 300, 121), pix.Rect(10, 135, 610, 155), pix.Rect(700, 20, 760, 40)}
	best := 0
	for _, s := range stacks(join(boxes, 0)) {
		if len(s) == 2 {
			best++
			if s[0].w < 599 || s[0].w > 601 {
				t.Errorf("first row %v wide", s[0].w)
			}
		}
	}
	if best != 1 {
		t.Errorf("%d stacks of two", best)
	}
}

// alike are characters that readers take for one another in OCR-B.
var alike = []string{"O0", "Q0", "D0", "I1", "S5", "B8", "Z2", "G6", "A4", "T7"}

// A reader that prefers the wrong one of two characters that look alike is put right by what may stand there, and by the check digits.
func TestConfusionVectors(t *testing.T) {
	for _, v := range material.Lines[confusion](t, "E/mrz.jsonl") {
		if v.Kind != "mrz-ocr-confusion" {
			continue
		}
		var text []string
		if err := json.Unmarshal(v.Input, &text); err != nil {
			t.Fatal(err)
		}
		var doubts []change
		for row, line := range text {
			for col := range len(line) {
				for _, pair := range alike {
					if i := strings.IndexByte(pair, line[col]); i >= 0 {
						doubts = append(doubts, change{row, col, pair[1-i], 0.2})
						break
					}
				}
			}
		}
		d := read(t, seen(t, text, doubts...))
		for row, want := range v.Expected.Corrected {
			if got := d.Lines[row].Text; got != want {
				t.Errorf("%s line %d: %s, want %s", v.ID, row+1, got, want)
			}
		}
	}
}

type confusion struct {
	ID, Kind string
	Input    json.RawMessage
	Expected struct{ Corrected []string }
}
