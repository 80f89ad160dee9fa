package video

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
	"github.com/bonafide-id/bonafide/internal/vision/video"
)

// shelf is a blob store in memory.
type shelf map[string][]byte

func (s shelf) Get(_ context.Context, _ *envelopev1.Envelope, sha string) ([]byte, error) {
	b, ok := s[sha]
	if !ok {
		return nil, stream.Poison("blob_gone", os.ErrNotExist)
	}
	return b, nil
}

func (s shelf) Keep(_ context.Context, _ *envelopev1.Envelope, b []byte, _ *pix.RGB) (string, error) {
	d := sha256.Sum256(b)
	sha := hex.EncodeToString(d[:])
	s[sha] = b
	return sha, nil
}

// bench is a service with its shelf.
type bench struct {
	*Service
	shelf shelf
}

func newBench(t testing.TB) bench {
	t.Helper()
	return newBenchOn(t, resiliencetest.Refusing(t, "models"))
}

func newBenchOn(t testing.TB, networks *resilience.Dependency) bench {
	t.Helper()
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: networks})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	d, err := video.New(context.Background(), video.Config{Dependency: resiliencetest.Refusing(t, "video decoder")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Models: set, Blobs: shelf{}, Decoder: d})
	if err != nil {
		t.Fatal(err)
	}
	return bench{s, s.Blobs.(shelf)}
}

// watch hands a selfie in and returns what was derived of it.
func (b bench) watch(t testing.TB, data []byte) *derivedv1.Derived {
	t.Helper()
	sha, _ := b.shelf.Keep(context.Background(), nil, data, nil)
	return b.handle(t, sha, data)
}

func (b bench) handle(t testing.TB, sha string, data []byte) *derivedv1.Derived {
	t.Helper()
	kind, _ := picture.Sniff(data[:min(len(data), picture.SniffLen)])
	in := stream.Input{Message: &stream.Message{
		Envelope: &envelopev1.Envelope{Kind: envelopev1.Kind_KIND_MEDIUM, Medium: check.Selfie},
		Payload:  &mediav1.Media{Sha256: sha, Bytes: uint64(len(data)), MediaType: string(kind)},
	}}
	var out *derivedv1.Derived
	err := b.Service.handle(context.Background(), in, func(_ context.Context, o stream.Output) error {
		if o.Topic != topic.Derived || o.Medium != check.Selfie || out != nil {
			t.Errorf("emitted %+v", o)
		}
		out = o.Payload.(*derivedv1.Derived)
		return nil
	})
	if err != nil && out == nil {
		t.Fatal(err)
	}
	return out
}

func portrait(t testing.TB) *pix.RGB {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(models.Find(), "demo", "*.jpg"))
	if len(files) == 0 {
		t.Fatal("no demo portrait among the models, run `make setup`")
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := picture.Decode(b, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m.RGB
}

// panned is a recording of a camera that moves over a picture.
func panned(t testing.TB, size string, seconds string) []byte {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	if err := png.Encode(&b, portrait(t).Image()); err != nil {
		t.Fatal(err)
	}
	still, clip := filepath.Join(dir, "still.png"), filepath.Join(dir, "clip.mp4")
	if err := os.WriteFile(still, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	filter := "scale=" + size + ":force_original_aspect_ratio=increase,scale=iw*1.2:-2,crop=" + size + ":x='(iw-ow)/2+30*sin(2*PI*t/3)':y='20+20*sin(2*PI*t/2)'"
	out, err := exec.Command("ffmpeg", "-v", "error", "-loop", "1", "-i", still, "-t", seconds, "-r", "30", "-vf", filter,
		"-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", clip).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRecording(t *testing.T) {
	b := newBench(t)
	f := b.watch(t, panned(t, "720:1280", "3")).GetFrames()
	if f.GetStill() || len(f.GetFrames()) < 15 || len(f.GetFrames()) > 19 || f.GetSeconds() < 2.9 || f.GetSeconds() > 3.1 {
		t.Fatalf("%d frames of %.2f s, still %v", len(f.GetFrames()), f.GetSeconds(), f.GetStill())
	}
	kept, flowing := 0, 0
	for i, x := range f.GetFrames() {
		if len(x.GetFaces()) == 0 || len(x.GetFaces()[0].GetMesh()) != 3*468 {
			t.Errorf("frame %d has no mesh", i)
		}
		if len(x.GetFlow()) > 4*20 {
			flowing++
		}
		if x.GetBlob() == nil {
			continue
		}
		kept++
		p, err := picture.Decode(b.shelf[x.GetBlob().GetSha256()], picture.Options{})
		if err != nil || p.W != int(x.GetWidth()) || p.H != int(x.GetHeight()) || p.H != 640 {
			t.Errorf("frame %d is kept as %v, %v", i, p, err)
		}
	}
	if kept < 2 || kept > keptFrames || flowing < len(f.GetFrames())-2 {
		t.Errorf("%d frames kept, %d with corners followed", kept, flowing)
	}
}

func TestStills(t *testing.T) {
	b := newBench(t)
	for turns := range 4 {
		data, err := picture.EncodeJPEG(portrait(t).Rotate90(turns), 90)
		if err != nil {
			t.Fatal(err)
		}
		f := b.watch(t, data).GetFrames()
		if !f.GetStill() || len(f.GetFrames()) != 1 || len(f.GetFrames()[0].GetFaces()) != 1 || f.GetFrames()[0].GetBlob() == nil {
			t.Errorf("a still turned %d times gives %d frames, still %v", turns, len(f.GetFrames()), f.GetStill())
		}
	}
}

func TestNobody(t *testing.T) {
	b := newBench(t)
	data, err := picture.EncodeJPEG(pix.NewRGB(640, 480), 90)
	if err != nil {
		t.Fatal(err)
	}
	f := b.watch(t, data).GetFrames()
	if len(f.GetFrames()) != 1 || len(f.GetFrames()[0].GetFaces()) != 0 {
		t.Errorf("a black picture: %v", f)
	}
}

func TestUnusable(t *testing.T) {
	b := newBench(t)
	whole := panned(t, "320:240", "1")
	for name, c := range map[string]struct {
		data   []byte
		reason string
	}{
		"no index": {whole[:bytes.Index(whole, []byte("moov"))-4], "damaged_media"},
		"script":   {[]byte("ffconcat version 1.0\nfile '/etc/passwd'\n"), "unsupported_media"},
		"cut jpeg": {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), "damaged_media"},
	} {
		if u := b.watch(t, c.data).GetUnusable(); u.GetReason() != c.reason || u.GetSourceSha256() == "" {
			t.Errorf("%s: %v, want %s", name, u, c.reason)
		}
	}
	if u := b.handle(t, "gone", whole).GetUnusable(); u.GetReason() != "blob_gone" {
		t.Errorf("a blob that is gone: %v", u)
	}
}

// BenchmarkSelfie is the whole work on five seconds of 1080p.
// Where a network fails, those downstream hear of it at once.
func TestFailingModel(t *testing.T) {
	b := newBenchOn(t, resiliencetest.Gone(t, "models", "model_failed"))
	data, err := picture.EncodeJPEG(portrait(t), 90)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.watch(t, data).GetUnusable().GetReason(); got != "model_failed" {
		t.Errorf("unusable for %q", got)
	}
}

func BenchmarkSelfie(b *testing.B) {
	w := newBench(b)
	clip := panned(b, "1080:1920", "5")
	b.ResetTimer()
	for b.Loop() {
		began := time.Now()
		if f := w.watch(b, clip).GetFrames(); len(f.GetFrames()) < 25 {
			b.Fatal(len(f.GetFrames()))
		}
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms")
	}
}
