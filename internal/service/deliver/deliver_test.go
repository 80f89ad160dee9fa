package deliver

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	feedv1 "github.com/bonafide-id/bonafide/gen/bonafide/feed/v1"
	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/httpapi/openapitest"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/testbed"
	"github.com/bonafide-id/bonafide/internal/topic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a running service, and a hand that writes feeds as the ledger does.
type house struct {
	*testbed.Bed
	t       testing.TB
	srv     *httptest.Server
	service *Service
	revoked atomic.Bool
	chains  map[string]*chain
	stop    func()
}

type chain struct {
	client string
	seq    uint64
	hash   string
}

func newHouse(t testing.TB, dir string, change ...func(*Config)) *house {
	t.Helper()
	h := &house{Bed: testbed.New(t, dir), t: t, chains: map[string]*chain{}}
	finder, err := opened.New(t.Context(), opened.Config{Log: h.Log, Store: h.Index, Decoder: h.Runtime})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Log: h.Log, Index: h.Index, Decoder: h.Runtime, Opened: finder, Cursors: cursor.New(h.Keys.MAC("cursor")), Clients: func() []string { return []string{"demo"} },
		Valid: func(access.Principal) bool { return !h.revoked.Load() }, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	if h.service, err = New(c); err != nil {
		t.Fatal(err)
	}
	routes := http.NewServeMux()
	for _, r := range h.service.Routes() {
		routes.HandleFunc(r.Method+" "+r.Path, r.Handler)
	}
	h.srv = httptest.NewServer(openapitest.Watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := r.Header.Get("Test-Client")
		if client == "" {
			client = "demo"
		}
		routes.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Principal{Client: client})))
	})))
	h.srv.Client().Timeout = time.Minute // of a stream, too: one that brings nothing fails its test, and does not hang it
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- h.service.Run(ctx) }()
	go func() { done <- finder.Run(ctx) }()
	stopped := false
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		h.srv.CloseClientConnections()
		h.srv.Close()
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		}
		h.Close()
	}
	t.Cleanup(h.stop)
	return h
}

// accept opens a verification, as ingest does.
func (h *house) accept(client, id string) {
	h.t.Helper()
	if _, err := h.Keys.Create(h.t.Context(), client, id); err != nil {
		h.t.Fatal(err)
	}
	fact := &factv1.Opened{Reference: "r", Media: []*factv1.MediaNote{{Medium: check.Document, Sha256: "ab", Bytes: 7}}}
	err := h.Runtime.Publish(h.t.Context(), stream.Ancestry{Source: "ingest", Version: 1, Client: client, Verification: id},
		stream.Output{Kind: envelopev1.Kind_KIND_OPENED, Opening: &stream.Opening{Wants: []check.Medium{check.Document}}, Payload: &factv1.Fact{What: &factv1.Fact_Opened{Opened: fact}}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.chains[id] = &chain{client: client, hash: frame.Genesis}
	h.say(id, frame.Event{Type: "opened", Opened: &frame.Opened{Wants: []string{"document"}}})
}

// say writes the next frame of a verification, as the ledger does.
func (h *house) say(id string, e frame.Event) {
	h.t.Helper()
	c := h.chains[id]
	c.seq++
	e.ID, e.Verification, e.Seq, e.Time = fmt.Sprintf("%s-%d", id, c.seq), id, c.seq, stamp(time.Now())
	body, err := e.Body()
	if err != nil {
		h.t.Fatal(err)
	}
	key, err := h.Keys.Key(h.t.Context(), c.client, id)
	if err != nil {
		h.t.Fatal(err)
	}
	salt := key.Salt(e.ID)
	o := stream.Output{ID: e.ID, Topic: topic.Feed(c.client), Kind: envelopev1.Kind_KIND_FRAME, Payload: &feedv1.Frame{Body: body, Salt: salt},
		Chain: &envelopev1.Chain{Seq: c.seq, PrevHash: c.hash, Hash: frame.Hash(c.hash, hex.EncodeToString(salt), body)}}
	if e.Ended != nil {
		o.Reason = e.Ended.Reason
	}
	c.hash = o.Chain.Hash
	if err := h.Runtime.Publish(h.t.Context(), stream.Ancestry{Source: "ledger", Version: 1, Client: c.client, Verification: id}, o); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) finding(id, name string) {
	h.t.Helper()
	h.say(id, frame.Event{Type: "finding", Finding: &frame.Finding{Check: name, Outcome: "pass"}})
}

func (h *house) ended(id string) {
	h.t.Helper()
	h.say(id, frame.Event{Type: "summary", Summary: &frame.Summary{Groups: map[string]string{"doc.mrz": "clear"}, Complete: true}})
	h.say(id, frame.Event{Type: "ended", Ended: &frame.Ended{Reason: "complete"}})
}

// line is a frame of any kind as a client reads it.
type line struct {
	T, C, Code, Why, Type, Verification, ID, Session, Hash, Salt, Now string
	Prev                                                              string `json:"prev_hash"`
	L                                                                 int32
	O, From, To, Count                                                int64
	Seq                                                               uint64
	Epoch                                                             uint64
	Reconnect                                                         bool
	After                                                             int64 `json:"after_ms"`
	Lanes                                                             []struct{ L, Gen, Next int64 }
	Resume                                                            struct {
		Asked, Given string
		Exact        bool
	}
	Granted struct {
		HeartbeatS int `json:"heartbeat_s"`
		MaxAgeS    int `json:"max_age_s"`
	}
	Lag *struct {
		Msgs int64
		Age  int64 `json:"age_ms"`
	}
	Summary *frame.Summary
	raw     string
}

// reading is an open stream.
type reading struct {
	t    testing.TB
	resp *http.Response
	s    *bufio.Scanner
}

func (h *house) get(path string, header ...string) *http.Response {
	h.t.Helper()
	return h.do(http.MethodGet, path, nil, header...)
}

func (h *house) do(method, path string, body io.Reader, header ...string) *http.Response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.srv.URL+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := h.srv.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (h *house) stream(path string, header ...string) *reading {
	h.t.Helper()
	return h.reading(h.get(path, append(header, "Accept", ndjson)...))
}

func (h *house) reading(resp *http.Response) *reading {
	h.t.Helper()
	if resp.StatusCode != 200 {
		b, _ := io.ReadAll(resp.Body)
		h.t.Fatalf("%d %s", resp.StatusCode, b)
	}
	s := bufio.NewScanner(resp.Body)
	s.Buffer(nil, 2<<20)
	return &reading{h.t, resp, s}
}

func (r *reading) close() { r.resp.Body.Close() }

// next is the next line; it fails the test where there is none.
func (r *reading) next() line {
	r.t.Helper()
	if !r.s.Scan() {
		r.t.Fatalf("the stream broke: %v", r.s.Err())
	}
	return parse(r.t, r.s.Bytes())
}

func parse(t testing.TB, b []byte) line {
	t.Helper()
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	l.raw = string(b)
	return l
}

// until reads until a line of one of the kinds, and gives all lines with it.
func (r *reading) until(kinds ...string) []line {
	r.t.Helper()
	var out []line
	for {
		l := r.next()
		out = append(out, l)
		for _, k := range kinds {
			if l.T == k || l.T == "msg" && l.Type == k {
				return out
			}
		}
	}
}

// msgs reads so many msg frames, passing over the rest.
func (r *reading) msgs(n int) []line {
	r.t.Helper()
	var out []line
	for len(out) < n {
		if l := r.next(); l.T == "msg" {
			out = append(out, l)
		}
	}
	return out
}

func ids(ls []line) string {
	var out []string
	for _, l := range ls {
		if l.T == "msg" {
			out = append(out, l.ID)
		}
	}
	return strings.Join(out, " ")
}

type refusal struct {
	Status    int
	Code      string
	Detail    string
	Retryable bool
	Earliest  string
	Lost      []struct{ L, Count int64 }
	Sessions  []string
}

func (h *house) refused(resp *http.Response) refusal {
	h.t.Helper()
	var p refusal
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		h.t.Fatal(err)
	}
	if p.Status != resp.StatusCode || resp.Header.Get("Content-Type") != "application/problem+json" {
		h.t.Errorf("%d %s: %+v", resp.StatusCode, resp.Header.Get("Content-Type"), p)
	}
	return p
}

func feedLane() log.Lane { return log.Lane{Topic: topic.Feed("demo")} }
