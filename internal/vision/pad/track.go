package pad

import "github.com/bonafide-id/bonafide/internal/vision/pix"

// track is where one corner was in each frame in which it was followed.
type track map[int]pix.Pt

// link joins steps to tracks: a corner goes on where it ended.
func link(frames []Frame) []track {
	var all []track
	open := map[pix.Pt]track{}
	for i, f := range frames {
		next := make(map[pix.Pt]track, len(f.Flow))
		for _, s := range f.Flow {
			t := open[s.From]
			if t == nil {
				t = track{i - 1: s.From}
				all = append(all, t)
			}
			t[i] = s.To
			next[s.To] = t
		}
		open = next
	}
	return all
}

// shift is a set of points in two frames.
type shift struct{ from, to []pix.Pt }

func (s *shift) add(a, b pix.Pt) { s.from, s.to = append(s.from, a), append(s.to, b) }

// between returns the corners that were followed from frame i to frame j, those on the face in i and the others.
func between(frames []Frame, tracks []track, i, j int) (on, beside shift) {
	box := frames[i].Mesh.Box()
	for _, t := range tracks {
		a, okA := t[i]
		b, okB := t[j]
		switch {
		case !okA || !okB:
		case holds(&box, a):
			on.add(a, b)
		default:
			beside.add(a, b)
		}
	}
	return on, beside
}

// landmarks returns the mesh points in frames i and j.
func landmarks(frames []Frame, i, j int) shift {
	var s shift
	for k, p := range frames[i].Mesh.P {
		s.add(p.Flat(), frames[j].Mesh.P[k].Flat())
	}
	return s
}
