package ingest

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// held is an upload that is in hand until it is told to go on.
type held struct {
	rest func()
	done chan answer
}

func (h held) end() answer { h.rest(); return <-h.done }

// hold begins an upload and waits until it has its slot.
func (d *door) hold(header ...string) held {
	d.t.Helper()
	body, kind := multipartOf(part{"document", jpg(d.t)})
	pr, pw := io.Pipe()
	h := held{done: make(chan answer, 1), rest: func() { _, _ = pw.Write(body[50:]); _ = pw.Close() }}
	r := d.request(pr, kind, header...)
	before := d.inHand()
	go func() { h.done <- d.send(r) }()
	if _, err := pw.Write(body[:50]); err != nil {
		d.t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); d.inHand() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatal("the upload never got its slot")
		}
	}
	return h
}

func (d *door) inHand() int {
	d.service.slots.mu.Lock()
	defer d.service.slots.mu.Unlock()
	return d.service.slots.taken
}

// overloaded sends an upload that is to be refused because too many are in hand, and gives what is said of that.
func (d *door) overloaded(header ...string) string {
	d.t.Helper()
	a := d.post([]part{{"document", jpg(d.t)}}, header...)
	if a.status != 503 || a.Code != "overloaded" || a.header.Get("Retry-After") == "" || !strings.Contains(a.verbatim, `"retryable":true`) {
		d.t.Errorf("%d %s", a.status, a.verbatim)
	}
	return a.Detail
}

func TestOverloaded(t *testing.T) {
	d := newDoor(t, t.TempDir(), func(c *Config) { c.Parallel, c.Share = 1, 2 })
	h := d.hold()
	if said := d.overloaded(); strings.Contains(said, "yours") {
		t.Error(said)
	}
	if a := h.end(); a.status != 202 {
		t.Errorf("the first: %d %s", a.status, a.verbatim)
	}
	if a := d.post([]part{{"document", jpg(t)}}); a.status != 202 {
		t.Errorf("the next: %d %s", a.status, a.verbatim)
	}
}

// One client's uploads leave room for those of the others.
func TestShareOfAClient(t *testing.T) {
	d := newDoor(t, t.TempDir(), func(c *Config) { c.Parallel = 8 })
	one, two := d.hold(), d.hold()
	if said := d.overloaded(); !strings.Contains(said, "yours") {
		t.Error(said)
	}
	if a := d.post([]part{{"document", jpg(t)}}, "Test-Client", "other"); a.status != 202 {
		t.Errorf("another client: %d %s", a.status, a.verbatim)
	}
	for _, h := range []held{one, two} {
		if a := h.end(); a.status != 202 {
			t.Errorf("in hand: %d %s", a.status, a.verbatim)
		}
	}
	if a := d.post([]part{{"document", jpg(t)}}); a.status != 202 {
		t.Errorf("when they have gone: %d %s", a.status, a.verbatim)
	}
	if n := len(d.service.slots.by); n != 0 {
		t.Errorf("%d clients are remembered", n)
	}
}

// Whatever comes and goes, no bound is passed and none is refused below both.
func TestSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSlots(rapid.IntRange(1, 8).Draw(t, "all"), rapid.IntRange(1, 4).Draw(t, "share"))
		var free []func()
		var whose []string
		count := func(c string) (n int) {
			for _, w := range whose {
				if w == c {
					n++
				}
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				c := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "client")
				f, busy, own := s.take(c)
				mine := count(c)
				if room := mine < s.share && len(whose) < s.all; room != (f != nil) {
					t.Fatalf("%d of %d, %d of %d: %v", mine, s.share, len(whose), s.all, f != nil)
				}
				switch {
				case f != nil:
					free, whose = append(free, f), append(whose, c)
				case own && (mine < s.share || busy != mine), !own && busy != len(whose):
					t.Fatalf("refused with %d, own %v", busy, own)
				}
			},
			"free": func(t *rapid.T) {
				if len(free) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(free)-1).Draw(t, "which")
				free[i]()
				free, whose = append(free[:i:i], free[i+1:]...), append(whose[:i:i], whose[i+1:]...)
			},
		})
	})
}

// From the moment of a stop no upload is begun, and those in hand come to their end.
func TestStop(t *testing.T) {
	d := newDoor(t, t.TempDir())
	h := d.hold()
	d.service.Stop()
	a := d.post([]part{{"document", jpg(t)}})
	if a.status != 503 || a.Code != "draining" || a.header.Get("Retry-After") == "" || !strings.Contains(a.verbatim, `"retryable":true`) {
		t.Errorf("%d %s", a.status, a.verbatim)
	}
	if a := h.end(); a.status != 202 {
		t.Errorf("in hand: %d %s", a.status, a.verbatim)
	}
	if n := len(d.medias()); n != 1 {
		t.Errorf("%d media", n)
	}
}

// line is a listener with one connection.
type line struct {
	one  chan net.Conn
	once sync.Once
}

func (l *line) Accept() (net.Conn, error) {
	if c, ok := <-l.one; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l *line) Close() error   { l.once.Do(func() { close(l.one) }); return nil }
func (l *line) Addr() net.Addr { return &net.UnixAddr{} }

// One that brings a byte now and then is not idle, and still comes to an end; one that brings none is idle.
func TestPaced(t *testing.T) {
	for name, c := range map[string]struct{ every, end time.Duration }{
		"a byte now and then": {20 * time.Second, 10 * time.Minute},
		"no byte for long":    {40 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { dribble(t, c.every, c.end) })
		})
	}
}

// dribble sends a body, byte by byte, to a server that reads it paced, and says when it is to be cut.
func dribble(t *testing.T, every, end time.Duration) {
	var read error
	var took time.Duration
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		p := &paced{from: r.Body, control: http.NewResponseController(w), idle: 30 * time.Second, end: began.Add(10 * time.Minute)}
		read = pass(io.Discard, p)
		took = time.Since(began)
	})}
	near, far := net.Pipe()
	l := &line{one: make(chan net.Conn, 1)}
	l.one <- far
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	go func() { _, _ = io.Copy(io.Discard, near) }()
	_, err := near.Write([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"))
	for err == nil {
		time.Sleep(every)
		_, err = near.Write([]byte{1})
	}
	_ = srv.Close()
	<-served
	if p, _ := (&Service{}).classify(read); took != end || p == nil || !strings.Contains(p.Detail, "stopped coming") {
		t.Errorf("cut after %v, want %v: %v", took, end, read)
	}
}
