package picture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// jpegHeader walks the markers up to the frame header, which holds the size.
func jpegHeader(r *bufio.Reader, _ Limits) (Info, error) {
	info := Info{Orientation: 1, Frames: 1}
	if _, err := r.Discard(2); err != nil {
		return Info{}, damaged(err, "reading the JPEG header")
	}
	for {
		marker, n, err := jpegSegment(r)
		if err != nil {
			return Info{}, damaged(err, "reading the JPEG header")
		}
		switch {
		case marker == 0xC0 || marker == 0xC1 || marker == 0xC2:
			components := 0
			info.W, info.H, components, err = jpegSize(r, n)
			info.Bytes = area(info.W, info.H) * int64(components) * perComponent
			return info, err
		case marker >= 0xC3 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC:
			return Info{}, refuse(Unsupported, "a lossless, hierarchical or arithmetic-coded JPEG")
		case marker == 0xE1:
			body := make([]byte, n)
			if _, err := io.ReadFull(r, body); err != nil {
				return Info{}, damaged(err, "reading the JPEG header")
			}
			if o := exifOrientation(body); o != 0 {
				info.Orientation = o
			}
		default:
			if _, err := r.Discard(n); err != nil {
				return Info{}, damaged(err, "reading the JPEG header")
			}
		}
	}
}

// jpegSegment reads one marker and the length of what follows it.
func jpegSegment(r *bufio.Reader) (marker byte, n int, err error) {
	for marker == 0 || marker == 0xFF || marker == 0x01 {
		if marker != 0xFF {
			if err := toMarker(r); err != nil {
				return 0, 0, err
			}
		}
		if marker, err = r.ReadByte(); err != nil {
			return 0, 0, err
		}
	}
	if marker == 0xD9 || marker == 0xDA {
		return 0, 0, errors.New("no frame header before the picture")
	}
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, 0, err
	}
	n = int(binary.BigEndian.Uint16(length[:])) - 2
	if n < 0 {
		return 0, 0, errors.New("a segment of negative length")
	}
	return marker, n, nil
}

// toMarker skips to the byte after the next 0xFF; some cameras pad between segments.
func toMarker(r *bufio.Reader) error {
	for {
		b, err := r.ReadByte()
		if err != nil || b == 0xFF {
			return err
		}
	}
}

func jpegSize(r *bufio.Reader, n int) (w, h, components int, err error) {
	var d [6]byte
	if n < len(d) {
		return 0, 0, 0, refuse(Damaged, "a JPEG frame header of %d bytes", n)
	}
	if _, err := io.ReadFull(r, d[:]); err != nil {
		return 0, 0, 0, damaged(err, "reading the JPEG header")
	}
	if d[0] != 8 {
		return 0, 0, 0, refuse(Unsupported, "a JPEG of %d bits a channel", d[0])
	}
	return int(binary.BigEndian.Uint16(d[3:])), int(binary.BigEndian.Uint16(d[1:])), min(int(d[5]), 4), nil
}

// exifOrientation returns the orientation tag (0x0112) of the first image directory of an APP1 segment, 0 if it has none.
func exifOrientation(app1 []byte) int {
	const prefix = "Exif\x00\x00"
	if len(app1) < len(prefix)+8 || string(app1[:len(prefix)]) != prefix {
		return 0
	}
	tiff := app1[len(prefix):]
	var order binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 0
		}
		if order.Uint16(entries) == 0x0112 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 0
		}
		entries = entries[12:]
	}
	return 0
}
