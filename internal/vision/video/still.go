package video

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"

	_ "golang.org/x/image/webp"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const maxStillBytes = 64 << 20

// still hands over a single picture as the only frame.
func still(k Kind, src io.Reader, o Options, yield func(Frame) error) (Info, error) {
	info := Info{Kind: k}
	b, err := io.ReadAll(io.LimitReader(src, maxStillBytes+1))
	if err != nil {
		return info, fmt.Errorf("reading picture: %w", err)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return info, &Error{Code: Damaged, Detail: string(k)}
	}
	info.W, info.H = c.Width, c.Height
	if len(b) > maxStillBytes || c.Width*c.Height > 4*MaxPixels {
		return info, &Error{Code: TooLarge, Detail: fmt.Sprintf("%dx%d", c.Width, c.Height)}
	}
	m, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return info, &Error{Code: Damaged, Detail: string(k)}
	}
	info.Frames = 1
	return info, yield(Frame{Pix: fit(pix.FromImage(m), o.LongSide)})
}
