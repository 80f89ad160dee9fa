package video

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
)

// record makes a recording with ffmpeg, the way a phone would.
func record(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-y"}, args...), path)...).CombinedOutput()
	if err != nil {
		t.Fatalf("making %s: %v\n%s", name, err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func source(size, seconds string) []string {
	return []string{"-f", "lavfi", "-i", "testsrc2=s=" + size + ":r=30:d=" + seconds}
}

func decoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := New(context.Background(), Config{Dependency: resiliencetest.Refusing(t, "video decoder")})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// frames decodes b and keeps what was handed over.
func frames(t testing.TB, b []byte, o Options) ([]Frame, Info, error) {
	t.Helper()
	var all []Frame
	info, err := decoder(t).Frames(context.Background(), bytes.NewReader(b), o, func(f Frame) error {
		all = append(all, f)
		return nil
	})
	return all, info, err
}

func TestContainers(t *testing.T) {
	x264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a.mp4", x264},
		{"sound.mov", append([]string{"-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac"}, x264...)},
		{"a.webm", []string{"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"}},
		{"vp9.mp4", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"}},
		{"hevc.mp4", []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"}},
		{"av1.mp4", []string{"-c:v", "libsvtav1", "-preset", "12"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := record(t, c.name, append(source("320x180", "2"), c.args...)...)
			all, info, err := frames(t, b, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(all) < 9 || len(all) > 13 {
				t.Errorf("%d frames of 2 s at 6 a second", len(all))
			}
			if d := info.Duration.Seconds(); d < 1.9 || d > 2.2 {
				t.Errorf("duration %v", info.Duration)
			}
			if info.W != 320 || info.H != 180 || all[0].Pix.W != 320 || all[0].Pix.H != 180 {
				t.Errorf("size %dx%d, frame %dx%d", info.W, info.H, all[0].Pix.W, all[0].Pix.H)
			}
			for i := 1; i < len(all); i++ {
				if gap := all[i].At - all[i-1].At; gap < 150*time.Millisecond || gap > 250*time.Millisecond {
					t.Errorf("frame %d comes %v after the one before", i, gap)
				}
			}
		})
	}
}

func TestUprightAndBounded(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain.mp4")
	os.WriteFile(plain, record(t, "a.mp4", append(source("1280x720", "1"), "-c:v", "libx264", "-preset", "ultrafast")...), 0o600)
	turned := record(t, "turned.mp4", "-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=90")
	all, _, err := frames(t, turned, Options{LongSide: 400})
	if err != nil {
		t.Fatal(err)
	}
	if m := all[0].Pix; m.W != 225 || m.H != 400 {
		t.Errorf("a turned 1280x720 recording gives %dx%d, want 225x400", m.W, m.H)
	}
}

func TestStopsWhenAsked(t *testing.T) {
	b := record(t, "a.mp4", append(source("320x180", "5"), "-c:v", "libx264", "-preset", "ultrafast")...)
	stop := errors.New("enough")
	n := 0
	_, err := decoder(t).Frames(context.Background(), bytes.NewReader(b), Options{}, func(Frame) error {
		if n++; n == 3 {
			return stop
		}
		return nil
	})
	if err != stop || n != 3 {
		t.Errorf("err %v after %d frames", err, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = decoder(t).Frames(ctx, bytes.NewReader(b), Options{}, func(Frame) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestUnusable(t *testing.T) {
	good := record(t, "good.mp4", append(source("320x180", "2"), "-c:v", "libx264", "-preset", "ultrafast")...)
	moov := bytes.Index(good, []byte("moov"))
	local := filepath.Join(t.TempDir(), "secret.mp4")
	os.WriteFile(local, good, 0o644)
	concat := "ffconcat version 1.0\nfile '" + local + "'\n"
	hls := "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n" + local + "\n#EXT-X-ENDLIST\n"
	for _, c := range []struct {
		name string
		b    []byte
		want Code
	}{
		{"empty", nil, Empty},
		{"two minutes", record(t, "long.mp4", append(source("64x64", "120"), "-c:v", "libx264", "-preset", "ultrafast")...), TooLong},
		{"no index", good[:moov-4], Damaged},
		{"sound only", record(t, "s.mp4", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac"), NoVideo},
		{"concat script", []byte(concat), Unsupported},
		{"playlist", []byte(hls), Unsupported},
		{"concat behind a box", append([]byte("\x00\x00\x00\x08wide"), concat...), Damaged},
		{"foreign codec", record(t, "m.mov", append(source("64x64", "1"), "-c:v", "prores")...), Unsupported},
		{"text", []byte("<html><body>hello</body></html>"), Unsupported},
		{"zero frames", record(t, "z.mp4", append(source("64x64", "1"), "-frames:v", "0", "-c:v", "libx264")...), NoVideo},
		{"too large", record(t, "l.mp4", append(source("4096x2304", "0.1"), "-c:v", "libx264", "-preset", "ultrafast")...), TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, _, err := frames(t, c.b, Options{})
			var bad *Error
			if !errors.As(err, &bad) || bad.Code != c.want {
				t.Errorf("%d frames, error %v, want %s", len(all), err, c.want)
			}
		})
	}
}

// TestScriptsOpenNothing hands a script past the sniffing of first bytes: ffmpeg itself must refuse it.
func TestScriptsOpenNothing(t *testing.T) {
	local := filepath.Join(t.TempDir(), "secret.mp4")
	os.WriteFile(local, record(t, "a.mp4", append(source("64x64", "1"), "-c:v", "libx264")...), 0o644)
	os.Chmod(filepath.Dir(local), 0o755)
	os.Chmod(filepath.Dir(filepath.Dir(local)), 0o755)
	file, err := unlinked(strings.NewReader("ffconcat version 1.0\nfile '" + local + "'\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := decoder(t).decode(context.Background(), file, Options{}.withDefaults(), func(Frame) error { return nil })
	var bad *Error
	if !errors.As(err, &bad) || bad.Code != Unsupported || info.Frames > 0 {
		t.Errorf("%d frames, %v", info.Frames, err)
	}
}

func TestDamageInside(t *testing.T) {
	good := record(t, "good.mp4", append(source("320x180", "3"), "-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart")...)
	all, _, err := frames(t, good[:len(good)*2/3], Options{})
	if err != nil || len(all) < 5 {
		t.Errorf("a recording cut off at two thirds gives %d frames, %v", len(all), err)
	}
	for i := len(good) / 2; i < len(good); i += 7 {
		good[i] ^= 0x55
	}
	if all, _, err = frames(t, good, Options{}); err != nil && len(all) == 0 {
		t.Errorf("a recording damaged in its second half gives no frame: %v", err)
	}
}

// TestBrowserRecording leaves the duration out, as browsers do.
func TestBrowserRecording(t *testing.T) {
	vp8 := []string{"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "50k", "-r", "10", "-f", "webm", "-live", "1"}
	for seconds, want := range map[string]Code{"3": "", "20": "", "40": TooLong} {
		all, info, err := frames(t, record(t, "a.webm", append(source("64x48", seconds), vp8...)...), Options{})
		if info.Duration != 0 {
			t.Errorf("%s s: duration %v", seconds, info.Duration)
		}
		var bad *Error
		if errors.As(err, &bad) != (want != "") || bad != nil && bad.Code != want {
			t.Errorf("%s s: %d frames, %v, want %q", seconds, len(all), err, want)
		}
	}
}

func TestTimeLimit(t *testing.T) {
	b := record(t, "a.mp4", append(source("1280x720", "4"), "-c:v", "libx264", "-preset", "ultrafast")...)
	d, err := New(context.Background(), Config{Dependency: resiliencetest.Refusing(t, "video decoder")})
	if err != nil {
		t.Fatal(err)
	}
	d.cfg.Timeout = 30 * time.Millisecond
	_, err = d.Frames(context.Background(), bytes.NewReader(b), Options{}, func(Frame) error { return nil })
	var bad *Error
	if !errors.As(err, &bad) || bad.Code != TooCostly {
		t.Errorf("got %v", err)
	}
}

func TestMissingProgram(t *testing.T) {
	_, err := New(context.Background(), Config{FFmpeg: "/nowhere/ffmpeg", Dependency: resiliencetest.Refusing(t, "video decoder")})
	if err == nil || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkFiveSeconds1080p(b *testing.B) {
	clip := record(b, "a.mp4", append(source("1920x1080", "5"), "-vf", "noise=alls=8:allf=t", "-c:v", "libx264", "-b:v", "8M", "-pix_fmt", "yuv420p")...)
	d := decoder(b)
	for b.Loop() {
		info, err := d.Frames(context.Background(), bytes.NewReader(clip), Options{}, func(Frame) error { return nil })
		if err != nil || info.Frames < 20 {
			b.Fatal(info, err)
		}
	}
}
