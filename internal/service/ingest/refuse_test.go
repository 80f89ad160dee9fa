package ingest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hugePNG promises 30,000×30,000 pixels.
func hugePNG(t *testing.T) []byte {
	b := pngOf(t)
	binary.BigEndian.PutUint32(b[16:], 30000)
	binary.BigEndian.PutUint32(b[20:], 30000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func tinyPNG(t *testing.T) []byte {
	b := pngOf(t)
	binary.BigEndian.PutUint32(b[16:], 1)
	binary.BigEndian.PutUint32(b[20:], 1)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func tinyJPEG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each is a clear error with a code, and leaves nothing: no blob, no key, no event.
func TestRefused(t *testing.T) {
	d := newDoor(t, t.TempDir())
	good := part{"document", jpg(t)}
	req := func(s string) []part { return []part{good, {"request", []byte(s)}} }
	for _, c := range []struct {
		name   string
		parts  []part
		status int
		code   string
	}{
		{"nothing", nil, 400, "bad_request"},
		{"no medium", []part{{"request", []byte("{}")}}, 400, "bad_request"},
		{"empty document", []part{{"document", nil}}, 400, "empty_media"},
		{"empty selfie behind a good document", []part{good, {"selfie", nil}}, 400, "empty_media"},
		{"text", []part{{"document", []byte("only words in a row, and more of them")}}, 415, "unsupported_media"},
		{"SVG", []part{{"document", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}}, 415, "unsupported_media"},
		{"HTML", []part{{"document", []byte(`<!doctype html><script>alert(1)</script>`)}}, 415, "unsupported_media"},
		{"concat script", []part{good, {"selfie", []byte("ffconcat version 1.0\nfile '/etc/passwd'\n")}}, 415, "unsupported_media"},
		{"cut header", []part{{"document", jpg(t)[:20]}}, 400, "damaged_media"},
		{"30,000×30,000", []part{{"document", hugePNG(t)}}, 422, "too_many_pixels"},
		{"1×1", []part{{"document", tinyPNG(t)}}, 422, "too_few_pixels"},
		{"1×1 JPEG", []part{{"document", tinyJPEG(t)}}, 422, "too_few_pixels"},
		{"1×1 selfie", []part{good, {"selfie", tinyPNG(t)}}, 422, "too_few_pixels"},
		{"unknown part", []part{good, {"passport", jpg(t)}}, 400, "bad_request"},
		{"part in capitals", []part{{"Document", jpg(t)}}, 400, "bad_request"},
		{"part named unspecified", []part{{"unspecified", jpg(t)}}, 400, "bad_request"},
		{"two documents", []part{good, good}, 400, "bad_request"},
		{"two requests", append(req("{}"), part{"request", []byte("{}")}), 400, "bad_request"},
		{"no JSON", req("surname=x"), 400, "bad_request"},
		{"a list", req("[]"), 400, "bad_request"},
		{"two values", req("{} {}"), 400, "bad_request"},
		{"unknown field", req(`{"Quetzal":1}`), 400, "bad_request"},
		{"field in capitals", req(`{"Minimum_Age":18}`), 400, "bad_request"},
		{"unknown field of declared", req(`{"declared":{"name":"Quetzal"}}`), 400, "bad_request"},
		{"unknown field of consent", req(`{"consent":{"when":"Quetzal"}}`), 400, "bad_request"},
		{"a field twice", req(`{"minimum_age":18,"minimum_age":21}`), 400, "bad_request"},
		{"wrong type", req(`{"minimum_age":"Quetzal"}`), 400, "bad_request"},
		{"half a year", req(`{"minimum_age":18.5}`), 400, "bad_request"},
		{"negative age", req(`{"minimum_age":-1}`), 400, "bad_request"},
		{"no time", req(`{"deadline_ms":0}`), 400, "bad_request"},
		{"a day", req(`{"deadline_ms":86400000}`), 400, "bad_request"},
		{"a number beyond all", req(`{"deadline_ms":1e999}`), 400, "bad_request"},
		{"31 February", req(`{"declared":{"birth_date":"1974-02-31"}}`), 400, "bad_request"},
		{"a date of another form", req(`{"declared":{"birth_date":"12.8.1974"}}`), 400, "bad_request"},
		{"a time of another form", req(`{"consent":{"at":"yesterday"}}`), 400, "bad_request"},
		{"a long text", req(`{"reference":"` + strings.Repeat("Quetzal", 100) + `"}`), 400, "bad_request"},
		{"not UTF-8", req("{\"reference\":\"\xff\"}"), 400, "bad_request"},
		{"wants what is not sent", req(`{"wants":["document","selfie"]}`), 400, "bad_request"},
		{"wants the unknown", req(`{"wants":["Quetzal"]}`), 400, "bad_request"},
		{"wants twice", req(`{"wants":["document","document"]}`), 400, "bad_request"},
		{"10,000 lists", req(strings.Repeat("[", 10000) + strings.Repeat("]", 10000)), 400, "bad_request"},
		{"10,000 objects", req(strings.Repeat(`{"declared":`, 5000) + "1" + strings.Repeat("}", 5000)), 400, "bad_request"},
		{"10,000 in a field", req(`{"reference":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + "}"), 400, "bad_request"},
		{"10,000 unclosed", req(strings.Repeat(`{"a":[`, 5000)), 400, "bad_request"},
		{"a request of 70 KB", req(`{"reference":"` + strings.Repeat("x", 70000) + `"}`), 413, "too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.post(c.parts)
			if a.status != c.status || a.Code != c.code {
				t.Errorf("%d %s, want %d %s", a.status, a.verbatim, c.status, c.code)
			}
			if strings.HasPrefix(c.name, "10,000") != strings.Contains(a.Detail, "nested deeper") {
				t.Errorf("refused for another reason: %s", a.Detail) // before anything recursive sees it
			}
			if a.header.Get("Content-Type") != "application/problem+json" || a.Detail == "" || has(a.verbatim, "Quetzal", "whatever.svg", "passwd") {
				t.Errorf("%s %s", a.header.Get("Content-Type"), a.verbatim)
			}
		})
	}
	if left := d.left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if n := len(d.facts()) + len(d.medias()); n > 0 {
		t.Errorf("%d events", n)
	}
}

func TestHeadersRefused(t *testing.T) {
	d := newDoor(t, t.TempDir())
	body, kind := multipartOf(part{"document", jpg(t)})
	for _, c := range []struct {
		name, kind, key, code string
	}{
		{"JSON", "application/json", "", "unsupported_media"},
		{"no type", "", "", "unsupported_media"},
		{"no boundary", "multipart/form-data", "", "bad_request"},
		{"another boundary", "multipart/form-data; boundary=other", "", "bad_request"},
		{"a key of two words", kind, "a b", "bad_request"},
		{"a long key", kind, strings.Repeat("k", 300), "bad_request"},
	} {
		r := d.request(bytes.NewReader(body), c.kind)
		if c.key != "" {
			r.Header.Set("Idempotency-Key", c.key)
		}
		if a := d.send(r); a.Code != c.code || a.status >= 500 {
			t.Errorf("%s: %d %s", c.name, a.status, a.verbatim)
		}
	}
}

// raw sends bytes as they are and reads the answer.
func (d *door) raw(t *testing.T, send func(net.Conn)) (status int, body string, resp *http.Response) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	send(c)
	resp, err = http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp
}

func head(kind string, more string) string {
	return "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nTest-Client: demo\r\nContent-Type: " + kind + "\r\n" + more + "\r\n\r\n"
}

func TestTooLargeIsRefusedUnread(t *testing.T) {
	d := newDoor(t, t.TempDir())
	began := time.Now()
	for _, more := range []string{"", "\r\nExpect: 100-continue"} {
		status, body, resp := d.raw(t, func(c net.Conn) {
			fmt.Fprint(c, head("multipart/form-data; boundary=b", "Content-Length: 200000001"+more)) // and not one byte of it
		})
		if status != 413 || !strings.Contains(body, `"too_large"`) || !resp.Close {
			t.Errorf("%d %s, closed %v", status, body, resp.Close)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the answers took %v", took)
	}
}

// A client that sends all of its large body before it looks for an answer still gets one.
func TestTooLargeIsHeard(t *testing.T) {
	d := newDoor(t, t.TempDir(), func(c *Config) { c.MaxBody = 1 << 20 })
	status, body, _ := d.raw(t, func(c net.Conn) {
		fmt.Fprint(c, head("multipart/form-data; boundary=b", "Content-Length: 20000000"))
		if _, err := c.Write(make([]byte, 20_000_000)); err != nil {
			t.Errorf("sending: %v", err)
		}
	})
	if status != 413 || !strings.Contains(body, `"too_large"`) {
		t.Errorf("%d %s", status, body)
	}
}

// So does one whose first bytes are wrong already.
func TestWrongMagicIsHeard(t *testing.T) {
	d := newDoor(t, t.TempDir())
	if a := d.post([]part{{"document", make([]byte, 20_000_000)}}); a.status != 415 {
		t.Errorf("%d %s", a.status, a.verbatim)
	}
}

func TestChunkedStopsAtTheLimit(t *testing.T) {
	d := newDoor(t, t.TempDir(), func(c *Config) { c.MaxBody = 100_000 })
	body, kind := multipartOf(part{"document", jpg(t)}, part{"selfie", append(mp4(), make([]byte, 200_000)...)})
	a := d.send(d.request(struct{ io.Reader }{bytes.NewReader(body)}, kind))
	if a.status != 413 || a.Code != "too_large" {
		t.Errorf("%d %s", a.status, a.verbatim)
	}
	if left := d.left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestWrongLength(t *testing.T) {
	d := newDoor(t, t.TempDir())
	body, kind := multipartOf(part{"document", jpg(t)})
	for name, c := range map[string]struct {
		promised int
		sent     []byte
	}{
		"longer than sent, whole form":          {len(body) + 100, body},
		"longer than sent, form cut":            {len(body), body[:len(body)/2]},
		"shorter than sent":                     {len(body) - 10, body},
		"shorter than sent, within the picture": {len(body) / 2, body},
	} {
		status, answer, _ := d.raw(t, func(conn net.Conn) {
			fmt.Fprint(conn, head(kind, fmt.Sprintf("Content-Length: %d", c.promised)))
			_, _ = conn.Write(c.sent)
			_ = conn.(*net.TCPConn).CloseWrite()
		})
		if status != 400 || !strings.Contains(answer, `"bad_request"`) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if left := d.left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestStalled(t *testing.T) {
	d := newDoor(t, t.TempDir(), func(c *Config) { c.Idle = 200 * time.Millisecond })
	body, kind := multipartOf(part{"document", jpg(t)})
	status, answer, _ := d.raw(t, func(conn net.Conn) {
		fmt.Fprint(conn, head(kind, fmt.Sprintf("Content-Length: %d", len(body))))
		_, _ = conn.Write(body[:len(body)/2])
	})
	if status != 400 || !strings.Contains(answer, "stopped coming") {
		t.Errorf("%d %s", status, answer)
	}
}

// What only decoding shows is accepted here; its checks end not_performed(damaged_media) elsewhere.
func TestDamageBehindTheHeaderIsAccepted(t *testing.T) {
	d := newDoor(t, t.TempDir())
	whole := jpg(t)
	for name, c := range map[string]part{
		"truncated JPEG":       {"document", whole[:len(whole)-len(whole)/4]},
		"truncated PNG":        {"document", pngOf(t)[:len(pngOf(t))-20]},
		"video without frames": {"selfie", mp4()},
	} {
		if a := d.post([]part{c}); a.status != 202 {
			t.Errorf("%s: %d %s", name, a.status, a.verbatim)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(fullRequest))
	f.Add([]byte(`{"wants":["selfie"],"declared":null}`))
	f.Add([]byte(strings.Repeat("[", 10000)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, canonical, err := parseRequest(raw)
		if err != nil {
			return
		}
		again, twice, err := parseRequest(canonical)
		if err != nil || !bytes.Equal(canonical, twice) || fmt.Sprint(q.Declared) != fmt.Sprint(again.Declared) {
			t.Errorf("%q becomes %q (%v)", canonical, twice, err)
		}
	})
}
