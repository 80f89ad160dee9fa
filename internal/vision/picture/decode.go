package picture

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/webp"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// Options say how a picture is to be decoded.
type Options struct {
	// MinLongSide lets a picture be decoded at a half, a quarter or an eighth of its size as long as its long
	// side keeps at least so many pixels; 0 decodes it in full.
	MinLongSide int
	Limits      Limits
}

// Picture is a decoded file.
type Picture struct {
	*pix.RGB
	Kind Kind
	// SourceW and SourceH are the size of the uploaded picture after its EXIF orientation: the pixels that
	// findings speak of.
	SourceW, SourceH int
}

// ToSource returns q, given in pixels of p, in pixels of the uploaded picture after its EXIF orientation.
func (p *Picture) ToSource(q pix.Quad) pix.Quad {
	return q.Scale(float64(p.SourceW)/float64(p.W), float64(p.SourceH)/float64(p.H))
}

// Decode decodes a still picture of any kind, upright by its EXIF orientation, transparency over white; of an
// animation the first frame. Every failure is an *Error; a picture whose data is cut short or corrupt is
// damaged, never filled up.
func Decode(data []byte, o Options) (*Picture, error) {
	j, err := plan(data, o)
	if err != nil {
		return nil, err
	}
	return j.decode()
}

// job is a file whose header was found good.
type job struct {
	data   []byte
	info   Info
	shrink int
}

func plan(data []byte, o Options) (job, error) {
	info, err := Header(bytes.NewReader(data), o.Limits)
	if err == nil && info.Kind.Video() {
		err = refuse(Unsupported, "a video where a picture is wanted")
	}
	return job{data, info, shrinkBy(max(info.W, info.H), o.MinLongSide)}, err
}

func (j job) decode() (*Picture, error) {
	m, err := decodePixels(j.data, j.info, j.shrink)
	if err != nil {
		return nil, damaged(err, "decoding the picture")
	}
	p := &Picture{RGB: upright(m, j.info.Orientation), Kind: j.info.Kind}
	p.SourceW, p.SourceH = j.info.Size()
	return p, nil
}

// shrinkBy returns the largest of 1, 2, 4 and 8 that keeps a side of n pixels at least as long as least.
func shrinkBy(n, least int) int {
	by := 1
	for least > 0 && by < 8 && n/(2*by) >= least {
		by *= 2
	}
	return by
}

func decodePixels(data []byte, info Info, shrink int) (*pix.RGB, error) {
	if info.Kind == JPEG {
		return decodeJPEG(data, info, shrink)
	}
	r := bytes.NewReader(data)
	var m image.Image
	var err error
	switch info.Kind {
	case PNG:
		m, err = png.Decode(r)
	case WebP:
		m, err = webp.Decode(r)
	case GIF:
		m, err = firstFrame(r)
	}
	if err != nil {
		return nil, err
	}
	full := pix.FromImage(m)
	if shrink == 1 {
		return full, nil
	}
	return pix.Resize(full, (full.W+shrink-1)/shrink, (full.H+shrink-1)/shrink), nil
}

// firstFrame decodes the first frame of a GIF, laid on the animation's whole screen.
func firstFrame(r io.ReadSeeker) (image.Image, error) {
	c, err := gif.DecodeConfig(r)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	frame, err := gif.Decode(r)
	screen := image.Rect(0, 0, c.Width, c.Height)
	if err != nil || frame.Bounds() == screen {
		return frame, err
	}
	whole := image.NewRGBA(screen)
	draw.Draw(whole, frame.Bounds(), frame, frame.Bounds().Min, draw.Src)
	return whole, nil
}

// upright undoes the camera's orientation as EXIF 2.3, tag 0x0112, defines it.
func upright(m *pix.RGB, orientation int) *pix.RGB {
	turns := [9]int{3: 2, 4: 2, 5: 3, 6: 1, 7: 1, 8: 3}
	if orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7 {
		m = m.Mirror()
	}
	if k := turns[orientation]; k != 0 {
		m = m.Rotate90(k)
	}
	return m
}
