package httpapi

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// answer remembers how a request was answered, and gives whoever asked a bounded time to begin to take it. Streams set deadlines of their
// own from then on.
type answer struct {
	http.ResponseWriter
	patience time.Duration
	began    time.Time
	status   int           // 0: nothing was said yet
	took     time.Duration // until the answer began
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader begins the answer.
func (a *answer) WriteHeader(status int) {
	a.begin(status)
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the answer if nothing did.
func (a *answer) Write(b []byte) (int, error) {
	a.begin(http.StatusOK)
	return a.ResponseWriter.Write(b)
}

func (a *answer) begin(status int) {
	if a.status != 0 {
		return
	}
	a.status, a.took = status, time.Since(a.began)
	_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now().Add(a.patience))
}

// bound bounds the time of a body that its handler sets no bound for, or does not read at all: then net/http does, before the next request. At
// the end of a body net/http takes the bound away by itself: what follows is a client that listens, for as long as it likes.
func bound(w http.ResponseWriter, patience time.Duration) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience))
}

// finish counts a request, and answers for a handler that broke.
func (s *Server) finish(a *answer, r *http.Request) {
	broke := recover()
	s.metrics.count(a, r)
	if broke != nil {
		s.broken(a, r, broke)
	}
}

// broken says `internal` where nothing was said yet, and otherwise cuts the connection, so that nobody takes what was said for all of it.
func (s *Server) broken(a *answer, r *http.Request, broke any) {
	if broke == http.ErrAbortHandler {
		panic(broke)
	}
	id := rand.Text()[:12]
	s.metrics.panics.Inc()
	s.Log.Error("a handler panicked", "incident", id, "panic", Panic(broke), "route", r.Pattern, "stack", string(debug.Stack()))
	if a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	problem.New(problem.Internal, "this is a bug; the server's log has it under the incident").With("incident", id).Refuse(a, r)
}

// Panic is what may be written down of what was recovered: a panic can quote what was sent, so of all but runtime errors it is the type.
func Panic(broke any) string {
	if err, ok := broke.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", broke)
}
