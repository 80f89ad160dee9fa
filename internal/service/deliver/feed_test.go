package deliver

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// three writes three verifications, interleaved: 13 frames in all.
func (h *house) three() {
	for _, id := range []string{"v_a", "v_b", "v_c"} {
		h.accept("demo", id)
	}
	for i := range 2 {
		for _, id := range []string{"v_a", "v_b", "v_c"} {
			h.finding(id, fmt.Sprint("doc.mrz.check", i))
		}
	}
	h.ended("v_a")
	h.ended("v_b")
}

func TestFeedFromTheBeginning(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	r := h.stream("/v1/feed/stream")
	hello := r.next()
	if hello.T != "hello" || hello.Session == "" || hello.Epoch == 0 || len(hello.Lanes) != 1 || hello.Lanes[0].Next != 0 || !hello.Resume.Exact || hello.Granted.HeartbeatS != 10 {
		t.Errorf("hello %s", hello.raw)
	}
	if age := hello.Granted.MaxAgeS; age < 3240 || age > 3960 {
		t.Errorf("max_age_s %d", age)
	}
	for name, want := range map[string]string{"Content-Type": ndjson, "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"} {
		if got := r.resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	last := map[string]line{}
	for i, l := range r.msgs(13) {
		before, ok := last[l.Verification]
		if !ok {
			before.Hash = frame.Genesis
		}
		if l.O != int64(i) || l.Seq != before.Seq+1 || l.Prev != before.Hash || l.C == "" {
			t.Errorf("frame %d: %s", i, l.raw)
		}
		last[l.Verification] = l
	}
	h.finding("v_c", "doc.mrz.check2") // live
	if l := r.next(); l.O != 13 || l.Verification != "v_c" {
		t.Errorf("live: %s", l.raw)
	}
}

// What a client computes from the line alone is the hash that stands in it.
func TestChainHoldsOnTheWire(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	var lines [][]byte
	for _, l := range h.stream("/v1/feed/stream").msgs(13) {
		if l.Verification == "v_a" {
			lines = append(lines, []byte(l.raw))
		}
	}
	var c frame.Checker
	for _, l := range lines {
		if err := c.Add(l); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
}

// A stream that goes on behind any cursor, be it of a message or of a heartbeat, is exactly the rest.
func TestResumeEverywhere(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	r := h.stream("/v1/feed/stream?from=earliest&heartbeat_s=1")
	given := r.next().Resume.Given
	all := r.msgs(13)
	beat := r.until("hb")
	r.close()
	check := func(where, cursor string, want []line) {
		t.Helper()
		r := h.stream("/v1/feed/stream?after=" + cursor)
		defer r.close()
		if hello := r.next(); !hello.Resume.Exact || hello.Resume.Asked != cursor || hello.Resume.Given != cursor {
			t.Errorf("%s: %s", where, hello.raw)
		}
		h.finding("v_c", "x")
		got := r.msgs(len(want) + 1)
		if ids(got[:len(want)]) != ids(want) {
			t.Errorf("behind %s: %s, want %s", where, ids(got), ids(want))
		}
		all = append(all, got[len(want)])
	}
	check("the beginning", given, all)
	for i := range 13 {
		check(fmt.Sprint("message ", i), all[i].C, all[i+1:])
	}
	check("a heartbeat", beat[len(beat)-1].C, all[13:])
}

// A client that breaks off wherever it likes and comes back with what it kept sees every frame once and in order, whatever is written meanwhile.
func TestResumeModel(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	h.accept("demo", "v_b")
	written, seen, at := []string{"v_a-1", "v_b-1"}, 0, ""
	rapid.Check(t, func(rt *rapid.T) {
		write := func() {
			for range rapid.IntRange(0, 3).Draw(rt, "writes") {
				id := rapid.SampledFrom([]string{"v_a", "v_b"}).Draw(rt, "verification")
				h.finding(id, "x")
				written = append(written, fmt.Sprintf("%s-%d", id, h.chains[id].seq))
			}
		}
		write()
		query := "?after=" + at
		if at == "" || rapid.Bool().Draw(rt, "by offset") {
			query = fmt.Sprint("?from=", seen)
		}
		r := h.stream("/v1/feed/stream" + query)
		defer r.close()
		at = r.next().Resume.Given
		write()
		for range rapid.IntRange(0, len(written)-seen).Draw(rt, "reads") {
			l := r.next()
			if l.O != int64(seen) || l.ID != written[seen] {
				rt.Fatalf("frame %d is %s, want %s", seen, l.raw, written[seen])
			}
			seen, at = seen+1, l.C
		}
	})
}

func TestFrom(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	h.finding("v_c", "later")
	for from, first := range map[string]int64{"": 0, "?from=earliest": 0, "?from=5": 5, "?from=0:5": 5, "?from=13": 13, "?from=time:2001-01-01T00:00:00Z": 0} {
		r := h.stream("/v1/feed/stream" + from)
		if l := r.msgs(1)[0]; l.O != first {
			t.Errorf("%q begins at %d, want %d", from, l.O, first)
		}
		r.close()
	}
	for i, from := range []string{"14", "latest", "time:2999-01-01T00:00:00Z"} {
		r := h.stream("/v1/feed/stream?from=" + from)
		hello := r.next()
		h.finding("v_c", "live")
		if l := r.next(); l.O != hello.Lanes[0].Next || l.O != int64(14+i) {
			t.Errorf("%s: hello %s, then %s", from, hello.raw, l.raw)
		}
		r.close()
	}
}

// From a time on means the first frame that was appended at it or later, by the log's own clock.
func TestFromTime(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	bounds, err := h.Log.Bounds(t.Context(), feedLane())
	if err != nil {
		t.Fatal(err)
	}
	var at []time.Time
	for r, err := range h.Log.Read(t.Context(), feedLane(), bounds[0].First, bounds[0].End) {
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, r.At)
	}
	for _, x := range at {
		for _, from := range []time.Time{x.Add(-1), x} {
			want := slices.IndexFunc(at, func(t time.Time) bool { return !t.Before(from) })
			r := h.stream("/v1/feed/stream?from=time:" + from.UTC().Format(time.RFC3339Nano))
			if l := r.msgs(1)[0]; l.O != int64(want) {
				t.Errorf("from %v: %d, want %d", from, l.O, want)
			}
			r.close()
		}
	}
}

func TestPost(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	for body, first := range map[string]int64{"": 0, `{"from":"5","heartbeat_s":3}`: 5, `{"from":7}`: 7} {
		r := h.reading(h.do("POST", "/v1/feed/stream", strings.NewReader(body), "Content-Type", "application/json"))
		hello := r.next()
		if l := r.next(); l.O != first || first == 5 && hello.Granted.HeartbeatS != 3 {
			t.Errorf("%s: %s, then %s", body, hello.raw, l.raw)
		}
		r.close()
	}
	for _, body := range []string{"[", "[]", `{"from":{}}`, `{"subscription":"x"}`, `{"heartbeat_s":true}`, strings.Repeat("[", 2000)} {
		if p := h.refused(h.do("POST", "/v1/feed/stream", strings.NewReader(body), "Content-Type", "application/json")); p.Code != "bad_parameter" {
			t.Errorf("%.30s: %+v", body, p)
		}
	}
	if p := h.refused(h.do("POST", "/v1/feed/stream?from=1", strings.NewReader(`{"from":2}`), "Content-Type", "application/json")); p.Code != "bad_parameter" {
		t.Errorf("twice: %+v", p)
	}
	if p := h.refused(h.do("POST", "/v1/feed/stream", strings.NewReader("from=1"), "Content-Type", "application/x-www-form-urlencoded")); p.Code != "unsupported_media" {
		t.Errorf("a form: %+v", p)
	}
}

func TestFeedRefused(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	codec := cursor.New(h.Keys.MAC("cursor"))
	at := func(epoch uint64, lane int32, next int64) string {
		return codec.Format(topic.Feed("demo"), cursor.Position{Epoch: epoch, Lanes: []cursor.At{{Lane: lane, Next: next}}})
	}
	bounds, err := h.Log.Bounds(t.Context(), feedLane())
	if err != nil {
		t.Fatal(err)
	}
	epoch := bounds[0].End.Epoch
	good := at(epoch, 0, 3)
	tampered := good[:10] + "A" + good[11:]
	if tampered == good {
		tampered = good[:10] + "B" + good[11:]
	}
	foreign := codec.Format(topic.Feed("other"), cursor.Position{Epoch: epoch, Lanes: []cursor.At{{Next: 3}}})
	for query, want := range map[string]string{
		"from=yesterday": "400 bad_parameter", "from=-1": "400 bad_parameter", "from=14": "400 bad_parameter", "from=1:0": "400 bad_parameter", "from=0:1,0:2": "400 bad_parameter",
		"from=time:now": "400 bad_parameter", "from=1&from=2": "400 bad_parameter", "from=1&after=" + good: "400 bad_parameter", "heartbeat_s=0": "400 bad_parameter",
		"heartbeat_s=31": "400 bad_parameter", "max_age_s=x": "400 bad_parameter", "on_gap=no": "400 bad_parameter", "lanes=3": "400 bad_parameter", "%zz": "400 bad_parameter",
		"after=nonsense": "400 bad_parameter", "after=" + tampered: "400 bad_parameter", "after=" + foreign: "412 epoch_changed",
		"after=" + at(epoch+1, 0, 3): "412 epoch_changed", "after=" + at(epoch, 1, 3): "412 epoch_changed", "after=" + at(epoch, 0, 14): "412 epoch_changed",
	} {
		if p := h.refused(h.get("/v1/feed/stream?" + query)); fmt.Sprint(p.Status, " ", p.Code) != want || p.Retryable {
			t.Errorf("%s: %+v, want %s", query, p, want)
		}
	}
	if p := h.refused(h.get("/v1/feed/stream", "Accept", "text/event-stream")); p.Code != "no_such_encoding" || p.Status != 406 {
		t.Errorf("SSE: %+v", p)
	}
}

func TestHeartbeats(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	r := h.stream("/v1/feed/stream?heartbeat_s=1")
	r.msgs(13)
	began := time.Now()
	for i := range 2 {
		l := r.next()
		now, err := time.Parse(time.RFC3339, l.Now)
		if l.T != "hb" || l.Lag == nil || l.Lag.Msgs != 0 || err != nil || time.Since(now) > time.Minute {
			t.Errorf("heartbeat %d: %s (%v)", i, l.raw, err)
		}
	}
	if took := time.Since(began); took < 1500*time.Millisecond || took > 4*time.Second {
		t.Errorf("two heartbeats took %v", took)
	}
}

func TestLag(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	bounds, err := h.service.feeds.bounds(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	for next, want := range map[int64]int64{0: 13, 3: 10, 12: 1, 13: 0} {
		x := &session{Service: h.service, who: access.Principal{Client: "demo"}, at: cursor.Position{Epoch: bounds[0].End.Epoch, Lanes: []cursor.At{{Next: next}}}}
		x.Clock = func() time.Time { return time.Now().Add(time.Minute) }
		got, err := x.lag(t.Context())
		if err != nil || got.Msgs != want || (want > 0) != (got.AgeMS >= 60_000) || got.AgeMS > 120_000 {
			t.Errorf("at %d: %+v (%v), want %d", next, got, err, want)
		}
	}
}

func TestEnds(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	r := h.stream("/v1/feed/stream?max_age_s=1")
	all := r.until("end")
	e := all[len(all)-1]
	if e.Code != "max_age" || !e.Reconnect || e.C != all[len(all)-2].C || r.s.Scan() {
		t.Errorf("%s behind %s", e.raw, all[len(all)-2].raw)
	}
	r = h.stream("/v1/feed/stream?heartbeat_s=1")
	r.next()
	h.revoked.Store(true)
	all = r.until("end")
	if e := all[len(all)-1]; e.Code != "auth_revoked" || e.Reconnect {
		t.Errorf("%s", e.raw)
	}
}

func TestDrain(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	r := h.stream("/v1/feed/stream")
	all := r.msgs(13)
	drained := make(chan error, 1)
	go func() { drained <- h.service.Drain(t.Context(), 50*time.Millisecond) }()
	if e := r.next(); e.T != "end" || e.Code != "drain" || !e.Reconnect || e.C != all[12].C {
		t.Errorf("%s", e.raw)
	}
	if r.s.Scan() {
		t.Error("something follows the end")
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if p := h.refused(h.get("/v1/feed/stream")); p.Status != 503 || p.Code != "draining" || !p.Retryable {
		t.Errorf("%+v", p)
	}
}

func TestTooManySessions(t *testing.T) {
	h := newHouse(t, t.TempDir(), func(c *Config) { c.Sessions = 2 })
	h.three()
	one, two := h.stream("/v1/feed/stream"), h.stream("/v1/verifications/v_c/events")
	a, b := one.next().Session, two.next().Session
	resp := h.get("/v1/feed/stream")
	p := h.refused(resp)
	if p.Status != 429 || p.Code != "too_many_sessions" || len(p.Sessions) != 2 || !strings.Contains(a+b, p.Sessions[0]) || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	h.stream("/v1/feed/stream", "Test-Client", "other").next()
	one.close()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if resp := h.get("/v1/feed/stream"); resp.StatusCode == 200 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the place of a closed stream is never free again")
		}
	}
}

// A client that reads nothing is cut, and holds up neither the others nor the service.
func TestStalledReader(t *testing.T) {
	h := newHouse(t, t.TempDir(), func(c *Config) { c.Stalled = time.Second })
	h.accept("demo", "v_a")
	for range 200 {
		h.say("v_a", frame.Event{Type: "finding", Finding: &frame.Finding{Check: strings.Repeat("x", 50_000), Outcome: "pass"}})
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprint(conn, "GET /v1/feed/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	open := func() int {
		h.service.sessions.mu.Lock()
		defer h.service.sessions.mu.Unlock()
		return len(h.service.sessions.byClient["demo"])
	}
	wait := func(n int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); open() != n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d streams are open, want %d", open(), n)
			}
		}
	}
	wait(1)
	wait(0)
	r := h.stream("/v1/feed/stream")
	for range 202 { // hello and all frames, read faster than they could be parsed
		if !r.s.Scan() {
			t.Fatalf("the next reader is cut, too: %v", r.s.Err())
		}
	}
	if l := parse(t, r.s.Bytes()); l.O != 200 {
		t.Errorf("the next reader gets %d", l.O)
	}
}

// Cursors of any kind of nonsense are answered, never honoured and never a server's error.
func TestNonsenseCursors(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	s := h.service
	bounds, err := s.feeds.bounds(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`c1\.[A-Za-z0-9_-]{0,80}`)).Filter(func(s string) bool { return s != "" }).Draw(rt, "cursor")
		if _, err := s.behind("demo", text, bounds); err == nil {
			rt.Errorf("%q is honoured", text)
		}
	})
}
