package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// zeroPNG is a PNG of black and clear pixels with four channels: a few bytes for any number of pixels.
func zeroPNG(t testing.TB, w, h int, depth byte, interlaced bool) []byte {
	t.Helper()
	passes := [][4]int{{0, 0, 1, 1}} // first column and row, and the steps between
	if interlaced {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	var body bytes.Buffer
	z, _ := zlib.NewWriterLevel(&body, zlib.BestSpeed)
	for _, p := range passes {
		pw, ph := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
		row := make([]byte, 1+pw*4*int(depth)/8)
		for range ph {
			if _, err := z.Write(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	z.Close()
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	ihdr = append(ihdr, depth, 6, 0, 0, 0)
	if interlaced {
		ihdr[12] = 1
	}
	out := []byte("\x89PNG\r\n\x1a\n")
	for _, c := range []struct {
		name string
		data []byte
	}{{"IHDR", ihdr}, {"IDAT", body.Bytes()}, {"IEND", nil}} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(c.data)))
		chunk := append([]byte(c.name), c.data...)
		out = binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
	}
	return out
}

// What the header is taken to cost is what decoding allocates.
func TestBytesAreWhatDecodingTakes(t *testing.T) {
	const w, h = 1600, 1200
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"8 bits", zeroPNG(t, w, h, 8, false)},
		{"16 bits", zeroPNG(t, w, h, 16, false)},
		{"8 bits interlaced", zeroPNG(t, w, h, 8, true)},
		{"16 bits interlaced", zeroPNG(t, w, h, 16, true)},
		{"gif", asGIF(t, 1, w, h)},
	} {
		info, err := Header(bytes.NewReader(c.data), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Decode(c.data, Options{MinLongSide: 200}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: %d bytes of file, %d kB foreseen, %d kB allocated", c.name, len(c.data), info.Bytes/1000, took/1000)
		if float64(took) > 1.1*float64(info.Bytes) {
			t.Errorf("%s: %d bytes allocated, %d foreseen", c.name, took, info.Bytes)
		}
	}
}

func TestFewPixelsOfManyBitsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name       string
		w, h       int
		depth      byte
		interlaced bool
		code       Code
	}{
		{"50 megapixels", 8192, 6100, 8, false, ""},
		{"the same of 16 bits", 11_000, 4_500, 16, false, TooManyPixels},
		{"20 megapixels of 16 bits", 5000, 4000, 16, false, ""},
		{"the same interlaced", 5700, 4000, 16, true, TooManyPixels},
	} {
		data := zeroPNG(t, c.w, c.h, c.depth, c.interlaced)
		if _, err := Header(bytes.NewReader(data), Limits{}); CodeOf(err) != c.code {
			t.Errorf("%s, a file of %d bytes: %v, want code %q", c.name, len(data), err, c.code)
		}
	}
}

// However many want to decode, no more do so at once than there is room for, and all come to their turn.
func TestGateBoundsWhatIsDecodedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate()
		var mu sync.Mutex
		var now, most int64
		var all sync.WaitGroup
		add := func(n int64) {
			mu.Lock()
			defer mu.Unlock()
			now += n
			most = max(most, now)
		}
		for i := range 40 {
			all.Go(func() {
				n := int64(i%4+1) * 100_000_000
				release, err := g.Hold(t.Context(), n)
				if err != nil {
					t.Error(err)
					return
				}
				add(n)
				time.Sleep(time.Second)
				add(-n)
				release()
			})
		}
		all.Wait()
		if most > gateBytes || most < gateBytes/2 {
			t.Errorf("%d bytes at once", most)
		}
	})
}

func TestGateLetsGoWithItsContext(t *testing.T) {
	g := NewGate()
	release, err := g.Hold(t.Context(), 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	data := asPNG(t, scene(w, h).Image())
	if _, err := g.Decode(ctx, data, Options{}); !errors.Is(err, why) || CodeOf(err) != "" {
		t.Errorf("while the gate is full: %v", err)
	}
	release()
	p, err := g.Decode(t.Context(), data, Options{})
	if err != nil || p.W != w {
		t.Errorf("after it was left: %v", err)
	}
	if _, err := g.Decode(t.Context(), []byte("<svg/>"), Options{}); CodeOf(err) != Unsupported {
		t.Errorf("no picture: %v", err)
	}
}
