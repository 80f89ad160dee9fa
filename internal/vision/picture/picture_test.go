package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

const w, h = 48, 40

// scene is the gradient of the fixtures.
func scene(w, h int) *pix.RGB {
	m := pix.NewRGB(w, h)
	for y := range h {
		for x := range w {
			i := 3 * (y*w + x)
			m.Pix[i], m.Pix[i+1], m.Pix[i+2] = uint8(x*240/w), uint8(y*240/h), 40
		}
	}
	return m
}

func asJPEG(t testing.TB, m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asGIF(t testing.TB, frames, w, h int) []byte {
	g := &gif.GIF{}
	for i := range frames {
		f := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.White, color.RGBA{200, 30, 30, 255}})
		f.SetColorIndex(i%w, 0, 1)
		g.Image, g.Delay = append(g.Image, f), append(g.Delay, 4)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an APP1 segment with an orientation behind the start marker of a JPEG.
func withExif(data []byte, orientation uint16, order binary.ByteOrder) []byte {
	tiff := []byte("II*\x00")
	if order == binary.BigEndian {
		tiff = []byte("MM\x00*")
	}
	u16 := func(v uint16) { tiff = append(tiff, 0, 0); order.PutUint16(tiff[len(tiff)-2:], v) }
	u32 := func(v uint32) { tiff = append(tiff, 0, 0, 0, 0); order.PutUint32(tiff[len(tiff)-4:], v) }
	u32(8)
	u16(2)
	for _, e := range [][2]uint16{{0x010F, 0}, {0x0112, orientation}} {
		u16(e[0])
		u16(3)
		u32(1)
		u16(e[1])
		u16(0)
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := append([]byte{0xFF, 0xE1, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	return append(append(append([]byte{}, data[:2]...), segment...), data[2:]...)
}

func pngHeaderOf(w, h uint32) []byte {
	ihdr := append([]byte("IHDR"), 0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0)
	binary.BigEndian.PutUint32(ihdr[4:], w)
	binary.BigEndian.PutUint32(ihdr[8:], h)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(ihdr))
}

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		head string
		kind Kind
		code Code
	}{
		{"\xff\xd8\xff\xe0....", JPEG, ""},
		{"\x89PNG\r\n\x1a\n", PNG, ""},
		{"RIFF\x00\x00\x00\x00WEBPVP8 ", WebP, ""},
		{"GIF89a", GIF, ""},
		{"\x00\x00\x00\x20ftypisom", MP4, ""},
		{"\x00\x00\x00\x14ftypqt  ", MP4, ""},
		{"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", MP4, ""},
		{"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", WebM, ""},
		{"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska", WebM, ""},
		{"", "", Empty},
		{"\x00\x00\x00\x20ftypheic", "", Unsupported},
		{"\x00\x00\x00\x20ftypavif", "", Unsupported},
		{"<svg xmlns='http://www.w3.org/2000/svg'/>", "", Unsupported},
		{"<!doctype html><title>x</title>", "", Unsupported},
		{"ffconcat version 1.0\nfile '/etc/passwd'\n", "", Unsupported},
		{"RIFF\x00\x00\x00\x00AVI LIST", "", Unsupported},
		{"%PDF-1.7", "", Unsupported},
		{"\xff\xd8", "", Unsupported},
	} {
		kind, err := Sniff([]byte(c.head))
		if kind != c.kind || CodeOf(err) != c.code {
			t.Errorf("%q: got %q, %v; want %q, %q", c.head, kind, err, c.kind, c.code)
		}
	}
}

func TestHeaderSizes(t *testing.T) {
	for name, data := range map[string][]byte{
		"jpeg": asJPEG(t, scene(w, h).Image()), "png": asPNG(t, scene(w, h).Image()), "progressive": progressiveJPEG,
		"cmyk": cmykJPEG, "webp": lossyWebP, "lossless": losslessWebP, "gif": asGIF(t, 1, w, h),
	} {
		info, err := Header(bytes.NewReader(data), Limits{})
		if err != nil || info.W != w || info.H != h || info.Frames != 1 {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
	}
	info, err := Header(bytes.NewReader(asGIF(t, 7, w, h)), Limits{})
	if err != nil || info.Frames != 7 {
		t.Errorf("animation: %+v, %v", info, err)
	}
}

func TestHeaderRefuses(t *testing.T) {
	good := asJPEG(t, scene(w, h).Image())
	twelveBit := bytes.Replace(good, []byte{0xFF, 0xC0, 0, 17, 8}, []byte{0xFF, 0xC0, 0, 17, 12}, 1)
	arithmetic := bytes.Replace(good, []byte{0xFF, 0xC0, 0, 17, 8}, []byte{0xFF, 0xC9, 0, 17, 8}, 1)
	hugeJPEG := bytes.Replace(good, []byte{8, 0, h, 0, w}, []byte{8, 0x75, 0x30, 0x75, 0x30}, 1)
	for name, c := range map[string]struct {
		data []byte
		code Code
	}{
		"empty":               {nil, Empty},
		"30000 square png":    {pngHeaderOf(30000, 30000), TooManyPixels},
		"wide png":            {pngHeaderOf(20000, 40), TooManyPixels},
		"overflowing png":     {pngHeaderOf(1<<31-1, 1<<31-1), TooManyPixels},
		"30000 square jpeg":   {hugeJPEG, TooManyPixels},
		"51 megapixels":       {pngHeaderOf(8500, 6000), TooManyPixels},
		"1×1":                 {asPNG(t, scene(1, 1).Image()), TooFewPixels},
		"1×1 jpeg":            {asJPEG(t, scene(1, 1).Image()), TooFewPixels},
		"12 bits":             {twelveBit, Unsupported},
		"arithmetic":          {arithmetic, Unsupported},
		"animated webp":       {animatedWebP, Unsupported},
		"jpeg without frame":  {[]byte("\xff\xd8\xff\xda\x00\x0c........"), Damaged},
		"jpeg of two bytes":   {good[:20], Damaged},
		"gif cut short":       {asGIF(t, 3, w, h)[:60], Damaged},
		"animation too long":  {asGIF(t, 501, 40, 40), TooManyPixels},
		"svg":                 {[]byte("<svg/>"), Unsupported},
		"webp, canvas larger": {webpCanvasOf(100, 100), Damaged},
	} {
		if _, err := Header(bytes.NewReader(c.data), Limits{}); CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// webpCanvasOf is a WebP that promises a canvas of its own beside the picture of the fixture.
func webpCanvasOf(cw, ch byte) []byte {
	out := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"), cw-1, 0, 0, ch-1, 0, 0)
	out = append(out, lossyWebP[12:]...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func TestDecodeEveryKind(t *testing.T) {
	sixteen := image.NewRGBA64(image.Rect(0, 0, w, h))
	paletted := image.NewPaletted(image.Rect(0, 0, w, h), nil)
	for i := range 256 {
		paletted.Palette = append(paletted.Palette, color.RGBA{uint8(i), uint8(i % 16 * 15), 40, 255})
	}
	m := scene(w, h)
	for y := range h {
		for x := range w {
			c := m.Image().At(x, y)
			sixteen.Set(x, y, c)
			paletted.Set(x, y, c)
		}
	}
	for name, c := range map[string]struct {
		data      []byte
		tolerance int
	}{
		"jpeg": {asJPEG(t, m.Image()), 8}, "progressive": {progressiveJPEG, 12}, "png": {asPNG(t, m.Image()), 0},
		"16 bit": {asPNG(t, sixteen), 0}, "palette": {asPNG(t, paletted), 16},
		"webp": {lossyWebP, 25}, "lossless": {losslessWebP, 0}, "webp with canvas": {webpCanvasOf(w, h), 25},
	} {
		p, err := Decode(c.data, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := farthest(m, p.RGB); d > c.tolerance || p.SourceW != w || p.SourceH != h {
			t.Errorf("%s: a channel is off by %d in %d×%d", name, d, p.W, p.H)
		}
	}
}

func farthest(a, b *pix.RGB) int {
	if a.W != b.W || a.H != b.H {
		return 999
	}
	most := 0
	for i := range a.Pix {
		most = max(most, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return most
}

func TestDecodeCMYK(t *testing.T) {
	p, err := Decode(cmykJPEG, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, g, b := p.At(24, 20)
	for i, d := range []int{int(r) - 124, int(g) - 124, int(b) - 235} {
		if d < -8 || d > 8 {
			t.Errorf("channel %d is off by %d: %d %d %d", i, d, r, g, b)
		}
	}
}

func TestDecodeGrey(t *testing.T) {
	p, err := Decode(asJPEG(t, scene(w, h).Gray().Image()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r, g, b := p.At(40, 20); r != g || g != b || r < 100 {
		t.Errorf("grey became %d %d %d", r, g, b)
	}
}

func TestDecodePutsFirstFrameOnScreen(t *testing.T) {
	frame := image.NewPaletted(image.Rect(10, 10, 50, 50), color.Palette{color.White, color.RGBA{200, 0, 0, 255}})
	for i := range frame.Pix {
		frame.Pix[i] = 1
	}
	var b bytes.Buffer
	g := &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 60, Height: 70}}
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	p, err := Decode(b.Bytes(), Options{})
	if err != nil || p.W != 60 || p.H != 70 {
		t.Fatalf("%v, %+v", err, p)
	}
	if r, g, _ := p.At(0, 0); r != 255 || g != 255 {
		t.Error("around the frame is not white")
	}
	if r, g, _ := p.At(12, 12); r != 200 || g != 0 {
		t.Error("the frame is not in its place")
	}
}

// TestDecodeAppliesOrientation follows the top-left corner of the upright scene, as EXIF 2.3 says where it is stored.
func TestDecodeAppliesOrientation(t *testing.T) {
	up := scene(64, 48)
	stored := [9]*pix.RGB{
		1: up, 2: up.Mirror(), 3: up.Rotate90(2), 4: up.Rotate90(2).Mirror(), // rows top or bottom, columns left or right
		5: up.Rotate90(1).Mirror(), 6: up.Rotate90(-1), 7: up.Rotate90(-1).Mirror(), 8: up.Rotate90(1),
	}
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			p, err := Decode(withExif(asJPEG(t, stored[o].Image()), uint16(o), order), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := farthest(up, p.RGB); d > 10 || p.SourceW != 64 || p.SourceH != 48 {
				t.Errorf("orientation %d (%v): off by %d at %d×%d", o, order, d, p.W, p.H)
			}
		}
	}
}

func TestDecodeShrinks(t *testing.T) {
	m := scene(1000, 700)
	for name, data := range map[string][]byte{"jpeg": asJPEG(t, m.Image()), "png": asPNG(t, m.Image())} {
		p, err := Decode(data, Options{MinLongSide: 240})
		if err != nil {
			t.Fatal(err)
		}
		if p.W != 250 || p.H != 175 || p.SourceW != 1000 || p.SourceH != 700 {
			t.Fatalf("%s: %d×%d of %d×%d", name, p.W, p.H, p.SourceW, p.SourceH)
		}
		if d := farthest(pix.Resize(m, 250, 175), p.RGB); d > 8 {
			t.Errorf("%s: off by %d", name, d)
		}
		if q := p.ToSource(pix.Full(250, 175)); q[2] != (pix.Pt{X: 997.5, Y: 697.5}) {
			t.Errorf("%s: the last pixel lies at %v", name, q[2])
		}
	}
}

func TestDecodeRefusesDamage(t *testing.T) {
	whole := asJPEG(t, scene(400, 300).Image())
	whole2 := asPNG(t, scene(400, 300).Image())
	flipped := append([]byte{}, whole2...)
	flipped[len(flipped)/2] ^= 0x10
	for name, data := range map[string][]byte{
		"truncated jpeg": whole[:len(whole)/2], "jpeg without its end": whole[:len(whole)-40],
		"truncated png": whole2[:len(whole2)/2], "flipped png": flipped, "truncated webp": lossyWebP[:120],
		"truncated progressive": progressiveJPEG[:len(progressiveJPEG)-30],
	} {
		if _, err := Decode(data, Options{}); CodeOf(err) != Damaged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode([]byte("\x00\x00\x00\x20ftypisom...."), Options{}); CodeOf(err) != Unsupported {
		t.Errorf("video: %v", err)
	}
}

// Samsung's phones leave bytes before the end marker; libjpeg-turbo warns, and the picture is whole.
func TestDecodeForgivesBytesBeforeTheEnd(t *testing.T) {
	data := asJPEG(t, scene(w, h).Image())
	data = append(append(append([]byte{}, data[:len(data)-2]...), 0, 0, 0, 0), 0xFF, 0xD9)
	if _, err := Decode(data, Options{}); err != nil {
		t.Error(err)
	}
}

func TestErrorsSpeakPlainly(t *testing.T) {
	_, err := Header(bytes.NewReader(pngHeaderOf(30000, 30000)), Limits{})
	if !strings.Contains(err.Error(), "30000×30000") {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range [][]byte{progressiveJPEG, cmykJPEG, lossyWebP, losslessWebP, animatedWebP, webpCanvasOf(9, 9),
		asJPEG(f, scene(w, h).Image()), asPNG(f, scene(w, h).Image()), asGIF(f, 2, 33, 34), pngHeaderOf(30000, 30000),
		withExif(progressiveJPEG, 6, binary.BigEndian), []byte("<svg/>"), {}} {
		f.Add(s)
	}
	lim := Limits{MaxPixels: 1 << 18, MaxSide: 1 << 10}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, headErr := Header(bytes.NewReader(data), lim)
		p, err := Decode(data, Options{MinLongSide: 64, Limits: lim})
		if err != nil {
			if CodeOf(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		iw, ih := info.Size()
		if headErr != nil || p.SourceW != iw || p.SourceH != ih || len(p.Pix) != 3*p.W*p.H {
			t.Fatalf("header %+v (%v), decoded %d×%d", info, headErr, p.W, p.H)
		}
	})
}

func BenchmarkDecode12MP(b *testing.B) {
	data := asJPEG(b, scene(4000, 3000).Image())
	for b.Loop() {
		if _, err := Decode(data, Options{MinLongSide: 2000}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEncodeJPEG(t *testing.T) {
	m := scene(200, 150)
	data, err := EncodeJPEG(m, 95)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode(data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := farthest(m, p.RGB); d > 8 {
		t.Errorf("off by %d", d)
	}
	if _, err := EncodeJPEG(&pix.RGB{}, 95); err == nil {
		t.Error("an empty picture was encoded")
	}
}
