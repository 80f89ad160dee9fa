package app

import "testing"

func TestGreymap(t *testing.T) {
	m, err := greymap([]byte("P5\n# a comment\n2 1\n255\n\x07\xff"))
	if err != nil || m.W != 2 || m.H != 1 || m.Pix[0] != 7 || m.Pix[5] != 255 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{"", "P5", "P5 2", "P5 2 1 255\n\x07", "P5 0 1 255\n", "P5 99999 99999 255\n", "P6 1 1 255\nabc", "P5 1 1 65535\nab", "P5 -1 1 255\nab"} {
		if m, err := greymap([]byte(bad)); err == nil {
			t.Errorf("%q gives %+v", bad, m)
		}
	}
}

func FuzzGreymap(f *testing.F) {
	f.Add([]byte("P5 1 1 255\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := greymap(data); err == nil && len(m.Pix) != 3*m.W*m.H {
			t.Errorf("%d×%d has %d bytes", m.W, m.H, len(m.Pix))
		}
	})
}
