package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// outcomes are the first outcome of each check, as "fail" or "not_performed(damaged_media)".
type outcomes map[string]string

func outcomesOf(t *testing.T, ctx context.Context, web *client, p pictures) (outcomes, error) {
	t.Helper()
	r, _, err := web.submit(ctx, p, []byte(`{"deadline_ms": 60000}`))
	if err != nil {
		return nil, err
	}
	out := outcomes{}
	err = web.events(ctx, r.Verification, func(line []byte) error {
		var f shown
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		x := f.Finding
		if _, known := out[x.Check]; f.Type == "finding" && !known {
			out[x.Check] = x.Outcome
			if x.Reason != "" {
				out[x.Check] += "(" + x.Reason + ")"
			}
		}
		if f.Type == "ended" {
			out["ended"] = f.Ended.Reason
		}
		return nil
	})
	return out, err
}

// What the header shows is refused at the door with a code.
func TestRefusedAtTheDoor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	web := webOf(t, program(t, ctx, filepath.Join(t.TempDir(), "data")))
	good := smallDocument(t)
	bytesOf, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		p    pictures
		code string
	}{
		{"empty file", pictures{Document: file(t, "empty.jpg", nil)}, "empty_media"},
		{"text", pictures{Document: file(t, "a.jpg", []byte("this is no picture at all, only words in a row"))}, "unsupported_media"},
		{"SVG named .jpg", pictures{Document: file(t, "a.jpg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`))}, "unsupported_media"},
		{"HTML named .jpg", pictures{Document: file(t, "a.jpg", []byte(`<!doctype html><html><script>alert(1)</script></html>`))}, "unsupported_media"},
		{"concat script named .mp4", pictures{Document: good, Selfie: file(t, "a.mp4", []byte("ffconcat version 1.0\nfile '/etc/passwd'\n"))}, "unsupported_media"},
		{"30,000×30,000", pictures{Document: file(t, "huge.png", hugePNG(t))}, "too_many_pixels"},
		{"a header cut short", pictures{Document: file(t, "cut.jpg", bytesOf[:100])}, "damaged_media"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := outcomesOf(t, ctx, web, c.p)
			var p *answer
			if !errors.As(err, &p) || p.Code != c.code || p.Status >= 500 {
				t.Errorf("got %v, want code %s", err, c.code)
			}
		})
	}
}

// What only decoding shows is accepted, and every check still ends with a reason.
func TestBadMediaEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	web := webOf(t, program(t, ctx, filepath.Join(t.TempDir(), "data")))
	good := smallDocument(t)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	video, empty := read(t, film(t, "2", "10")), read(t, film(t, "0", "10"))
	portrait := decode(t, still(t))
	for _, c := range []struct {
		name string
		p    pictures
		want outcomes
	}{
		{"truncated JPEG", pictures{Document: file(t, "cut.jpg", whole[:len(whole)/2])},
			outcomes{"doc.class.type": "not_performed(damaged_media)", "doc.image.focus": "not_performed(damaged_media)"}},
		{"no document", pictures{Document: encode(t, plain(1200, 900))}, outcomes{"doc.image.no_document": "fail(no_document)"}},
		{"two documents", pictures{Document: encode(t, sideBySide(decode(t, good), decode(t, specimenFile(t, "--kind", "uk-card", "--seed", "9"))))},
			outcomes{"doc.image.several_documents": "fail(several_documents)"}},
		{"no face", pictures{Document: good, Selfie: encode(t, plain(640, 480))}, outcomes{"face.image.detected": "fail(no_face)"}},
		{"five faces", pictures{Document: good, Selfie: encode(t, many(portrait, 5))}, outcomes{"face.image.single": "fail(several_faces)"}},
		{"a video of 2 minutes", pictures{Document: good, Selfie: film(t, "120", "5")}, outcomes{"face.image.detected": "not_performed(too_long)"}},
		{"a video without its index", pictures{Document: good, Selfie: file(t, "cut.mp4", video[:bytes.LastIndex(video, []byte("moov"))])},
			outcomes{"face.image.detected": "not_performed(damaged_media)"}},
		{"a video with a broken index", pictures{Document: good, Selfie: file(t, "scribbled.mp4", scribble(t, video, "stco"))},
			outcomes{"face.image.detected": "not_performed(damaged_media)"}},
		{"a video of 0 frames", pictures{Document: good, Selfie: file(t, "none.mp4", empty)}, outcomes{"face.image.detected": "not_performed(no_video)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := outcomesOf(t, ctx, web, c.p)
			if err != nil {
				t.Fatal(err)
			}
			for check, want := range c.want {
				if got[check] != want {
					t.Errorf("%s: got %q, want %q", check, got[check], want)
				}
			}
			if got["ended"] != "complete" {
				t.Errorf("ended %q", got["ended"])
			}
		})
	}
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// hugePNG is a header that promises 30,000×30,000 pixels.
func hugePNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return repng(b.Bytes(), 30000, 30000)
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t *testing.T, m image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return file(t, "picture.jpg", b.Bytes())
}

// plain is a wall: light, with a soft gradient.
func plain(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := uint8(150 + 60*x/w + 30*y/h)
			m.SetRGBA(x, y, color.RGBA{v, v, v - 10, 255})
		}
	}
	return m
}

func many(m image.Image, n int) image.Image {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*n, b.Dy()))
	for i := range n {
		draw.Draw(out, image.Rect(i*b.Dx(), 0, (i+1)*b.Dx(), b.Dy()), m, b.Min, draw.Src)
	}
	return out
}

// sideBySide lays two documents on one desk.
func sideBySide(a, b image.Image) image.Image {
	const room = 80
	w, h := a.Bounds().Dx()+b.Bounds().Dx()+3*room, max(a.Bounds().Dy(), b.Bounds().Dy())+2*room
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.RGBA{70, 52, 40, 255}), image.Point{}, draw.Src)
	draw.Draw(out, a.Bounds().Sub(a.Bounds().Min).Add(image.Pt(room, room)), a, a.Bounds().Min, draw.Src)
	draw.Draw(out, b.Bounds().Sub(b.Bounds().Min).Add(image.Pt(a.Bounds().Dx()+2*room, room)), b, b.Bounds().Min, draw.Src)
	return out
}

// scribble overwrites the entries of a table in an MP4, which stand behind its name, flags and count.
func scribble(t *testing.T, video []byte, box string) []byte {
	t.Helper()
	out := bytes.Clone(video)
	at := bytes.LastIndex(out, []byte(box))
	if at < 0 {
		t.Fatalf("the video has no %s", box)
	}
	for i := at + 12; i < min(at+64, len(out)); i++ {
		out[i] = 0xff
	}
	return out
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// film is a grey video of so many seconds at so many frames a second.
func film(t *testing.T, seconds, rate string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	said, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=gray:s=320x240:r="+rate, "-t", seconds, "-c:v", "libx264", "-preset", "ultrafast", path).CombinedOutput()
	if err != nil {
		t.Fatalf("making a video: %v\n%s", err, said)
	}
	return path
}
