package specimen

import (
	"math"
	"runtime"
	"sync"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// rows calls do for 0…n-1 on every core.
func rows(n int, do func(y int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for y := w; y < n; y += workers {
				do(y)
			}
		})
	}
	wg.Wait()
}

// hash mixes a position and a seed to 32 random bits (the finaliser of MurmurHash3), so that noise does
// not depend on the order in which pixels are visited.
func hash(x, y int, seed uint64) uint32 {
	h := uint32(x)*0x9E3779B1 ^ uint32(y)*0x85EBCA77 ^ uint32(seed) ^ uint32(seed>>32)*0xC2B2AE3D
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	return h ^ h>>16
}

// gauss is about normal with mean 0 and deviation 1: four random bytes added up.
func gauss(h uint32) float64 {
	sum := h&255 + h>>8&255 + h>>16&255 + h>>24
	return (float64(sum) - 510) / 147.8
}

// addNoise adds a sensor's noise of a deviation in grey levels, a third of it common to the channels.
func addNoise(m *pix.RGB, deviation float64, seed uint64) {
	rows(m.H, func(y int) {
		row := m.Pix[y*m.W*3 : (y+1)*m.W*3]
		for x := range m.W {
			common := gauss(hash(x, y, seed)) * 0.58
			for ch := range 3 {
				n := common + 0.82*gauss(hash(3*x+ch, y, seed+1))
				row[3*x+ch] = level(float64(row[3*x+ch]) + deviation*n)
			}
		}
	})
}

func level(v float64) uint8 { return uint8(min(255, max(0, v+0.5))) }

// blur returns m after a Gaussian of a deviation in pixels, at most about 1.2.
func blur(m *pix.RGB, deviation float64) *pix.RGB {
	side := math.Exp(-1 / (2 * deviation * deviation))
	far := math.Exp(-4 / (2 * deviation * deviation))
	sum := 1 + 2*side + 2*far
	k0, k1, k2 := int(65536/sum), int(65536*side/sum), int(65536*far/sum)
	k0 = 65536 - 2*k1 - 2*k2
	tap := func(a, b, c, d, e uint8) uint8 {
		return uint8((k2*(int(a)+int(e)) + k1*(int(b)+int(d)) + k0*int(c) + 32768) >> 16)
	}
	across, out := pix.NewRGB(m.W, m.H), pix.NewRGB(m.W, m.H)
	stride := 3 * m.W
	rows(m.H, func(y int) {
		in, to := m.Pix[y*stride:][:stride], across.Pix[y*stride:][:stride]
		at := func(i, ch int) uint8 { return in[3*min(max(i, 0), m.W-1)+ch] }
		for x := range m.W {
			for ch := range 3 {
				to[3*x+ch] = tap(at(x-2, ch), at(x-1, ch), at(x, ch), at(x+1, ch), at(x+2, ch))
			}
		}
	})
	rows(m.H, func(y int) {
		line := func(k int) []uint8 { return across.Pix[min(max(y+k, 0), m.H-1)*stride:][:stride] }
		a, b, c, d, e, to := line(-2), line(-1), line(0), line(1), line(2), out.Pix[y*stride:][:stride]
		for x := range to {
			to[x] = tap(a[x], b[x], c[x], d[x], e[x])
		}
	})
	return out
}

// valueNoise is smooth noise in 0…1 with a grain of one unit.
func valueNoise(x, y float64, seed uint64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy, u, v := int(fx), int(fy), x-fx, y-fy
	u, v = u*u*(3-2*u), v*v*(3-2*v)
	at := func(dx, dy int) float64 { return float64(hash(ix+dx, iy+dy, seed)>>8) / (1 << 24) }
	top, bottom := at(0, 0)*(1-u)+at(1, 0)*u, at(0, 1)*(1-u)+at(1, 1)*u
	return top*(1-v) + bottom*v
}
