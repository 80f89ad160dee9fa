package zone

import "math"

// trace walks back from the best end and collects the slots.
func trace(l look, allowed [][]uint8, end lattice, from [][letters]uint8, rest []uint8) ([]slot, float64, bool) {
	n := len(allowed)
	state, score := uint8(blank), end.blank[n]
	for _, c := range allowed[n-1] {
		if end.char[n][c] > score {
			state, score = c, end.char[n][c]
		}
	}
	if math.IsInf(float64(score), -1) {
		return nil, 0, false
	}
	slots := make([]slot, n)
	k, last := n, 0
	for t := l.steps - 1; t >= 0 && k >= 0; t-- {
		i := t*(n+1) + k
		if state == blank {
			state = rest[i]
			continue
		}
		if slots[k-1].seen == 0 {
			last = t
		}
		slots[k-1].take(l, t, last)
		switch how := from[i][state]; how {
		case stay:
		default:
			state, k = how, k-1
		}
	}
	return slots, float64(score), true
}

// take looks at the step t of a slot's run, and keeps the step where a character is
// most surely seen.
func (s *slot) take(l look, t, last int) {
	row := l.raw.Row(t)
	s.at = (float32(t+last)/2 + 0.5) / float32(l.steps)
	if seen := 1 - row[0]; seen > s.seen || s.seen == 0 {
		s.seen = max(seen, 1e-6)
		for c := range letters {
			s.p[c] = row[c+1] / s.seen
		}
	}
}
