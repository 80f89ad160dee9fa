package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// Need is something without which the process is not ready. Ready returns nil where it is usable now.
type Need struct {
	Name  string // said to whoever asks: log, keys, service text
	Ready func(context.Context) error
}

// asking is how long a need may take to say that it is usable.
const asking = 2 * time.Second

// readiness remembers what was missing when it was last asked, so that only changes are written down, and not what a start takes its time for.
type readiness struct {
	mu      sync.Mutex
	once    bool
	missing []string
}

// Ready asks every need at once. It returns nil, or the problem that /readyz answers with.
func (s *Server) Ready(ctx context.Context) *problem.Problem {
	if s.stopping.Load() {
		return problem.New(problem.Draining, "the server is shutting down").RetryAfter(time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	why := make([]error, len(s.Needs))
	var all sync.WaitGroup
	for i, n := range s.Needs {
		all.Go(func() { why[i] = within(ctx, n.Ready) })
	}
	all.Wait()
	missing := []string{}
	for i, n := range s.Needs {
		if why[i] != nil {
			missing = append(missing, n.Name)
		}
	}
	s.note(missing, why)
	if len(missing) == 0 {
		return nil
	}
	return problem.New(problem.Unavailable, "not ready: %s", strings.Join(missing, ", ")).With("not_ready", missing).RetryAfter(time.Second)
}

// within does not wait for one who does not answer in time.
func within(ctx context.Context, ready func(context.Context) error) error {
	done := make(chan error, 1)
	go func() { done <- ready(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note writes down what has changed, with the reasons that are not for everybody.
func (s *Server) note(missing []string, why []error) {
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	first := len(missing) == 0 && !s.ready.once
	s.ready.once = s.ready.once || first
	if !s.ready.once || !first && slices.Equal(missing, s.ready.missing) {
		return
	}
	s.ready.missing = missing
	if len(missing) == 0 {
		s.Log.Info("ready")
	}
	for i, err := range why {
		if err != nil {
			s.Log.Warn("not ready", "need", s.Needs[i].Name, "err", err)
		}
	}
}

func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if p := s.Ready(r.Context()); p != nil {
		p.Write(w)
		return
	}
	JSON(w, http.StatusOK, map[string]bool{"ready": true})
}
