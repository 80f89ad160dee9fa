package zone

import (
	"math"

	"github.com/bonafide-id/bonafide/internal/vision/mrz"
)

// group is what one check digit guards, with the assignments worth trying.
type group struct {
	cells   []cell
	options []option
}

// checks chooses the characters under check digits: each digit's group by itself gets a
// short list, then the combination is taken whose total cost, that of the composite
// digit included, is least.
func (c *choice) checks() {
	groups := c.groups()
	composite, ok := c.composite()
	if !ok {
		for _, g := range groups {
			c.set(g.cells, g.options[0].text)
			c.cost += g.options[0].cost
		}
		return
	}
	if rest := c.rest(groups, composite); len(rest.cells) > 0 {
		groups = append(groups, rest)
	}
	c.combine(groups, composite)
}

// perCheck is how many assignments of one group the combination tries.
const perCheck = 6

// groups lists the groups of all check digits but the composite.
func (c *choice) groups() []group {
	var out []group
	for _, s := range c.lay.Checks {
		if s.Name == mrz.CheckComposite || s.Name == mrz.CheckNumber && c.longNumber(s) {
			continue
		}
		g := group{cells: append(cellsOf(s.Over...), cellsOf(s.Digit)...)}
		for _, o := range c.options(g.cells) {
			cost, fails := ruleCost(s.Name, o.text)
			o.cost, o.fails = o.cost+cost, fails
			g.options = append(g.options, o)
		}
		out = append(out, g.short())
	}
	return out
}

// longNumber says whether a filler stands where the number's check digit belongs: the
// digit is then in the optional field, and mrz.Parse judges it.
func (c *choice) longNumber(s mrz.CheckSpec) bool {
	return c.text[s.Digit.Row][s.Digit.From] == '<' && (c.lay.Format == mrz.TD1 || c.lay.Format == mrz.TD2)
}

// short keeps the cheapest options.
func (g group) short() group {
	sortOptions(g.options)
	g.options = g.options[:min(len(g.options), perCheck)]
	return g
}

// ruleCost is what breaking a rule costs: data and its digit, and dates that must exist.
func ruleCost(name, text string) (cost float64, fails bool) {
	data, digit := text[:len(text)-1], text[len(text)-1]
	if mrz.CheckDigit(data) != digit && !(name == mrz.CheckOptional && digit == '<' && allFillers(data)) {
		cost, fails = failCost, true
	}
	if (name == mrz.CheckBirth || name == mrz.CheckExpiry) && !mrz.Plausible(data) {
		cost += dateCost
	}
	return cost, fails
}

func allFillers(s string) bool {
	for i := range len(s) {
		if s[i] != '<' {
			return false
		}
	}
	return true
}

func (c *choice) composite() (mrz.CheckSpec, bool) {
	for _, s := range c.lay.Checks {
		if s.Name == mrz.CheckComposite {
			return s, true
		}
	}
	return mrz.CheckSpec{}, false
}

// rest gathers what only the composite digit guards, and that digit itself.
func (c *choice) rest(groups []group, composite mrz.CheckSpec) group {
	taken := map[cell]bool{}
	for _, g := range groups {
		for _, k := range g.cells {
			taken[k] = true
		}
	}
	var g group
	for _, k := range append(cellsOf(composite.Over...), cellsOf(composite.Digit)...) {
		if !taken[k] {
			g.cells = append(g.cells, k)
		}
	}
	digit := len(g.cells) - 1 // the composite digit guards itself only
	for _, o := range c.options(g.cells) {
		if o.text[digit] == '<' {
			o.cost += failCost
		}
		g.options = append(g.options, o)
	}
	return g
}

// combine takes the cheapest combination of the groups' options.
func (c *choice) combine(groups []group, composite mrz.CheckSpec) {
	weight := compositeWeights(composite)
	sums := make([][]int, len(groups)) // what each option adds to the composite sum
	for i, g := range groups {
		for _, o := range g.options {
			sums[i] = append(sums[i], compositeShare(g.cells, o.text, weight))
		}
	}
	pick, least := make([]int, len(groups)), math.Inf(1)
	at := make([]int, len(groups))
	var walk func(i, sum int, cost float64, fails bool)
	walk = func(i, sum int, cost float64, fails bool) {
		if cost >= least {
			return
		}
		if i == len(groups) {
			if sum%10 != 0 && fails {
				cost += alsoCost
			} else if sum%10 != 0 {
				cost += failCost
			}
			if cost < least {
				least = cost
				copy(pick, at)
			}
			return
		}
		for k, o := range groups[i].options {
			at[i] = k
			walk(i+1, sum+sums[i][k], cost+o.cost, fails || o.fails)
		}
	}
	walk(0, 0, 0, false)
	for i, g := range groups {
		c.set(g.cells, g.options[pick[i]].text)
	}
	c.cost += least
}

// compositeWeights gives the weight of each cell in the composite sum; the digit itself
// counts −1, so that a sum that holds is 0 modulo 10.
func compositeWeights(s mrz.CheckSpec) map[cell]int {
	w := map[cell]int{}
	for i, k := range cellsOf(s.Over...) {
		w[k] = [3]int{7, 3, 1}[i%3]
	}
	w[cell{s.Digit.Row, s.Digit.From}] = 9
	return w
}

func compositeShare(cells []cell, text string, weight map[cell]int) int {
	sum := 0
	for i, k := range cells {
		sum += mrz.Value(text[i]) * weight[k]
	}
	return sum
}
