package video

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

// animate makes a GIF whose n pictures are each one colour, shown for delay hundredths.
func animate(t testing.TB, n, w, h, delay int) []byte {
	t.Helper()
	g := &gif.GIF{Config: image.Config{Width: w, Height: h}}
	for i := range n {
		p := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.RGBA{uint8(4 * i), 0, 0, 255}, color.White})
		g.Image, g.Delay, g.Disposal = append(g.Image, p), append(g.Delay, delay), append(g.Disposal, gif.DisposalNone)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAnimation(t *testing.T) {
	all, info, err := frames(t, animate(t, 50, 80, 60, 5), Options{LongSide: 40})
	if err != nil {
		t.Fatal(err)
	}
	if info.Kind != picture.GIF || info.Duration != 2500*time.Millisecond || info.W != 80 {
		t.Errorf("info %+v", info)
	}
	if len(all) < 12 || len(all) > 16 {
		t.Errorf("%d frames of 2.5 s", len(all))
	}
	for _, f := range all {
		if want := uint8(4 * (f.At / (50 * time.Millisecond))); f.Pix.Pix[0] != want || f.Pix.W != 40 {
			t.Errorf("frame at %v has colour %d, want %d", f.At, f.Pix.Pix[0], want)
		}
	}
}

func TestAnimationLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want Code
	}{
		{"long", animate(t, 40, 8, 8, 100), TooLong},
		{"cut off", animate(t, 40, 8, 8, 5)[:300], Damaged},
		{"no pictures", append([]byte("GIF89a\x08\x00\x08\x00\x00\x00\x00"), 0x3b), NoFrames},
		{"wide", append([]byte("GIF89a\x00\x80\x00\x80\x00\x00\x00\x2c\x00\x00\x00\x00\x00\x80\x00\x80\x00\x02\x00"), 0x3b), TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := frames(t, c.b, Options{})
			var bad *Error
			if !errors.As(err, &bad) || bad.Code != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestWalkAgreesWithDecoder compares the measured plan with what image/gif finds.
func TestWalkAgreesWithDecoder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, w, h := rapid.IntRange(1, 9).Draw(rt, "n"), rapid.IntRange(1, 70).Draw(rt, "w"), rapid.IntRange(1, 70).Draw(rt, "h")
		delay := rapid.IntRange(0, 30).Draw(rt, "delay")
		p, err := walkGIF(animate(t, n, w, h, delay))
		if err != nil || p.frames != n || p.w != w || p.h != h || p.pixels != n*w*h || p.duration != time.Duration(n)*gifDelay(delay) {
			rt.Fatalf("%+v, %v", p, err)
		}
	})
}

func FuzzWalkGIF(f *testing.F) {
	f.Add(animate(f, 3, 4, 5, 6))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := walkGIF(b)
		if err == nil && (p.w <= 0 || p.h <= 0 || p.frames < 0 || p.duration < 0) {
			t.Errorf("%+v", p)
		}
	})
}

func TestHeadTurns(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/data/C/C6-head-pose/*.gif")
	if len(files) == 0 {
		t.Skip("no data")
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all, info, err := frames(t, b, Options{})
		if err != nil || len(all) < 10 {
			t.Errorf("%s: %d frames, %+v, %v", filepath.Base(file), len(all), info, err)
		}
		t.Logf("%s: %d frames of %v", filepath.Base(file), len(all), info.Duration)
	}
}
