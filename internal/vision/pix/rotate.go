package pix

// Rotate90 returns m turned by k quarter turns clockwise; k may be negative. It is always a copy.
func (m *RGB) Rotate90(k int) *RGB {
	w, h := turned(m.W, m.H, k)
	return &RGB{W: w, H: h, Pix: rotate(m.Pix, 3, m.W, m.H, k)}
}

// Rotate90 returns g turned by k quarter turns clockwise; k may be negative. It is always a copy.
func (g *Gray) Rotate90(k int) *Gray {
	w, h := turned(g.W, g.H, k)
	return &Gray{W: w, H: h, Pix: rotate(g.Pix, 1, g.W, g.H, k)}
}

// Mirror returns m with left and right exchanged.
func (m *RGB) Mirror() *RGB {
	out := NewRGB(m.W, m.H)
	for y := range m.H {
		from, to := m.Row(y), out.Row(y)
		for x := range m.W {
			copy(to[3*(m.W-1-x):3*(m.W-x)], from[3*x:3*x+3])
		}
	}
	return out
}

// RotatePt returns where the point p of a w × h picture lies after k quarter turns clockwise.
func RotatePt(p Pt, w, h, k int) Pt {
	for range quarter(k) {
		p = Pt{float64(h-1) - p.Y, p.X}
		w, h = h, w
	}
	return p
}

func quarter(k int) int { return (k%4 + 4) % 4 }

func turned(w, h, k int) (int, int) {
	if quarter(k)%2 == 1 {
		return h, w
	}
	return w, h
}

func rotate(src []uint8, ch, w, h, k int) []uint8 {
	dst := make([]uint8, len(src))
	start, right, down := steps(ch, w, h, quarter(k))
	i := 0
	for y := range h {
		j := start + y*down
		for range w {
			copy(dst[j:j+ch], src[i:i+ch])
			i += ch
			j += right
		}
	}
	return dst
}

// steps says where the first source pixel goes, and how far the destination moves for a step right or down.
func steps(ch, w, h, k int) (start, right, down int) {
	switch k {
	case 1:
		return ch * (h - 1), ch * h, -ch
	case 2:
		return ch * (w*h - 1), -ch, -ch * w
	case 3:
		return ch * h * (w - 1), -ch * h, ch
	default:
		return 0, ch, ch * w
	}
}
