package page

import "github.com/bonafide-id/bonafide/internal/vision/pix"

// Upended reports whether more text runs down the page than across it, by the lengths of the lines that are at
// least twice as long as high; the page then lies on a side. Without such lines it does not.
func Upended(lines []pix.Quad) bool {
	var across, down float64
	for _, q := range lines {
		w, h := q.Size()
		switch {
		case w >= 2*h:
			across += w
		case h >= 2*w:
			down += h
		}
	}
	return down > across
}

// Headlong reports whether a page whose lines run across stands on its head. Upside holds, for some of its lines,
// how likely each stands on its head (0 to 1); up and down are the scores of the best face on the page as it is and
// turned by a half, 0 where there is none. A face decides where one direction clearly shows it better; otherwise
// the lines vote, of which the network takes one in ten for upside down.
func Headlong(upside []float32, up, down float64) bool {
	if up-down > clearly {
		return false
	}
	if down-up > clearly {
		return true
	}
	var sum float32
	for _, u := range upside {
		sum += u - 0.5
	}
	return sum > 0
}

// clearly is how much better a portrait scores upright than on its head, at least, on most of the documents of A1.
const clearly = 0.08

// TurnQuads returns quadrilaterals of a w × h page as they lie after k quarter turns clockwise, each beginning again
// with the corner that is now top-left.
func TurnQuads(qs []pix.Quad, w, h, k int) []pix.Quad {
	out := make([]pix.Quad, len(qs))
	for n, q := range qs {
		for i, p := range q {
			q[i] = pix.RotatePt(p, w, h, k)
		}
		out[n] = q.Turn(-k)
	}
	return out
}
