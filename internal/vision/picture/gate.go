package picture

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Gate bounds the memory that decoding takes at once in all goroutines that share it: a small file can hold a picture
// that takes hundreds of megabytes. An ordinary photograph passes without waiting.
type Gate struct{ room *semaphore.Weighted }

// gateBytes is what decoding through one gate may take at once: the costliest picture of the default limits by itself, or
// four photographs of 12 megapixels.
const gateBytes = mostBytes

// NewGate makes a gate of 400 MB.
func NewGate() *Gate { return &Gate{semaphore.NewWeighted(gateBytes)} }

// Hold waits until n bytes may be used; the caller gives them back by release. It fails only with ctx.
func (g *Gate) Hold(ctx context.Context, n int64) (release func(), err error) {
	n = min(n, gateBytes)
	if err := g.room.Acquire(ctx, n); err != nil {
		return nil, context.Cause(ctx)
	}
	return func() { g.room.Release(n) }, nil
}

// Decode is the function of that name, after waiting for the memory that it takes. A failure is an *Error or that of ctx.
func (g *Gate) Decode(ctx context.Context, data []byte, o Options) (*Picture, error) {
	j, err := plan(data, o)
	if err != nil {
		return nil, err
	}
	release, err := g.Hold(ctx, j.bytes())
	if err != nil {
		return nil, err
	}
	defer release()
	return j.decode()
}

// Bytes that a pixel takes while it is decoded, by what the decoders allocate; every kind ends in an RGB of three.
const (
	perRGB       = 3
	perPNG       = 4 // RGBA; twice that for 16 bits a channel, and twice again for an interlaced one, whose passes are pictures of their own
	perWebP      = 2 // luma and halved chroma
	perDeepWebP  = 8 // lossless, or with transparency: RGBA, and once more where a palette is unpacked
	perGIF       = 5 // an index, and RGBA where a frame is laid on a larger screen
	perComponent = 2 // of a JPEG: coefficients of the whole picture, as progressive ones and those of several scans need
)

// bytes is about what the job takes at its height. A JPEG's pixels come shrunk, and once more where they are turned.
func (j job) bytes() int64 {
	if j.info.Kind != JPEG {
		return j.info.Bytes
	}
	return j.info.Bytes + int64(j.info.W/j.shrink+1)*int64(j.info.H/j.shrink+1)*2*perRGB
}
