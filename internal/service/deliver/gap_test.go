package deliver

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bonafide-id/bonafide/internal/log"
)

func TestExpired(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.three()
	r := h.stream("/v1/feed/stream")
	first := r.msgs(1)[0]
	r.close()
	bounds, _ := h.Log.Bounds(t.Context(), feedLane())
	if err := h.Log.Trim(t.Context(), feedLane(), log.Pos{Epoch: bounds[0].End.Epoch, Off: 5}); err != nil {
		t.Fatal(err)
	}
	p := h.refused(h.get("/v1/feed/stream?after=" + first.C))
	if p.Status != 410 || p.Code != "expired" || len(p.Lost) != 1 || p.Lost[0].Count != 4 {
		t.Fatalf("%+v", p)
	}
	r = h.stream("/v1/feed/stream?after=" + p.Earliest)
	if l := r.msgs(1)[0]; l.O != 5 {
		t.Errorf("the earliest cursor leads to %s", l.raw)
	}
	r.close()
	r = h.stream("/v1/feed/stream?on_gap=continue&after=" + first.C)
	if hello := r.next(); hello.Resume.Exact {
		t.Errorf("hello %s", hello.raw)
	}
	if g := r.next(); g.T != "gap" || g.From != 1 || g.To != 4 || g.Count != 4 || g.Why != "retention" {
		t.Errorf("gap %s", g.raw)
	}
	if l := r.next(); l.O != 5 {
		t.Errorf("then %s", l.raw)
	}
}

// trimming is a log whose retention takes everything before an offset of the feed, at the moment when it is next read.
type trimming struct {
	log.Log
	t     *testing.T
	armed atomic.Bool
	to    log.Pos
}

func (l *trimming) Read(ctx context.Context, at log.Lane, from, to log.Pos) iter.Seq2[log.Rec, error] {
	if at == feedLane() && l.armed.CompareAndSwap(true, false) {
		if err := l.Trim(ctx, at, l.to); err != nil {
			l.t.Error(err)
		}
	}
	return l.Log.Read(ctx, at, from, to)
}

// A stream that retention overtakes says how much is missing, and goes on behind it.
func TestOvertaken(t *testing.T) {
	l := &trimming{t: t}
	h := newHouse(t, t.TempDir(), func(c *Config) { l.Log = c.Log; c.Log = l })
	h.three()
	first := h.stream("/v1/feed/stream").msgs(1)[0]
	bounds, err := h.Log.Bounds(t.Context(), feedLane())
	if err != nil {
		t.Fatal(err)
	}
	l.to = log.Pos{Epoch: bounds[0].End.Epoch, Off: 5}
	l.armed.Store(true)
	r := h.stream("/v1/feed/stream?after=" + first.C)
	if hello := r.next(); !hello.Resume.Exact {
		t.Errorf("too early: %s", hello.raw)
	}
	if g := r.next(); g.T != "gap" || g.Why != "retention" || g.From != 1 || g.To != 4 || g.Count != 4 {
		t.Errorf("%s", g.raw)
	}
	if all := r.msgs(8); all[0].O != 5 || all[7].O != 12 {
		t.Errorf("%s", ids(all))
	}
}

// Erased frames keep their places; neighbours become one gap, and nothing else is lost. So it is where the key is simply gone.
func TestErased(t *testing.T) {
	for name, end := range map[string]func(*house) error{
		"erased": func(h *house) error { return h.Keys.Erase(t.Context(), "demo", "v_a") },
		"gone":   func(h *house) error { return h.Keys.Discard(t.Context(), "demo", "v_a") },
	} {
		h := newHouse(t, t.TempDir())
		h.accept("demo", "v_a")
		h.finding("v_a", "x")
		h.accept("demo", "v_b")
		h.finding("v_a", "x")
		h.finding("v_b", "x")
		if err := end(h); err != nil {
			t.Fatal(err)
		}
		r := h.stream("/v1/feed/stream?heartbeat_s=1")
		var got []string
		for _, l := range r.until("hb")[1:] {
			switch l.T {
			case "gap":
				got = append(got, fmt.Sprintf("%s %d-%d:%d", l.Why, l.From, l.To, l.Count))
			case "msg":
				got = append(got, l.ID)
			}
		}
		if s := strings.Join(got, ", "); s != "erased 0-1:2, v_b-1, erased 3-3:1, v_b-2" {
			t.Errorf("%s: got %s", name, s)
		}
		if code, s := h.status("v_a"); code != 200 || s.State != "erased" || len(s.Media) != 0 {
			t.Errorf("%s: %d %+v", name, code, s)
		}
	}
}

// A record that is no frame is told of, and does not stop the feed.
func TestQuarantined(t *testing.T) {
	h := newHouse(t, t.TempDir())
	h.accept("demo", "v_a")
	if _, err := h.Log.Publish(t.Context(), log.Rec{Lane: feedLane(), Key: []byte("v_a"), Val: []byte("\xff\xff\xff")}); err != nil {
		t.Fatal(err)
	}
	h.finding("v_a", "x")
	r := h.stream("/v1/feed/stream")
	r.msgs(1)
	if g := r.next(); g.T != "gap" || g.Why != "quarantined" || g.From != 1 || g.Count != 1 {
		t.Errorf("%s", g.raw)
	}
	if l := r.next(); l.ID != "v_a-2" {
		t.Errorf("%s", l.raw)
	}
}
