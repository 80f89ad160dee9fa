package video

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"io"
	"time"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const (
	maxGIFBytes  = 64 << 20
	maxGIFPixels = 160 << 20 // of all pictures of a GIF together, one byte each once decoded
)

// animation decodes an animated GIF: it is measured first (gifwalk.go), then decoded, then each picture that the
// rate asks for is composed and scaled.
func (d *Decoder) animation(ctx context.Context, src io.Reader, o Options, yield func(Frame) error) (Info, error) {
	b, err := io.ReadAll(io.LimitReader(src, maxGIFBytes+1))
	if err != nil {
		return Info{}, fmt.Errorf("reading GIF: %w", err)
	}
	plan, err := walkGIF(b)
	info := Info{Kind: picture.GIF, Duration: plan.duration, W: plan.w, H: plan.h}
	if err != nil {
		return info, err
	}
	if err := plan.check(len(b)); err != nil {
		return info, err
	}
	release, err := d.gate.Hold(ctx, plan.bytes())
	if err != nil {
		return info, err
	}
	defer release()
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil {
		return info, &Error{Code: Damaged, Detail: "GIF: " + err.Error()}
	}
	return play(g, info, o, yield)
}

// check compares what the headers announce with the limits.
func (p gifPlan) check(size int) error {
	switch {
	case size > maxGIFBytes || p.w*p.h > MaxPixels || p.pixels > maxGIFPixels:
		return &Error{Code: TooLarge, Detail: fmt.Sprintf("GIF of %dx%d, %d pictures", p.w, p.h, p.frames)}
	case p.duration > MaxDuration:
		return &Error{Code: TooLong, Detail: p.duration.String()}
	case p.frames == 0:
		return &Error{Code: NoFrames, Detail: "GIF without pictures"}
	}
	return nil
}

// bytes is about what the pictures take, and the screen that they are laid on, twice where it is put back.
func (p gifPlan) bytes() int64 { return int64(p.pixels) + 8*int64(p.w)*int64(p.h) }

// play composes the pictures as a viewer would and yields those that are due.
func play(g *gif.GIF, info Info, o Options, yield func(Frame) error) (Info, error) {
	canvas := image.NewRGBA(image.Rect(0, 0, info.W, info.H))
	draw.Draw(canvas, canvas.Bounds(), image.White, image.Point{}, draw.Src)
	var at, due time.Duration
	step := time.Duration(float64(time.Second) / o.Rate)
	for i, p := range g.Image {
		before := compose(canvas, p, g.Disposal[i])
		if at >= due && at >= o.From && at <= MaxDecoded && info.Frames < o.Frames {
			due = max(due+step, at+step/2)
			f := Frame{Index: info.Frames, At: at, Pix: fit(pix.FromImage(canvas), o.LongSide)}
			info.Frames++
			if err := yield(f); err != nil {
				return info, err
			}
		}
		dispose(canvas, p, g.Disposal[i], before)
		at += gifDelay(g.Delay[i])
	}
	return info, nil
}

// compose draws a picture and gives what was there, where it has to be put back.
func compose(canvas *image.RGBA, p *image.Paletted, disposal byte) *image.RGBA {
	var before *image.RGBA
	if disposal == gif.DisposalPrevious {
		before = image.NewRGBA(p.Rect)
		draw.Draw(before, p.Rect, canvas, p.Rect.Min, draw.Src)
	}
	draw.Draw(canvas, p.Rect, p, p.Rect.Min, draw.Over)
	return before
}

func dispose(canvas *image.RGBA, p *image.Paletted, disposal byte, before *image.RGBA) {
	switch disposal {
	case gif.DisposalBackground:
		draw.Draw(canvas, p.Rect, image.White, image.Point{}, draw.Src)
	case gif.DisposalPrevious:
		draw.Draw(canvas, p.Rect, before, p.Rect.Min, draw.Src)
	}
}

// gifDelay is the time a picture is shown: hundredths of a second, where browsers take 0 and 1 as 10.
func gifDelay(hundredths int) time.Duration {
	if hundredths <= 1 {
		hundredths = 10
	}
	return time.Duration(hundredths) * 10 * time.Millisecond
}

// fit shrinks a picture to a long side; it never enlarges.
func fit(m *pix.RGB, side int) *pix.RGB {
	long := max(m.W, m.H)
	if long <= side {
		return m
	}
	return pix.Resize(m, max(1, m.W*side/long), max(1, m.H*side/long))
}
