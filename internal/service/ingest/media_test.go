package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

// buffer is a sink that counts how often it is opened.
type buffer struct {
	bytes.Buffer
	opened int
}

func (b *buffer) open() (sink, error)                { b.opened++; return b, nil }
func (b *buffer) Commit(bool) (string, int64, error) { return "", 0, nil }
func (b *buffer) Abort() error                       { return nil }

// What the header shows to be wrong opens no sink: it costs neither a key nor a file.
func TestBadHeaderOpensNothing(t *testing.T) {
	for name, c := range map[string]struct {
		data   []byte
		opened int
	}{
		"empty": {nil, 0}, "text": {[]byte("only words in a row, and more of them"), 0}, "long text": {bytes.Repeat([]byte("word "), 1<<20), 0},
		"cut header": {jpg(t)[:20], 0}, "30,000×30,000": {hugePNG(t), 0}, "1×1": {tinyPNG(t), 0}, "a film as a document": {mp4(), 0}, "good": {jpg(t), 1},
	} {
		var to buffer
		body, kind := multipartOf(part{"document", c.data})
		_, boundary, _ := strings.Cut(kind, "boundary=")
		_, err := readForm(newBody(bytes.NewReader(body), boundary), to.open)
		if to.opened != c.opened || (err == nil) != (c.opened == 1) {
			t.Errorf("%s: opened %d times, %v", name, to.opened, err)
		}
	}
}

// dropped brings its bytes in pieces of any size.
type dropped struct {
	from io.Reader
	t    *rapid.T
}

func (d dropped) Read(b []byte) (int, error) {
	return d.from.Read(b[:min(len(b), rapid.SampledFrom([]int{1, 7, 100, 4096, 1 << 16}).Draw(d.t, "piece"))])
}

// Whatever the pieces and however long the header is, the sink gets every byte once and in order.
func TestSinkGetsEverything(t *testing.T) {
	gif, jpeg := gifOf(t), jpg(t)
	rapid.Check(t, func(t *rapid.T) {
		data := jpeg
		if rapid.Bool().Draw(t, "animated") { // walked to its end
			frame := gif[13+3<<(gif[10]&7+1) : len(gif)-1]
			data = append(bytes.Clone(gif[:len(gif)-1]), bytes.Repeat(frame, rapid.IntRange(0, 200).Draw(t, "frames"))...)
			data = append(data, ';')
		}
		data = append(bytes.Clone(data), make([]byte, rapid.SampledFrom([]int{0, 1, heldMost, 2 * heldMost}).Draw(t, "behind"))...)
		var to buffer
		_, err := readMedium(dropped{bytes.NewReader(data), t}, check.Selfie, &late{open: to.open})
		if err != nil || to.opened != 1 || !bytes.Equal(to.Bytes(), data) {
			t.Fatalf("%v, opened %d times, %d of %d bytes", err, to.opened, to.Len(), len(data))
		}
	})
}

// What the parser makes of a header that breaks off is no verdict: the client, or the disk, is told of.
func TestBrokenOffInTheHeader(t *testing.T) {
	cut, full := errors.New("cut"), errors.New("no room")
	long := append(append([]byte{0xff, 0xd8}, bytes.Repeat([]byte("\xff\xe2\xff\xff"+strings.Repeat("x", 65533)), 3)...), jpg(t)[2:]...)
	for name, c := range map[string]struct {
		part io.Reader
		open opener
		want error
		body bool
	}{
		"by the client": {io.MultiReader(bytes.NewReader(jpg(t)[:20]), iotest.ErrReader(cut)), new(buffer).open, cut, true},
		"by the disk":   {bytes.NewReader(long), func() (sink, error) { return nil, full }, full, false},
	} {
		_, err := readMedium(c.part, check.Document, &late{open: c.open})
		var body *bodyError
		if !errors.Is(err, c.want) || errors.As(err, &body) != c.body || picture.CodeOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	var to buffer
	if _, err := readMedium(bytes.NewReader(long), check.Document, &late{open: to.open}); err != nil || !bytes.Equal(to.Bytes(), long) {
		t.Errorf("a long header: %v, %d of %d bytes", err, to.Len(), len(long))
	}
}

// explosive panics with what it was sent.
type explosive struct{}

func (explosive) Read([]byte) (int, error) { panic("Quetzal, born 1974") }

func TestPanicQuotesNothing(t *testing.T) {
	_, err := inspect(explosive{}, check.Document)
	if err == nil || strings.Contains(err.Error(), "Quetzal") || !strings.Contains(err.Error(), "string") {
		t.Error(err)
	}
	if p, quiet := (&Service{}).classify(err); p.Code != "internal" || quiet {
		t.Errorf("%+v", p)
	}
}
