package video

import (
	"context"
	"fmt"
	"io"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

const maxStillBytes = 64 << 20

// still hands over a single picture, upright, as the only frame.
func (d *Decoder) still(ctx context.Context, src io.Reader, o Options, yield func(Frame) error) (Info, error) {
	b, err := io.ReadAll(io.LimitReader(src, maxStillBytes+1))
	if err != nil {
		return Info{}, fmt.Errorf("reading picture: %w", err)
	}
	if len(b) > maxStillBytes {
		return Info{}, &Error{Code: TooLarge, Detail: "picture file over 64 MiB"}
	}
	p, err := d.gate.Decode(ctx, b, picture.Options{MinLongSide: o.LongSide})
	if err != nil {
		return Info{}, refused(err)
	}
	info := Info{Kind: p.Kind, W: p.SourceW, H: p.SourceH, Frames: 1}
	return info, yield(Frame{Pix: fit(p.RGB, o.LongSide)})
}
