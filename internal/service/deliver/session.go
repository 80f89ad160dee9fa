package deliver

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// session is one open stream.
type session struct {
	*Service
	socket *socket
	who    access.Principal
	id     string
	params params
	items  chan item
	at     cursor.Position // behind what was sent
	gap    *gap            // not written yet: the next one may join it
	one    *single         // of a verification's stream
}

// single is what a stream of one verification knows.
type single struct {
	seq  uint64 // the last one, sent or skipped
	next int64  // offset behind it: what comes again is passed over
	over bool   // the frame that ends it is behind us
}

// endings by code: whether to come back.
var reconnect = map[string]bool{"drain": true, "max_age": true, "internal": true, "complete": false, "auth_revoked": false}

// newSession admits a stream, or says why not.
func (s *Service) newSession(w http.ResponseWriter, r *http.Request, p params) (*session, error) {
	if s.sessions.isDraining() {
		return nil, problem.New(problem.Draining, "the server is shutting down; come back").RetryAfter(time.Second)
	}
	if accepts(r.Header, ndjson) == 0 {
		return nil, problem.New(problem.NoSuchEncoding, "streams are given as %s", ndjson)
	}
	b := make([]byte, 8)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return nil, fmt.Errorf("drawing an id: %w", err)
	}
	x := &session{Service: s, socket: newSocket(w, s.Stalled), who: access.Of(r.Context()), id: "s_" + hex.EncodeToString(b), params: p, items: make(chan item, ahead)}
	if x.params.age == 0 {
		x.params.age = time.Duration(float64(defaultAge) * (0.9 + 0.2*s.Random())).Round(time.Second)
	}
	if open, ok := s.sessions.enter(x.who.Client, x.id); !ok {
		return nil, problem.New(problem.TooManySessions, "%d streams are open; close one", len(open)).With("sessions", open).RetryAfter(time.Second)
	}
	s.open.Inc()
	return x, nil
}

func (x *session) leave() {
	x.open.Dec()
	x.sessions.leave(x.who.Client, x.id)
}

// greet opens the stream and says what was granted.
func (x *session) greet(asked string, exact bool) error {
	if err := x.socket.open(); err != nil {
		return err
	}
	h := hello{T: "hello", Session: x.id, Epoch: x.at.Epoch, Resume: resume{asked, x.cursor(), exact},
		Granted: granted{int(x.params.heartbeat.Seconds()), int(x.params.age.Seconds())}}
	for _, l := range x.at.Lanes {
		h.Lanes = append(h.Lanes, helloLane{l.Lane, 1, l.Next}) // without a subscription nobody owns a lane: its generation is always the first
	}
	if err := x.socket.json(h); err != nil {
		return err
	}
	return x.socket.flush()
}

func (x *session) cursor() string { return x.Cursors.Format(topic.Feed(x.who.Client), x.at) }

// run writes until the stream is over. What it returns is nil where an end frame was written, and otherwise why the line broke.
func (x *session) run(ctx context.Context) error {
	beat := time.NewTicker(x.params.heartbeat)
	defer beat.Stop()
	age := time.NewTimer(x.params.age)
	defer age.Stop()
	draining, drained := x.sessions.draining, (<-chan time.Time)(nil)
	for {
		over, err := "", error(nil)
		select {
		case i := <-x.items:
			over, err = x.take(ctx, i)
		case <-beat.C:
			over, err = x.beat(ctx)
		case <-age.C:
			over = "max_age"
		case <-draining:
			draining, drained = nil, time.After(time.Duration(x.Random()*float64(x.sessions.spread)))
		case <-drained:
			over = "drain"
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == nil && over != "" {
			return x.end(over)
		}
		if err == nil && len(x.items) == 0 {
			err = x.settle()
		}
		if err != nil {
			return err
		}
	}
}

// take writes what a pump brought. It names the end of the stream where this is it.
func (x *session) take(ctx context.Context, i item) (over string, err error) {
	switch {
	case i.err != nil && ctx.Err() != nil:
		return "", ctx.Err()
	case i.err != nil:
		x.Logger.Error("a stream cannot go on", "client", x.who.Client, "session", x.id, "err", i.err)
		return "internal", nil
	case i.trimmed != nil:
		return "", x.lose(i.trimmed.Lane.N, i.trimmed.Asked.Off, i.trimmed.First.Off-1, "retention")
	case i.caughtUp:
		if x.one.over && !x.params.follow {
			over = "complete"
		}
		return over, nil
	}
	e, err := x.entry(ctx, i.rec)
	if err != nil {
		return x.take(ctx, item{err: err})
	}
	return x.write(e)
}

// write writes one frame, or notes the gap in its place.
func (x *session) write(e entry) (over string, err error) {
	if x.one != nil {
		if e.seq == 0 { // it cannot be read; what can be says that it is the next one
			e.seq = x.one.seq + 1
		}
		skip := e.at.Pos.Off < x.one.next || e.seq <= max(x.one.seq, x.params.seq)
		x.one.next = max(x.one.next, e.at.Pos.Off+1)
		x.one.over = x.one.over || e.over != ""
		x.one.seq = max(x.one.seq, e.seq)
		if skip {
			return "", nil
		}
	}
	x.advance(e.at.Lane.N, e.at.Pos.Off+1)
	if e.body == nil {
		err = x.lose(e.at.Lane.N, e.at.Pos.Off, e.at.Pos.Off, e.why)
	} else {
		err = x.send(e)
	}
	if err == nil && x.one != nil && e.over != "" && !x.params.follow {
		over = "complete"
	}
	return over, err
}

func (x *session) send(e entry) error {
	if err := x.fill(); err != nil {
		return err
	}
	b, err := e.line(x.cursor())
	if err != nil {
		return err
	}
	x.sent.Inc()
	return x.socket.line(b)
}

func (x *session) advance(lane int32, next int64) {
	for i := range x.at.Lanes {
		if x.at.Lanes[i].Lane == lane {
			x.at.Lanes[i].Next = next
		}
	}
}

// lose notes what is missing; neighbours of the same kind become one gap.
func (x *session) lose(lane int32, from, to int64, why string) error {
	x.advance(lane, to+1)
	if g := x.gap; g != nil && g.Lane == lane && g.Why == why && (g.To+1 == from || x.one != nil) {
		g.To, g.Count = to, g.Count+to-from+1
		return nil
	}
	if err := x.fill(); err != nil {
		return err
	}
	x.gap = &gap{"gap", lane, from, to, why, to - from + 1}
	return nil
}

// fill writes the gap that was noted.
func (x *session) fill() error {
	if x.gap == nil {
		return nil
	}
	g := *x.gap
	x.gap = nil
	return x.socket.json(g)
}

// settle ends a group of frames: nothing stays behind in a buffer.
func (x *session) settle() error {
	if err := x.fill(); err != nil {
		return err
	}
	return x.socket.flush()
}

// beat writes a heartbeat, and ends the stream of a key that is no longer good.
func (x *session) beat(ctx context.Context) (over string, err error) {
	if !x.Valid(x.who) {
		return "auth_revoked", nil
	}
	h := heartbeat{T: "hb", Now: stamp(x.Clock())}
	if x.one == nil {
		if h.Lag, err = x.lag(ctx); err != nil {
			return x.take(ctx, item{err: err})
		}
	}
	if err := x.fill(); err != nil {
		return "", err
	}
	h.Cursor = x.cursor()
	if err := x.socket.json(h); err != nil {
		return "", err
	}
	return "", x.socket.flush()
}

// lag is how much of the feed was not sent yet, and how long its oldest frame has waited.
func (x *session) lag(ctx context.Context) (*lag, error) {
	bounds, err := x.feeds.bounds(ctx, x.who.Client)
	if err != nil {
		return nil, err
	}
	out := &lag{}
	for _, l := range x.at.Lanes {
		b := bounds[l.Lane]
		if l.Next >= b.End.Off {
			continue
		}
		out.Msgs += b.End.Off - max(l.Next, b.First.Off)
		at := log.Pos{Epoch: x.at.Epoch, Off: max(l.Next, b.First.Off)}
		for r, err := range x.Log.Read(ctx, b.Lane, at, at.Next()) {
			if err == nil { // otherwise retention was faster: no age to tell
				out.AgeMS = max(out.AgeMS, x.Clock().Sub(r.At).Milliseconds())
			}
		}
	}
	return out, nil
}

// end writes the last frame.
func (x *session) end(code string) error {
	if err := x.fill(); err != nil {
		return err
	}
	e := end{T: "end", Code: code, Reconnect: reconnect[code], Cursor: x.cursor()}
	if e.Reconnect {
		e.AfterMS = int64(x.Random() * float64(2*time.Second/time.Millisecond))
	}
	if err := x.socket.json(e); err != nil {
		return err
	}
	return x.socket.flush()
}
