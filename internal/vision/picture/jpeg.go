package picture

/*
#cgo pkg-config: libturbojpeg
#include <stdlib.h>
#include <turbojpeg.h>
*/
import "C"

import (
	"errors"
	"strings"
	"unsafe"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// decodeJPEG decodes through libjpeg-turbo at 1/shrink of the size, shrink being 1, 2, 4 or 8. The size that
// libjpeg-turbo finds must be the one that was held against the limits.
func decodeJPEG(data []byte, info Info, shrink int) (*pix.RGB, error) {
	h := C.tjInitDecompress()
	if h == nil {
		return nil, errors.New("libjpeg-turbo gave no decoder")
	}
	defer C.tjDestroy(h)
	src, n := (*C.uchar)(unsafe.Pointer(unsafe.SliceData(data))), C.ulong(len(data))
	var w, ht, subsampling, space C.int
	if C.tjDecompressHeader3(h, src, n, &w, &ht, &subsampling, &space) != 0 {
		if err := jpegFault(h); err != nil {
			return nil, err
		}
	}
	if int(w) != info.W || int(ht) != info.H {
		return nil, errors.New("two frame headers that differ")
	}
	w, ht = scaled(w, shrink), scaled(ht, shrink)
	channels, format := 3, C.int(C.TJPF_RGB)
	inks := space == C.TJCS_CMYK || space == C.TJCS_YCCK
	if inks {
		channels, format = 4, C.TJPF_CMYK
	}
	dst := make([]uint8, channels*int(w)*int(ht))
	out := (*C.uchar)(unsafe.Pointer(unsafe.SliceData(dst)))
	if C.tjDecompress2(h, src, n, out, w, 0, ht, format, C.TJFLAG_LIMITSCANS) != 0 {
		if err := jpegFault(h); err != nil {
			return nil, err
		}
	}
	if inks {
		dst = inkToRGB(dst, adobeMarked(data))
	}
	return &pix.RGB{W: int(w), H: int(ht), Pix: dst}, nil
}

func scaled(n C.int, shrink int) C.int { return (n + C.int(shrink) - 1) / C.int(shrink) }

// harmless are warnings about files that phones really write and that decode in full: Samsung's leave bytes
// before the end marker. Every other warning means pixels that were made up.
var harmless = []string{"extraneous bytes before marker", "Invalid SOS parameters for sequential JPEG"}

// jpegFault returns the decoder's last complaint, nil if it was a harmless one.
func jpegFault(h C.tjhandle) error {
	msg := C.GoString(C.tjGetErrorStr2(h))
	if C.tjGetErrorCode(h) == C.TJERR_WARNING {
		for _, s := range harmless {
			if strings.Contains(msg, s) {
				return nil
			}
		}
	}
	return errors.New(msg)
}

// inkToRGB turns CMYK into RGB by multiplying the light that each ink lets through. Files with an Adobe
// marker store light, others ink.
func inkToRGB(cmyk []uint8, light bool) []uint8 {
	rgb := make([]uint8, len(cmyk)/4*3)
	for i, j := 0, 0; j < len(cmyk); i, j = i+3, j+4 {
		k := through(cmyk[j+3], light)
		for c := range 3 {
			rgb[i+c] = uint8(through(cmyk[j+c], light) * k / 255)
		}
	}
	return rgb
}

func through(v uint8, light bool) uint32 {
	if light {
		return uint32(v)
	}
	return uint32(255 - v)
}

// adobeMarked reports whether an Adobe APP14 segment comes before the picture.
func adobeMarked(data []byte) bool {
	for i := 2; i+9 < len(data) && data[i] == 0xFF && data[i+1] != 0xDA; {
		if data[i+1] == 0xEE && string(data[i+4:i+9]) == "Adobe" {
			return true
		}
		i += 2 + int(data[i+2])<<8 + int(data[i+3])
	}
	return false
}

// EncodeJPEG compresses m at a quality of 1 to 100 without halving the colours.
func EncodeJPEG(m *pix.RGB, quality int) ([]byte, error) {
	h := C.tjInitCompress()
	if h == nil {
		return nil, errors.New("libjpeg-turbo gave no encoder")
	}
	defer C.tjDestroy(h)
	var out *C.uchar
	var size C.ulong
	src := (*C.uchar)(unsafe.Pointer(unsafe.SliceData(m.Pix)))
	defer func() { C.tjFree(out) }()
	if C.tjCompress2(h, src, C.int(m.W), 0, C.int(m.H), C.TJPF_RGB, &out, &size, C.TJSAMP_444, C.int(quality), 0) != 0 {
		return nil, errors.New(C.GoString(C.tjGetErrorStr2(h)))
	}
	return C.GoBytes(unsafe.Pointer(out), C.int(size)), nil
}
