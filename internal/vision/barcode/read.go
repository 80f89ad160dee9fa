package barcode

/*
#cgo CXXFLAGS: -std=c++17 -O2 -DZX_USE_UTF8
#cgo pkg-config: zxing
#cgo LDFLAGS: -lstdc++
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"unsafe"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Symbol is a PDF417 symbol that was read.
type Symbol struct {
	Payload []byte
	Quad    pix.Quad // in pixels of the picture
}

// longSides are the sizes at which a picture is offered, by its longer side in pixels:
// a licence's symbol is about 300 modules wide over most of the card.
var longSides = [...]int{0, 1600, 2400, 1000}

// Read returns the PDF417 symbol on m; nil where none can be read.
func Read(m *pix.Gray) *Symbol {
	tried := map[int]bool{}
	for _, long := range longSides {
		w, h := m.W, m.H
		if long > 0 {
			w, h = pix.Fit(m.W, m.H, long)
		}
		if tried[w] || w < 16 || h < 8 || max(w, h) > 4000 {
			continue
		}
		tried[w] = true
		if s := scan(pix.ResizeG(m, w, h)); s != nil {
			s.Quad = s.Quad.Scale(float64(m.W)/float64(w), float64(m.H)/float64(h))
			return s
		}
	}
	return nil
}

// scan offers one picture, in any quarter turn.
func scan(m *pix.Gray) *Symbol {
	var out C.bonafide_symbol
	if C.bonafide_pdf417((*C.uchar)(unsafe.Pointer(&m.Pix[0])), C.int(m.W), C.int(m.H), 1, &out) == 0 {
		return nil
	}
	defer C.free(unsafe.Pointer(out.bytes))
	s := &Symbol{Payload: C.GoBytes(unsafe.Pointer(out.bytes), C.int(out.length))}
	for i := range s.Quad {
		s.Quad[i] = pix.Pt{X: float64(out.x[i]), Y: float64(out.y[i])}
	}
	return s
}
