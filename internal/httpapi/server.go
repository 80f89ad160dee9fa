package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// Limits of a connection. A body or an answer may take long (an upload of 200 MB, a stream of an hour), but neither may stand still: no limit
// holds for the whole of it, every one for its next piece.
const (
	headerTime  = 10 * time.Second // for all headers of a request
	idleTime    = 2 * time.Minute  // between requests of a connection
	headerBytes = 32 << 10
	patience    = 30 * time.Second // for a body that nobody reads, and for an answer that nobody takes
)

// Authenticator says who makes a request; *access.Keys is one.
type Authenticator interface {
	Authenticate(*http.Request) (access.Principal, error)
}

// Config of the outside. All without a default are required.
type Config struct {
	Routes     []Route // of the services
	Keys       Authenticator
	Needs      []Need // what must be usable before this process says that it is ready
	Durability string // fsync or replicated
	Registry   *prometheus.Registry
	Log        *slog.Logger

	Patience time.Duration // 0: 30 s
}

// Server is one mux of everything that can be asked for. Safe for concurrent use.
type Server struct {
	Config
	routes   []Route
	mux      *http.ServeMux
	metrics  metrics
	ready    readiness
	stopping atomic.Bool
}

// New makes a server.
func New(c Config) (*Server, error) {
	if c.Keys == nil || c.Registry == nil || c.Log == nil || c.Durability == "" {
		return nil, errors.New("httpapi: keys, durability, registry and log are needed")
	}
	if c.Patience == 0 {
		c.Patience = patience
	}
	m, err := newMetrics(c.Registry)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, mux: http.NewServeMux(), metrics: m}
	s.routes = append(s.own(), c.Routes...)
	for _, r := range s.routes {
		s.mux.Handle(r.Method+" "+r.Path, s.guard(r))
	}
	s.mux.HandleFunc("/", s.nothing)
	return s, nil
}

// HTTP is the server to be run on a listener.
func (s *Server) HTTP() *http.Server {
	return &http.Server{Handler: s, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)} // of broken connections, mostly
}

// Stop makes /readyz say that the server is going away; it goes on answering.
func (s *Server) Stop() { s.stopping.Store(true) }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{ResponseWriter: w, patience: s.Patience, began: time.Now()}
	if r.ContentLength != 0 {
		bound(w, s.Patience)
	}
	defer s.finish(a, r)
	if r.URL.Path != path.Clean(r.URL.Path) {
		notFound(a, r) // the mux would redirect, in HTML
		return
	}
	s.mux.ServeHTTP(a, r)
}

// guard lets a request through to its handler if it carries a key that is known.
func (s *Server) guard(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != route.Method && !route.Public { // the mux takes HEAD for GET, and nobody wants the head of a stream
			s.nothing(w, r)
			return
		}
		if !route.Public {
			p, err := s.Keys.Authenticate(r)
			if err != nil {
				problem.New(problem.Unauthenticated, "send a valid API key as Authorization: Bearer KEY").Refuse(w, r)
				return
			}
			r = r.WithContext(access.With(r.Context(), p))
		}
		route.Handler(w, r)
	})
}

// nothing answers what no route is for: the wrong method, or the wrong path.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request) {
	if allowed := s.allowed(r); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem.New(problem.MethodNotAllowed, "use one of the methods in Allow").Refuse(w, r)
		return
	}
	notFound(w, r)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	problem.New(problem.NotFound, "nothing is here; /openapi.json says what is where").Refuse(w, r)
}

// allowed lists the methods of the routes that have this path.
func (s *Server) allowed(r *http.Request) []string {
	var out []string
	for _, route := range s.routes {
		probe := r.Clone(r.Context())
		probe.Method = route.Method
		if _, pattern := s.mux.Handler(probe); pattern == route.Method+" "+route.Path {
			out = append(out, route.Method)
		}
	}
	return out
}
