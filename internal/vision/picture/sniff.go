package picture

import "bytes"

// Kind is a file format that is read.
type Kind string

// The formats that Sniff tells apart.
const (
	JPEG Kind = "image/jpeg"
	PNG  Kind = "image/png"
	WebP Kind = "image/webp"
	GIF  Kind = "image/gif"
	MP4  Kind = "video/mp4" // QuickTime files too: the same container
	WebM Kind = "video/webm"
)

// SniffLen is how many first bytes Sniff needs at most.
const SniffLen = 64

// Video reports whether the format is for the video decoder and not for Decode.
func (k Kind) Video() bool { return k == MP4 || k == WebM }

// Sniff tells the format from the first bytes of a file, of which it wants SniffLen where there are so many.
func Sniff(head []byte) (Kind, error) {
	switch {
	case len(head) == 0:
		return "", refuse(Empty, "the file is empty")
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG, nil
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return PNG, nil
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return GIF, nil
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return WebP, nil
	case isMatroska(head):
		return WebM, nil
	case isQuickTime(head):
		return MP4, nil
	}
	return "", refuse(Unsupported, "not a JPEG, PNG, WebP, GIF, MP4, MOV or WebM file")
}

func isMatroska(head []byte) bool {
	head = head[:min(len(head), SniffLen)]
	return bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")) &&
		(bytes.Contains(head, []byte("webm")) || bytes.Contains(head, []byte("matroska")))
}

// isQuickTime accepts the atoms that a movie may begin with, and refuses the brands of still pictures (HEIC, AVIF)
// that use the same container.
func isQuickTime(head []byte) bool {
	if len(head) < 12 {
		return false
	}
	switch string(head[4:8]) {
	case "moov", "mdat", "wide", "skip":
		return true
	case "ftyp":
		switch string(head[8:12]) {
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "avif", "avis", "crx ":
			return false
		}
		return true
	}
	return false
}
