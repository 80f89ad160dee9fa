package deliver

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/opened"
)

// serveFeed answers /v1/feed/stream.
func (s *Service) serveFeed(w http.ResponseWriter, r *http.Request) {
	if err := s.feed(w, r); err != nil {
		s.refuse(w, r, err)
	}
}

// feed streams a client's whole feed. Its error is one from before the stream began.
func (s *Service) feed(w http.ResponseWriter, r *http.Request) error {
	q, err := values(r, feedParams)
	if err != nil {
		return err
	}
	p, err := parseFeed(q)
	if err != nil {
		return err
	}
	client := access.Of(r.Context()).Client
	bounds, err := s.feeds.bounds(r.Context(), client)
	if err != nil {
		return err
	}
	st, err := s.begin(r.Context(), client, p, bounds)
	if err != nil {
		return err
	}
	x, err := s.newSession(w, r, p)
	if err != nil {
		return err
	}
	defer x.leave()
	x.at = cursor.Position{Epoch: st.at.Epoch, Lanes: slices.Clone(st.at.Lanes)}
	x.stream(r.Context(), p.from+p.after, st.lost, func(p pump) {
		var lanes sync.WaitGroup
		for i, b := range bounds {
			lanes.Go(func() { p.lane(s.Log, b.Lane, log.Pos{Epoch: st.at.Epoch, Off: st.at.Lanes[i].Next}) })
		}
		lanes.Wait()
	})
	return nil
}

// stream says hello and writes what the pumps bring until the end. Errors behind the hello can only be logged.
func (x *session) stream(ctx context.Context, asked string, missing []lost, pumps func(pump)) {
	ctx, cancel := context.WithCancel(ctx)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	err := x.greet(asked, len(missing) == 0)
	for _, l := range missing {
		if err == nil {
			err = x.lose(l.Lane, l.From, l.From+l.Count-1, "retention")
		}
	}
	if err == nil {
		reading.Go(func() { pumps(pump{ctx, x.items}) })
		err = x.run(ctx)
	}
	if err != nil {
		x.Logger.Info("a stream broke off", "client", x.who.Client, "session", x.id, "err", err)
	}
}

// serveEvents answers /v1/verifications/{id}/events.
func (s *Service) serveEvents(w http.ResponseWriter, r *http.Request) {
	if err := s.events(w, r); err != nil {
		s.refuse(w, r, err)
	}
}

func (s *Service) events(w http.ResponseWriter, r *http.Request) error {
	q, err := values(r, eventParams)
	if err != nil {
		return err
	}
	p, err := parseEvents(q)
	if err != nil {
		return err
	}
	// By name, not by a wildcard: a browser that takes anything gets a page.
	wantStream := accepts(r.Header, ndjson) > accepts(r.Header, "application/json") || accepts(r.Header, ndjson) == 2
	if !wantStream && accepts(r.Header, "application/json") == 0 {
		return problem.New(problem.NoSuchEncoding, "events are given as application/json or %s", ndjson)
	}
	client, id := access.Of(r.Context()).Client, r.PathValue("id")
	if _, err := s.Opened.Find(r.Context(), client, id); err != nil {
		return err
	}
	if !wantStream {
		return s.page(w, r, p)
	}
	return s.streamOne(w, r, p)
}

// streamOne streams the frames of one verification, which is this client's.
func (s *Service) streamOne(w http.ResponseWriter, r *http.Request, p params) error {
	client, id := access.Of(r.Context()).Client, r.PathValue("id")
	idx, err := s.feeds.get(r.Context(), client)
	if err != nil {
		return err
	}
	bounds, err := s.feeds.bounds(r.Context(), client)
	if err != nil {
		return err
	}
	x, err := s.newSession(w, r, p)
	if err != nil {
		return err
	}
	defer x.leave()
	lane := log.LaneOf([]byte(id), int32(len(bounds)))
	x.at = cursor.Position{Epoch: bounds[lane].End.Epoch, Lanes: []cursor.At{{Lane: lane, Next: bounds[lane].First.Off}}}
	x.one = &single{}
	asked := ""
	if p.seq > 0 {
		asked = strconv.FormatUint(p.seq, 10)
	}
	x.stream(r.Context(), asked, nil, func(p pump) {
		p.one(idx.Records(p.ctx, id, false), idx.Records(p.ctx, id, true))
	})
	return nil
}

// refuse says an error to the client. What is behind it stays in the log.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p, ok := problem.Of(err)
	switch {
	case ok:
	case errors.Is(err, opened.ErrNotFound):
		p = problem.New(problem.NotFound, "you have no verification of this id")
	default:
		s.Logger.Error("a read was refused", "client", access.Of(r.Context()).Client, "path", r.Pattern, "err", err)
		p = problem.New(problem.Unavailable, "what is needed is not available at the moment").RetryAfter(time.Second)
	}
	p.Refuse(w, r)
}
