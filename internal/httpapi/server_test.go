package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi/openapitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guest lets in whoever says "Bearer right".
type guest struct{}

func (guest) Authenticate(r *http.Request) (access.Principal, error) {
	if r.Header.Get("Authorization") != "Bearer right" {
		return access.Principal{}, access.ErrRefused
	}
	return access.Principal{Client: "demo"}, nil
}

// house is a server with routes of a test's own.
type house struct {
	*Server
	t   *testing.T
	url string
	log *safeBuffer
	web *http.Client
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newHouse(t *testing.T, change func(*Config), routes ...Route) *house {
	t.Helper()
	h := &house{t: t, log: &safeBuffer{}}
	c := Config{Routes: routes, Keys: guest{}, Durability: "fsync", Registry: prometheus.NewRegistry(), Log: slog.New(slog.NewTextHandler(h.log, nil))}
	if change != nil {
		change(&c)
	}
	var err error
	if h.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = h.HTTP()
	srv.Start()
	t.Cleanup(srv.Close)
	h.url, h.web = srv.URL, srv.Client()
	return h
}

// said is an answer, a problem or not.
type said struct {
	status int
	header http.Header
	body   string
	Code   string
	Detail string
	Ready  []string `json:"not_ready"`
}

func (h *house) do(method, path string, body io.Reader, header ...string) said {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := h.web.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	s := said{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if resp.StatusCode >= 400 && method != http.MethodHead {
		if kind := resp.Header.Get("Content-Type"); kind != "application/problem+json" || json.Unmarshal(b, &s) != nil {
			h.t.Errorf("%s %s: %d %s %s", method, path, s.status, kind, b)
		}
	}
	return s
}

func hello(w http.ResponseWriter, r *http.Request) {
	JSON(w, http.StatusOK, map[string]string{"client": access.Of(r.Context()).Client})
}

func TestRoutesAndRefusals(t *testing.T) {
	h := newHouse(t, nil, Route{Method: "GET", Path: "/v1/things/{id}", Handler: hello}, Route{Method: "POST", Path: "/v1/things/{id}", Handler: hello})
	for _, c := range []struct{ method, path, key, want string }{
		{"GET", "/v1/things/1", "Bearer right", "200 "}, {"POST", "/v1/things/1", "Bearer right", "200 "},
		{"GET", "/v1/things/1", "", "401 unauthenticated"}, {"POST", "/v1/things/1", "Bearer wrong", "401 unauthenticated"},
		{"GET", "/v1/durability", "", "401 unauthenticated"}, {"GET", "/v1/durability", "Bearer right", "200 "},
		{"DELETE", "/v1/things/1", "Bearer right", "405 method_not_allowed"}, {"HEAD", "/v1/things/1", "Bearer right", "405 "},
		{"OPTIONS", "/v1/things/1", "", "405 method_not_allowed"}, {"BREW", "/v1/things/1", "", "405 method_not_allowed"}, {"POST", "/healthz", "", "405 method_not_allowed"},
		{"GET", "/", "", "404 not_found"}, {"GET", "/v1", "", "404 not_found"}, {"GET", "/v1/things", "Bearer right", "404 not_found"}, {"GET", "/v1/things/", "", "404 not_found"},
		{"GET", "/v1/things/1/2", "", "404 not_found"}, {"GET", "//v1/things/1", "", "404 not_found"}, {"GET", "/v1/../v1/things/1", "", "404 not_found"}, {"GET", "/v1/things%2f..%2f1", "", "404 not_found"},
		{"GET", "/healthz", "", "200 "}, {"HEAD", "/healthz", "", "200 "}, {"GET", "/readyz", "", "200 "}, {"GET", "/openapi.json", "", "200 "}, {"GET", "/metrics", "", "200 "},
	} {
		s := h.do(c.method, c.path, nil, "Authorization", c.key)
		if got := fmt.Sprint(s.status, " ", s.Code); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
		if s.status == 405 && (s.header.Get("Allow") == "" || strings.HasPrefix(c.path, "/v1") && s.header.Get("Allow") != "GET, POST") {
			t.Errorf("%s %s: Allow %q", c.method, c.path, s.header.Get("Allow"))
		}
	}
	if s := h.do("GET", "/v1/things/1", nil, "Authorization", "Bearer right"); s.body != "{\"client\":\"demo\"}\n" {
		t.Errorf("the handler saw %s", s.body)
	}
}

// A panic is an `internal` with an incident that the log has too; what was sent stands in neither.
func TestPanics(t *testing.T) {
	h := newHouse(t, nil,
		Route{Method: "GET", Path: "/early", Public: true, Handler: func(http.ResponseWriter, *http.Request) { panic("of Quetzal, born 1974") }},
		Route{Method: "GET", Path: "/index", Public: true, Handler: func(_ http.ResponseWriter, r *http.Request) { _ = make([]int, 1)[len(r.URL.Path)] }},
		Route{Method: "GET", Path: "/late", Public: true, Handler: func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, strings.Repeat("half of it", 1000))
			_ = http.NewResponseController(w).Flush()
			panic("late")
		}})
	s := h.do("GET", "/early", nil)
	var p struct{ Incident string }
	if err := json.Unmarshal([]byte(s.body), &p); err != nil || s.status != 500 || s.Code != "internal" || p.Incident == "" || !strings.Contains(h.log.String(), p.Incident) {
		t.Errorf("%d %s; the log has %s", s.status, s.body, h.log)
	}
	if strings.Contains(h.log.String()+s.body, "Quetzal") || !strings.Contains(h.log.String(), "server_test.go") {
		t.Errorf("%s; the log has %s", s.body, h.log)
	}
	if s := h.do("GET", "/index", nil); s.Code != "internal" || !strings.Contains(h.log.String(), "index out of range") {
		t.Errorf("%d %s; the log has %s", s.status, s.body, h.log)
	}
	resp, err := h.web.Get(h.url + "/late")
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if err == nil {
		t.Error("an answer that broke off looks whole")
	}
	if s := h.do("GET", "/healthz", nil); s.status != 200 {
		t.Errorf("after the panics: %d", s.status)
	}
	metrics := h.do("GET", "/metrics", nil).body
	for _, want := range []string{"bonafide_http_panics_total 3", `bonafide_http_requests_total{method="GET",route="/early",status="500"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestReadiness(t *testing.T) {
	var mu sync.Mutex
	broken := map[string]error{"log": errors.New("not yet"), "keys": errors.New("not yet")}
	set := func(name string, err error) { mu.Lock(); defer mu.Unlock(); broken[name] = err }
	need := func(name string) Need {
		return Need{name, func(context.Context) error { mu.Lock(); defer mu.Unlock(); return broken[name] }}
	}
	h := newHouse(t, func(c *Config) { c.Needs = []Need{need("log"), need("keys"), need("service text")} })
	expect := func(status int, code string, missing ...string) {
		t.Helper()
		s := h.do("GET", "/readyz", nil)
		if s.status != status || s.Code != code || fmt.Sprint(s.Ready) != fmt.Sprint(missing) || status == 503 && s.header.Get("Retry-After") == "" {
			t.Errorf("%d %s, want %d %s %v", s.status, s.body, status, code, missing)
		}
		if s := h.do("GET", "/healthz", nil); s.status != 200 {
			t.Errorf("the process is not alive: %d", s.status)
		}
	}
	expect(503, "unavailable", "log", "keys")
	set("log", nil)
	expect(503, "unavailable", "keys")
	set("keys", nil)
	expect(200, "")
	set("service text", errors.New("the reason stays in the log"))
	expect(503, "unavailable", "service text")
	if !strings.Contains(h.log.String(), "the reason stays in the log") || strings.Contains(h.do("GET", "/readyz", nil).body, "the reason") {
		t.Errorf("the log has %s", h.log)
	}
	set("service text", nil)
	expect(200, "")
	h.Stop()
	expect(503, "draining")
}

// One who never answers is not ready, and holds up nobody for long.
func TestReadinessDoesNotWait(t *testing.T) {
	free := make(chan struct{})
	defer close(free)
	h := newHouse(t, func(c *Config) {
		c.Needs = []Need{{"log", func(context.Context) error { <-free; return nil }}}
	})
	began := time.Now()
	if s := h.do("GET", "/readyz", nil); s.status != 503 || time.Since(began) > 3*asking {
		t.Errorf("%d after %v", s.status, time.Since(began))
	}
}

func TestDurability(t *testing.T) {
	h := newHouse(t, nil)
	s := h.do("GET", "/v1/durability", nil, "Authorization", "Bearer right")
	if !strings.Contains(s.body, `"durability":"fsync"`) || !strings.Contains(s.body, "flushed") {
		t.Error(s.body)
	}
}

// Labels are patterns: no path, no method and no id that a client makes up.
func TestMetrics(t *testing.T) {
	h := newHouse(t, nil, Route{Method: "GET", Path: "/v1/things/{id}", Handler: hello})
	h.do("GET", "/v1/things/v_secret", nil, "Authorization", "Bearer right")
	h.do("GET", "/v1/things/v_secret", nil)
	h.do("BREW", "/v_secret", nil)
	got := h.do("GET", "/metrics", nil).body
	for _, want := range []string{
		`bonafide_http_requests_total{method="GET",route="/v1/things/{id}",status="200"} 1`, `bonafide_http_requests_total{method="GET",route="/v1/things/{id}",status="401"} 1`,
		`bonafide_http_requests_total{method="other",route="none",status="404"} 1`, `bonafide_http_answer_seconds_count{method="GET",route="/v1/things/{id}"} 2`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "v_secret") || strings.Contains(got, "BREW") {
		t.Errorf("made up by the client:\n%s", got)
	}
}

// A client that promises a body and does not send it, and one that takes no answer, are cut; one that is slow is not.
func TestStandstill(t *testing.T) {
	impatient := func(c *Config) { c.Patience = 300 * time.Millisecond }
	h := newHouse(t, impatient,
		Route{Method: "POST", Path: "/read", Public: true, Handler: func(w http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); hello(w, r) }},
		Route{Method: "POST", Path: "/leave", Public: true, Handler: func(w http.ResponseWriter, r *http.Request) { hello(w, r) }},
		Route{Method: "GET", Path: "/large", Public: true, Handler: func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 64<<20)) }},
		Route{Method: "POST", Path: "/long", Public: true, Handler: func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			select {
			case <-r.Context().Done():
				t.Error("a client that listens is taken for gone")
			case <-time.After(time.Second):
			}
			hello(w, r)
		}})
	for _, request := range []string{"POST /read HTTP/1.1\r\nContent-Length: 100\r\n", "POST /leave HTTP/1.1\r\nContent-Length: 100\r\n", "POST /nowhere HTTP/1.1\r\nContent-Length: 100\r\n", "GET /large HTTP/1.1\r\n"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, request+"Host: x\r\n\r\n")
		time.Sleep(time.Second)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%.20s: the connection stays open", request)
		}
		c.Close()
	}
	if s := h.do("POST", "/long", strings.NewReader("x")); s.status != 200 {
		t.Errorf("a client that listens: %d", s.status)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// A client that is still sending when it is refused hears why.
func TestRefusalIsHeard(t *testing.T) {
	h := newHouse(t, nil, Route{Method: "POST", Path: "/v1/things", Handler: hello})
	for path, want := range map[string]string{"/v1/things": "unauthenticated", "/nowhere": "not_found", "/healthz": "method_not_allowed"} {
		if s := h.do("POST", path, bytes.NewReader(make([]byte, 20<<20))); s.Code != want {
			t.Errorf("%s: %d %s", path, s.status, s.body)
		}
	}
}

// What this package itself answers is what openapi.json says.
func TestOwnAnswersAreDescribed(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.Needs = []Need{{"log", func(context.Context) error { return errors.New("no") }}}
	})
	watched := httptest.NewServer(openapitest.Watch(t, h.Server))
	defer watched.Close()
	h.url = watched.URL
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/durability"} {
		for _, method := range []string{"GET", "DELETE"} {
			h.do(method, path, nil)
			if path == "/v1/durability" {
				h.do(method, path, nil, "Authorization", "Bearer right")
			}
		}
	}
	h.Config.Needs = nil
	h.do("GET", "/readyz", nil)
	h.Stop()
	h.do("GET", "/readyz", nil)
}
