package deliver

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// lost is what retention took of a lane before it was read.
type lost struct {
	Lane  int32 `json:"l"`
	From  int64 `json:"-"`
	Count int64 `json:"count"`
}

// start is where a stream of a feed begins: a position for each lane, and what is missing before it.
type start struct {
	at   cursor.Position
	lost []lost
}

// begin finds the start that a client asks for.
func (s *Service) begin(ctx context.Context, client string, p params, bounds []log.Bound) (start, error) {
	asked, err := s.asked(ctx, client, p, bounds)
	if err != nil {
		return start{}, err
	}
	st := start{at: cursor.Position{Epoch: bounds[0].End.Epoch}}
	for i, b := range bounds {
		next := asked[i]
		if next < b.First.Off {
			st.lost = append(st.lost, lost{int32(i), next, b.First.Off - next})
			next = b.First.Off
		}
		st.at.Lanes = append(st.at.Lanes, cursor.At{Lane: int32(i), Next: next})
	}
	if len(st.lost) > 0 && !p.onGap {
		return st, problem.New(problem.Expired, "the position is no longer kept; begin at earliest, or ask again with on_gap=continue").
			With("earliest", s.Cursors.Format(topic.Feed(client), st.at)).With("lost", st.lost)
	}
	return st, nil
}

// asked gives the offset of each lane that the parameters name. It may be before what is kept, and never behind the end.
func (s *Service) asked(ctx context.Context, client string, p params, bounds []log.Bound) ([]int64, error) {
	kind, value, _ := strings.Cut(p.from, ":")
	switch {
	case p.after != "":
		return s.behind(client, p.after, bounds)
	case p.from == "" || p.from == "earliest":
		return each(bounds, func(b log.Bound) int64 { return b.First.Off }), nil
	case p.from == "latest":
		return each(bounds, func(b log.Bound) int64 { return b.End.Off }), nil
	case kind == "time":
		return s.since(ctx, value, bounds)
	}
	return offsets(p.from, bounds)
}

func each(bounds []log.Bound, f func(log.Bound) int64) []int64 {
	out := make([]int64, len(bounds))
	for i, b := range bounds {
		out[i] = f(b)
	}
	return out
}

// behind reads a cursor. Lanes that it does not hold begin at the earliest.
func (s *Service) behind(client, text string, bounds []log.Bound) ([]int64, error) {
	at, err := s.Cursors.Parse(topic.Feed(client), text)
	switch {
	case errors.Is(err, cursor.ErrForeign):
		return nil, problem.New(problem.EpochChanged, "the cursor is of another feed")
	case err != nil:
		return nil, badParameter("after is not a cursor that was given out here")
	case at.Epoch != bounds[0].End.Epoch:
		return nil, problem.New(problem.EpochChanged, "the cursor is of epoch %d, and this is %d: positions may mean other frames now", at.Epoch, bounds[0].End.Epoch)
	}
	out := each(bounds, func(b log.Bound) int64 { return b.First.Off })
	for _, l := range at.Lanes {
		if int(l.Lane) >= len(bounds) || l.Next > bounds[l.Lane].End.Off {
			return nil, problem.New(problem.EpochChanged, "the cursor is of a position that this feed does not have")
		}
		out[l.Lane] = l.Next
	}
	return out, nil
}

func (s *Service) since(ctx context.Context, text string, bounds []log.Bound) ([]int64, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, badParameter("from=time: is not followed by a time of RFC 3339")
	}
	out := make([]int64, len(bounds))
	for i, b := range bounds {
		p, err := s.Log.Find(ctx, b.Lane, t)
		if err != nil {
			return nil, err
		}
		out[i] = min(p.Off, b.End.Off)
	}
	return out, nil
}

// offsets reads "75" for a feed with one lane, or "0:75,1:80" naming every lane.
func offsets(text string, bounds []log.Bound) ([]int64, error) {
	if len(bounds) == 1 && !strings.Contains(text, ":") {
		text = "0:" + text
	}
	out := make([]int64, len(bounds))
	named := map[uint64]bool{}
	for item := range strings.SplitSeq(text, ",") {
		l, o, _ := strings.Cut(item, ":")
		lane, err := strconv.ParseUint(l, 10, 31)
		off, err2 := strconv.ParseUint(o, 10, 62)
		if err != nil || err2 != nil || lane >= uint64(len(bounds)) || named[lane] {
			return nil, badParameter("from is none of earliest, latest, time:<RFC 3339>, an offset, or lane:offset for each lane")
		}
		if int64(off) > bounds[lane].End.Off {
			return nil, badParameter("from is behind the end of the feed, which is %d in lane %d", bounds[lane].End.Off, lane)
		}
		named[lane], out[lane] = true, int64(off)
	}
	if len(named) < len(bounds) {
		return nil, badParameter("from names %d of the feed's %d lanes", len(named), len(bounds))
	}
	return out, nil
}
