package zone

import (
	"math"
	"slices"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

// Costs of the search, in natural logarithms.
const (
	failCost  = 7.0 // a check digit that fails in print
	alsoCost  = 1.0 // the composite digit, where another fails: a forger mends neither
	dateCost  = 5.0 // a date that does not exist
	stateCost = 4.0 // a code of state that Doc 9303 does not list: there are 60 times more of those
)

// rareDigit is how unlikely a letter must look for a digit to be read in a document code.
const rareDigit = 0.02

// How many candidates the search keeps of each position and of each group.
const (
	perSlot  = 4
	perGroup = 48
)

// cell is a position of a zone.
type cell struct{ row, col int }

// option is one assignment of a group of cells.
type option struct {
	text  string
	cost  float64 // against the likeliest assignment of the group
	fails bool    // its check digit does not hold
}

// choice searches the likeliest characters of a zone under its check digits.
type choice struct {
	lay   mrz.Layout
	slots [][]slot
	text  [][]byte
	cost  float64
}

// choose returns the lines of the likeliest zone of a layout, and the total cost of
// what had to bend: of characters other than the likeliest, and of rules broken.
func choose(lay mrz.Layout, slots [][]slot) ([]string, float64) {
	c := &choice{lay: lay, slots: slots}
	for row := range lay.Lengths {
		c.text = append(c.text, c.likeliest(row))
	}
	c.states()
	c.checks()
	out := make([]string, len(c.text))
	for i, t := range c.text {
		out[i] = string(t)
	}
	return out, c.cost
}

func (c *choice) likeliest(row int) []byte {
	var out []byte
	for i, class := range c.lay.Classes(row) {
		char := best(c.slots[row][i], class.Alphabet())
		if letter := best(c.slots[row][i], mrz.Letter.Alphabet()); class == mrz.Code && c.slots[row][i].p[index(letter)] > rareDigit {
			char = letter
		}
		out = append(out, char)
	}
	if i := slices.IndexFunc(c.lay.Fields, isCode); i >= 0 && c.lay.Fields[i].Row == row {
		code := c.lay.Fields[i]
		s := c.slots[row][code.From]
		out[code.From] = best(s, c.lay.First)
		c.cost += math.Log(float64((slices.Max(s.p[:]) + least) / (s.p[index(out[code.From])] + least)))
	}
	return out
}

func isCode(f mrz.FieldSpec) bool { return f.Name == mrz.FieldCode }

func best(s slot, alphabet string) byte {
	top, char := float32(-1), byte('<')
	for _, b := range []byte(alphabet) {
		if p := s.p[index(b)]; p > top {
			top, char = p, b
		}
	}
	return char
}

// states prefers listed codes of states.
func (c *choice) states() {
	for _, f := range c.lay.Fields {
		if f.Class != mrz.State {
			continue
		}
		cells := cellsOf(f.Span)
		top, least := "", math.Inf(1)
		for _, o := range c.options(cells) {
			cost := o.cost
			if !mrz.Known(o.text) {
				cost += stateCost
			}
			if cost < least {
				top, least = o.text, cost
			}
		}
		c.set(cells, top)
		c.cost += least
	}
}

func (c *choice) set(cells []cell, text string) {
	for i, k := range cells {
		c.text[k.row][k.col] = text[i]
	}
}

func cellsOf(spans ...mrz.Span) []cell {
	var out []cell
	for _, s := range spans {
		for i := s.From; i < s.To; i++ {
			out = append(out, cell{s.Row, i})
		}
	}
	return out
}

// options lists the likeliest assignments of cells, cheapest first.
func (c *choice) options(cells []cell) []option {
	list := []option{{}}
	for _, k := range cells {
		chars := c.candidates(k)
		var grown []option
		for _, o := range list {
			for _, ch := range chars {
				grown = append(grown, option{text: o.text + ch.text, cost: o.cost + ch.cost})
			}
		}
		slices.SortStableFunc(grown, byCost)
		list = grown[:min(len(grown), perGroup)]
	}
	return list
}

func byCost(a, b option) int {
	switch {
	case a.cost < b.cost:
		return -1
	case a.cost > b.cost:
		return 1
	}
	return 0
}

// candidates lists the likeliest characters of a cell with what each costs against the
// first.
func (c *choice) candidates(k cell) []option {
	s := c.slots[k.row][k.col]
	var out []option
	for _, b := range []byte(c.lay.Classes(k.row)[k.col].Alphabet()) {
		p := math.Max(float64(s.p[index(b)]), least)
		out = append(out, option{text: string(b), cost: -math.Log(p)})
	}
	slices.SortStableFunc(out, byCost)
	first := out[0].cost
	for i := range out {
		out[i].cost -= first
	}
	return out[:min(len(out), perSlot)]
}

func sortOptions(o []option) { slices.SortStableFunc(o, byCost) }
