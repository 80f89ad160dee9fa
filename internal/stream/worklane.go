package stream

import (
	"context"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// workLane is one lane of a worker.
type workLane struct {
	n      int32
	gen    uint64
	ctx    context.Context // of the handlers; ends when the lane is lost
	cancel context.CancelFunc
	void   bool // its steps are fenced: wait until it is gained again
	paused bool

	backlog []log.Rec        // not in hand yet
	pending []*task          // in hand, in order, the oldest unfinished first
	lines   map[string]*line // by verification
	kept    kept
	seen    window

	perSecond float64   // measured rate of the lane
	last      time.Time // append time of the last record taken in hand

	upto        log.Pos // after the contiguous prefix of what is done
	at          time.Time
	uncommitted int
	since       time.Time // when the first of these was done, by the owner's clock
	puts        []log.KV
}

// line is the messages of one verification that are in hand, in order. Only the first is handled.
type line struct {
	lane  *workLane
	name  string
	tasks []*task
}

// task is one message in hand.
type task struct {
	lane   *workLane
	rec    log.Rec
	msg    *Message // nil where it cannot be decoded
	line   string
	broken error // found before it was handled
	done   bool
	first  time.Time // when it was first tried, by the owner's clock
	until  time.Time // when it is tried again
	tries  int
	said   answers
}

func (w *worker) gain(ctx context.Context, g log.Gained) (*workLane, error) {
	l := &workLane{n: g.Lane, gen: g.Gen, lines: make(map[string]*line), upto: g.Committed}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := l.kept.restore(w.member.State(g.Lane), w.rt.Decode); err != nil {
		l.cancel()
		return nil, err
	}
	if err := w.remember(ctx, l, g.Committed); err != nil {
		l.cancel()
		return nil, err
	}
	return l, nil
}

// remember fills the window of seen ids from the input before the committed position: all of that was finished.
func (w *worker) remember(ctx context.Context, l *workLane, committed log.Pos) error {
	if committed.Off == 0 {
		return nil
	}
	at := log.Lane{Topic: w.Input, N: l.n}
	bounds, err := w.rt.log.Bounds(ctx, at)
	if err != nil {
		return err
	}
	from := committed
	from.Off = max(bounds[0].First.Off, committed.Off-leastIDs)
	if from.Off >= committed.Off {
		return nil
	}
	for rec, err := range w.rt.log.Read(ctx, at, from, committed) {
		if err != nil {
			return err
		}
		l.rate(rec.At)
		if m, err := w.rt.Decode(rec); err == nil {
			l.seen.add(m.GetId(), rec.At, l.perSecond)
		}
	}
	return nil
}

// lose drops a lane and all that waits in it; handlers at work for it are told to stop.
func (w *worker) lose(n int32) {
	l := w.lanes[n]
	if l == nil {
		return
	}
	delete(w.lanes, n)
	l.cancel()
	for _, t := range l.pending {
		w.held -= size(t.rec)
	}
	for _, rec := range l.backlog {
		w.held -= size(rec)
	}
	of := func(q *line) bool { return q.lane == l }
	w.ready = slices.DeleteFunc(w.ready, of)
	w.waiting = slices.DeleteFunc(w.waiting, of)
}

// admit takes records of a lane in hand as far as its bounds allow, and pauses the lane while some are left over.
func (w *worker) admit(l *workLane) {
	for w.advance(l); len(l.backlog) > 0 && l.room(l.backlog[0]); w.advance(l) {
		rec := l.backlog[0]
		l.backlog = l.backlog[1:]
		l.rate(rec.At)
		t := w.task(l, rec)
		l.pending = append(l.pending, t)
		if t.done {
			continue
		}
		q := l.lines[t.line]
		if q == nil {
			q = &line{lane: l, name: t.line}
			l.lines[t.line] = q
			w.ready = append(w.ready, q)
		}
		q.tasks = append(q.tasks, t)
	}
	if over := len(l.backlog) > 0; over != l.paused {
		l.paused = over
		if over {
			w.member.Pause(l.n)
		} else {
			w.member.Resume(l.n)
		}
	}
}

// task makes the task of a record; it is done already where the service does not look at it.
func (w *worker) task(l *workLane, rec log.Rec) *task {
	t := &task{lane: l, rec: rec, line: string(rec.Key)}
	m, err := w.rt.Decode(rec)
	if err != nil {
		t.broken = err
		return t
	}
	t.msg, t.line = m, m.GetVerificationId()
	accepted := true
	t.broken = guard(func() error {
		accepted = w.Accepts == nil || w.Accepts(m.Envelope)
		return nil
	})
	t.done = t.broken == nil && !accepted
	return t
}

// room reports whether a record may be taken in hand.
func (l *workLane) room(rec log.Rec) bool {
	if len(l.pending) == 0 {
		return true
	}
	return len(l.pending) < aheadRecords && rec.At.Sub(l.pending[0].rec.At) <= aheadTime
}

// rate measures how many records a second the lane gets, by their append times, smoothed over about a hundred records.
func (l *workLane) rate(at time.Time) {
	if !l.last.IsZero() {
		gap := max(at.Sub(l.last).Seconds(), 1e-4)
		mean := gap
		if l.perSecond > 0 {
			mean = 0.99/l.perSecond + 0.01*gap
		}
		l.perSecond = 1 / mean
	}
	l.last = at
}

func size(r log.Rec) int {
	n := len(r.Key) + len(r.Val)
	for _, h := range r.Head {
		n += len(h.Key) + len(h.Val)
	}
	return n
}
