package video

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Kind is the container of a medium, told by its first bytes and never by its name.
type Kind string

const (
	MP4      Kind = "mp4"      // ISO base media: MP4, MOV, 3GP
	Matroska Kind = "matroska" // Matroska and WebM
	GIF      Kind = "gif"
	JPEG     Kind = "jpeg"
	PNG      Kind = "png"
	WebP     Kind = "webp"
	Unknown  Kind = ""
)

// Sniff tells the kind from the first bytes of a medium; 12 are enough.
func Sniff(head []byte) Kind {
	switch {
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		return Matroska
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return GIF
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return WebP
	case len(head) >= 8 && isoBox(string(head[4:8])):
		return MP4
	}
	return Unknown
}

// isoBox tells whether a file may begin with this box; old QuickTime files have no ftyp.
func isoBox(name string) bool {
	switch name {
	case "ftyp", "moov", "mdat", "wide", "free", "skip":
		return true
	}
	return false
}

// sniff looks at the first bytes and gives a reader that still has them.
func sniff(r io.Reader) (Kind, io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(12)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return Unknown, nil, &Error{Code: Empty, Detail: "no bytes"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return Unknown, nil, fmt.Errorf("reading recording: %w", err)
	}
	return Sniff(head), b, nil
}
