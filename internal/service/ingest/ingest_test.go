package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi/openapitest"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/testbed"
	"github.com/bonafide-id/bonafide/internal/topic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// door is a running service with everything real behind it.
type door struct {
	*testbed.Bed
	t       *testing.T
	url     string
	srv     *httptest.Server
	service *Service
}

func newDoor(t *testing.T, dir string, change ...func(*Config)) *door {
	t.Helper()
	b := testbed.New(t, dir)
	finder, err := opened.New(t.Context(), opened.Config{Log: b.Log, Store: b.Index, Decoder: b.Runtime})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Blobs: b.Blobs, Keys: b.Keys, Events: b.Runtime, Opened: finder, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(openapitest.Watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := access.Principal{Client: r.Header.Get("Test-Client")}
		s.Routes()[0].Handler(w, r.WithContext(access.With(r.Context(), p)))
	})))
	t.Cleanup(srv.Close)
	return &door{b, t, srv.URL, srv, s}
}

// part of a form.
type part struct {
	name string
	data []byte
}

func multipartOf(parts ...part) (body []byte, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		pw, _ := w.CreateFormFile(p.name, "whatever.svg")
		_, _ = pw.Write(p.data)
	}
	_ = w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// answer is what the service said.
type answer struct {
	status   int
	header   http.Header
	Code     string
	Detail   string
	Receipt  receipt
	verbatim string
}

func (d *door) request(body io.Reader, contentType string, header ...string) *http.Request {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+"/v1/verifications", body)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Test-Client", "demo")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (d *door) send(r *http.Request) answer {
	d.t.Helper()
	resp, err := d.srv.Client().Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, verbatim: string(b)}
	if err := json.Unmarshal(b, &a); err != nil {
		d.t.Fatalf("%d %s: %v", a.status, b, err)
	}
	if a.status < 300 {
		if err := json.Unmarshal(b, &a.Receipt); err != nil {
			d.t.Fatal(err)
		}
	}
	return a
}

// post sends a form; header alternates names and values.
func (d *door) post(parts []part, header ...string) answer {
	d.t.Helper()
	body, kind := multipartOf(parts...)
	return d.send(d.request(bytes.NewReader(body), kind, header...))
}

func (d *door) facts() []*stream.Message  { return d.topic(topic.Fact) }
func (d *door) medias() []*stream.Message { return d.topic(topic.Media) }

// topic reads all of a topic, opened.
func (d *door) topic(name string) []*stream.Message {
	d.t.Helper()
	n, err := d.Log.Lanes(d.t.Context(), name)
	if err != nil {
		d.t.Fatal(err)
	}
	var out []*stream.Message
	for i := range n {
		at := log.Lane{Topic: name, N: i}
		bounds, err := d.Log.Bounds(d.t.Context(), at)
		if err != nil {
			d.t.Fatal(err)
		}
		if bounds[0].First == bounds[0].End {
			continue
		}
		for r, err := range d.Log.Read(d.t.Context(), at, bounds[0].First, bounds[0].End) {
			if err != nil {
				d.t.Fatal(err)
			}
			m, err := d.Runtime.Decode(r)
			if err == nil {
				m.Payload, err = m.Open(d.t.Context())
			}
			if err != nil {
				d.t.Fatal(err)
			}
			out = append(out, m)
		}
	}
	return out
}

// left lists what stands in the blob store and among the data keys.
func (d *door) left() []string {
	d.t.Helper()
	var out []string
	err := filepath.WalkDir(filepath.Join(d.Dir, "blobs"), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	for kv, err := range d.Secrets.Iterate([]byte("key/")) {
		if err != nil {
			d.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%q", kv.Key))
	}
	return out
}

func picture64() image.Image {
	m := image.NewPaletted(image.Rect(0, 0, 64, 48), color.Palette{color.Black, color.White, color.RGBA{200, 30, 30, 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7 % 3)
	}
	return m
}

func jpg(t testing.TB) []byte {
	return encoded(t, func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) })
}

func pngOf(t testing.TB) []byte { return encoded(t, png.Encode) }

func gifOf(t testing.TB) []byte {
	return encoded(t, func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) })
}

func encoded(t testing.TB, f func(io.Writer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, picture64()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mp4 begins as one does; what is behind is for the video service.
func mp4() []byte {
	return append([]byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"), bytes.Repeat([]byte{7}, 5000)...)
}

func sorted(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

func has(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}
