package app

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// repng gives a PNG another size in its header, with the checksum made anew: offset 16 holds width and height, 29 the CRC of IHDR.
func repng(png []byte, w, h uint32) []byte {
	out := slices.Clone(png)
	binary.BigEndian.PutUint32(out[16:], w)
	binary.BigEndian.PutUint32(out[20:], h)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}
