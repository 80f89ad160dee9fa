package deliver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/frame"
	"github.com/bonafide-id/bonafide/internal/log"
)

func (h *house) status(id string, header ...string) (int, status) {
	h.t.Helper()
	resp := h.get("/v1/verifications/"+id, header...)
	var s status
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, s
}

// page reads one page of events.
func (h *house) page(id, query string) []line {
	h.t.Helper()
	resp := h.get("/v1/verifications/" + id + "/events" + query)
	var p struct{ Frames []json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.StatusCode != http.StatusOK || p.Frames == nil {
		h.t.Fatalf("%d, %v, frames %v", resp.StatusCode, err, p.Frames)
	}
	var out []line
	for _, f := range p.Frames {
		out = append(out, parse(h.t, f))
	}
	return out
}

func TestStates(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	code, s := h.status("v_a")
	if code != 200 || s.State != "processing" || s.Seq != 1 || s.Summary.Complete || s.Summary.Open == 0 || s.Summary.Groups["doc.mrz"] != "pending" || fmt.Sprint(s.Media) != "[{document ab 7}]" {
		t.Errorf("accepted: %d %+v", code, s)
	}
	h.say("v_a", frame.Event{Type: "summary", Summary: &frame.Summary{Groups: map[string]string{"doc.mrz": "caution"}, Open: 3}})
	if _, s := h.status("v_a"); s.State != "processing" || s.Seq != 2 || s.Summary.Open != 3 || s.Summary.Groups["doc.mrz"] != "caution" {
		t.Errorf("with a summary: %+v", s)
	}
	h.ended("v_a")
	if _, s := h.status("v_a"); s.State != "ended" || s.Seq != 4 || !s.Summary.Complete || s.Summary.Groups["doc.mrz"] != "clear" {
		t.Errorf("ended: %+v", s)
	}
	h.say("v_a", frame.Event{Type: "finding", Late: true, Finding: &frame.Finding{Check: "x", Outcome: "pass"}})
	if _, s := h.status("v_a"); s.State != "ended" || s.Seq != 5 {
		t.Errorf("with something late: %+v", s)
	}
	h.accept("demo", "v_b")
	h.say("v_b", frame.Event{Type: "ended", Ended: &frame.Ended{Reason: "expired"}})
	if _, s := h.status("v_b"); s.State != "expired" {
		t.Errorf("expired: %+v", s)
	}
	if err := h.Keys.Erase(t.Context(), "demo", "v_a"); err != nil {
		t.Fatal(err)
	}
	if code, s := h.status("v_a"); code != 200 || s.State != "erased" || s.Seq != 5 || len(s.Media) != 0 {
		t.Errorf("erased: %d %+v", code, s)
	}
}

// What was accepted a moment ago is never unknown, be its frames there or not.
func TestAcceptedIsKnownAtOnce(t *testing.T) {
	h := newHouse(t, t.TempDir())
	for i := range 20 {
		id := fmt.Sprint("v_", i)
		h.accept("demo", id)
		if code, _ := h.status(id); code != 200 {
			t.Fatalf("%s: %d", id, code)
		}
	}
}

// Another client's verification is as unknown as one that nobody has, to the byte.
func TestForeign(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	h.ended("v_a")
	for _, rest := range []string{"", "/events", "/events?after=1"} {
		for _, accept := range []string{"application/json", ndjson} {
			foreign := h.refused(h.get("/v1/verifications/v_a"+rest, "Test-Client", "other", "Accept", accept))
			nobodys := h.refused(h.get("/v1/verifications/v_z"+rest, "Test-Client", "other", "Accept", accept))
			if foreign.Status != 404 || foreign.Code != "not_found" || fmt.Sprint(foreign) != fmt.Sprint(nobodys) {
				t.Errorf("%s as %s: %+v, and %+v", rest, accept, foreign, nobodys)
			}
		}
	}
	r := h.stream("/v1/feed/stream?heartbeat_s=1", "Test-Client", "other")
	if all := r.until("hb"); len(all) != 2 {
		t.Errorf("another client's feed has %s", all[1].raw)
	}
}

func TestPages(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	all := h.page("v_a", "")
	if len(all) != 5 || all[4].Type != "ended" {
		t.Fatalf("%d frames", len(all))
	}
	for i, l := range all {
		if l.Seq != uint64(i)+1 || l.Verification != "v_a" || l.C == "" {
			t.Errorf("frame %d: %s", i, l.raw)
		}
	}
	for after, want := range map[string]string{"": ids(all), "?after=": ids(all), "?after=0": ids(all), "?after=2": ids(all[2:]), "?after=5": "", "?after=99": ""} {
		if got := ids(h.page("v_a", after)); got != want {
			t.Errorf("%q: %s, want %s", after, got, want)
		}
	}
	// The same frames as in the feed, with cursors that lead on there.
	var feed []line
	for _, l := range h.stream("/v1/feed/stream").msgs(13) {
		if l.Verification == "v_a" {
			feed = append(feed, l)
		}
	}
	for i := range all {
		if all[i].raw != feed[i].raw {
			t.Errorf("page and feed differ:\n%s\n%s", all[i].raw, feed[i].raw)
		}
	}
	if l := h.stream("/v1/feed/stream?after=" + all[1].C).msgs(1)[0]; l.O != all[1].O+1 {
		t.Errorf("behind the cursor of a page stands %s", l.raw)
	}
	for _, query := range []string{"after=-1", "after=x", "after=c1.x", "follow=perhaps", "from=0", "after=1&after=2", "heartbeat_s=99"} {
		if p := h.refused(h.get("/v1/verifications/v_a/events?" + query)); p.Code != "bad_parameter" {
			t.Errorf("%s: %+v", query, p)
		}
	}
	if p := h.refused(h.get("/v1/verifications/v_a/events", "Accept", "text/html")); p.Code != "no_such_encoding" {
		t.Errorf("as HTML: %+v", p)
	}
}

func TestStreamOfOne(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	h.accept("demo", "v_b")
	h.finding("v_a", "x")
	r := h.stream("/v1/verifications/v_a/events?heartbeat_s=1")
	if hello := r.next(); hello.T != "hello" || hello.Session == "" {
		t.Errorf("%s", hello.raw)
	}
	r.msgs(2)
	hb := r.until("hb")
	if hb[0].C == "" || hb[0].Lag != nil {
		t.Errorf("%s", hb[0].raw)
	}
	h.finding("v_b", "of another")
	h.finding("v_a", "live")
	h.ended("v_a")
	h.say("v_a", frame.Event{Type: "finding", Late: true, Finding: &frame.Finding{Check: "late", Outcome: "pass"}})
	all := r.until("end")
	if e := all[len(all)-1]; e.Code != "complete" || e.Reconnect || r.s.Scan() {
		t.Errorf("%s", e.raw)
	}
	if got := ids(all); got != "v_a-3 v_a-4 v_a-5" {
		t.Errorf("live: %s", got)
	}
	// It has ended before: everything, and the end at once.
	for after, want := range map[string]string{"": "v_a-1 v_a-2 v_a-3 v_a-4 v_a-5", "?after=3": "v_a-4 v_a-5", "?after=5": "v_a-6", "?after=6": ""} {
		all := h.stream("/v1/verifications/v_a/events" + after).until("end")
		if got := ids(all); got != want || all[len(all)-1].Code != "complete" {
			t.Errorf("%q: %s, then %s", after, got, all[len(all)-1].raw)
		}
	}
}

func TestFollow(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	h.ended("v_a")
	r := h.stream("/v1/verifications/v_a/events?follow=true&max_age_s=2")
	r.msgs(3)
	h.say("v_a", frame.Event{Type: "finding", Late: true, Finding: &frame.Finding{Check: "late", Outcome: "pass"}})
	if l := r.next(); l.ID != "v_a-4" {
		t.Errorf("%s", l.raw)
	}
	if all := r.until("end"); all[len(all)-1].Code != "max_age" {
		t.Errorf("%s", all[len(all)-1].raw)
	}
}

func TestOneDrainsAndIsRevoked(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	r := h.stream("/v1/verifications/v_a/events?heartbeat_s=1")
	r.msgs(1)
	h.revoked.Store(true)
	if all := r.until("end"); all[len(all)-1].Code != "auth_revoked" {
		t.Errorf("%s", all[len(all)-1].raw)
	}
	h.revoked.Store(false)
	r = h.stream("/v1/verifications/v_a/events")
	r.msgs(1)
	go func() { _ = h.service.Drain(t.Context(), time.Millisecond) }()
	if all := r.until("end"); all[len(all)-1].Code != "drain" || !all[len(all)-1].Reconnect {
		t.Errorf("%s", all[len(all)-1].raw)
	}
}

// What cannot be read is told of in pages and streams of one verification too, whatever comes before or behind it, and takes its place in the order.
func TestOneWithGaps(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	if _, err := h.Log.Publish(t.Context(), log.Rec{Lane: feedLane(), Key: []byte("v_a"), Val: []byte("\xff\xff\xff")}); err != nil {
		t.Fatal(err)
	}
	h.chains["v_a"].seq++ // it was the second one
	h.ended("v_a")
	shape := func(ls []line) string {
		var out []string
		for _, l := range ls {
			if l.T == "gap" {
				out = append(out, fmt.Sprint(l.Why, l.Count))
			} else if l.T == "msg" {
				out = append(out, l.ID)
			}
		}
		return strings.Join(out, " ")
	}
	for after, want := range map[string]string{"": "v_a-1 quarantined1 v_a-3 v_a-4", "?after=1": "quarantined1 v_a-3 v_a-4", "?after=2": "v_a-3 v_a-4"} {
		if got := shape(h.page("v_a", after)); got != want {
			t.Errorf("page %q: %s, want %s", after, got, want)
		}
		if got := shape(h.stream("/v1/verifications/v_a/events" + after).until("end")); got != want {
			t.Errorf("stream %q: %s, want %s", after, got, want)
		}
	}
	if err := h.Keys.Erase(t.Context(), "demo", "v_a"); err != nil {
		t.Fatal(err)
	}
	if got := shape(h.page("v_a", "")); got != "erased1 quarantined1 erased1 erased1" {
		t.Errorf("erased: %s", got)
	}
	if got := shape(h.stream("/v1/verifications/v_a/events").until("end")); got != "erased1 quarantined1 erased2" {
		t.Errorf("erased, as a stream: %s", got)
	}
}

// Indexes are only a matter of time: another process on the same directory sees the same.
func TestAfterARestart(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, dir)
	h.three()
	before := ids(h.page("v_b", ""))
	cursor := h.stream("/v1/feed/stream").msgs(7)[6].C
	h.stop()
	h = newHouse(t, dir)
	if got := ids(h.page("v_b", "")); got != before {
		t.Errorf("%s, before %s", got, before)
	}
	if l := h.stream("/v1/feed/stream?after=" + cursor).msgs(1)[0]; l.O != 7 {
		t.Errorf("the cursor leads to %s", l.raw)
	}
	if code, s := h.status("v_a"); code != 200 || s.State != "ended" {
		t.Errorf("%d %+v", code, s)
	}
}
