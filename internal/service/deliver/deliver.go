// Package deliver is where clients read: their feed as a stream, one verification as a stream or a page, and its status.
//
// The client opens the connection and is in control. A stateless stream keeps nothing here: the client keeps the cursor, and whoever comes with it
// goes on exactly behind it, on any node. Frames are the ledger's, opened and spliced into lines; nothing about them is decided here.
//
// A stream is one goroutine that writes, fed by one that reads the log through a short queue. When the socket takes no more, the queue fills,
// reading stops, and nothing else happens: a slow client costs a few records of memory, and is cut when it has taken no byte for 30 s.
//
// The `o` of a frame is meant to be a dense counter of the client's lane. On the embedded log offsets are dense, so it is the offset; a log with
// holes needs a fold that counts.
package deliver

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/index"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// Decoder reads records; *stream.Runtime is one.
type Decoder interface {
	Decode(log.Rec) (*stream.Message, error)
}

// Finder looks for what was accepted; *opened.Finder is one.
type Finder interface {
	Find(ctx context.Context, client, verification string) (opened.Opened, error)
}

// Config of the service. All without a default are required.
type Config struct {
	Log     log.Log
	Index   *index.Store
	Decoder Decoder
	Opened  Finder
	Cursors cursor.Codec
	Clients func() []string             // whose feeds are indexed from the start; others when they come
	Valid   func(access.Principal) bool // whether a key is still good; asked while a stream is open
	Logger  *slog.Logger
	Metrics prometheus.Registerer

	Clock    func() time.Time // nil: time.Now
	Rand     io.Reader        // of session ids; nil: crypto/rand
	Random   func() float64   // in [0,1), spreads what would come at once; nil: math/rand
	Stalled  time.Duration    // a socket that takes no byte for so long is cut; 0: 30 s
	Sessions int              // open streams a client; 0: 64
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Random == nil {
		c.Random = mathrand.Float64
	}
	if c.Stalled == 0 {
		c.Stalled = 30 * time.Second
	}
	if c.Sessions == 0 {
		c.Sessions = 64
	}
	return c
}

// Service delivers feeds. Safe for concurrent use.
type Service struct {
	Config
	feeds    feeds
	sessions sessions
	open     prometheus.Gauge
	sent     prometheus.Counter
}

// New makes the service.
func New(c Config) (*Service, error) {
	if c.Log == nil || c.Index == nil || c.Decoder == nil || c.Opened == nil || c.Clients == nil || c.Valid == nil || c.Logger == nil {
		return nil, errors.New("deliver: log, index, decoder, opened, clients, valid and logger are needed")
	}
	c = c.withDefaults()
	s := &Service{Config: c, feeds: newFeeds(c.Log, c.Index), sessions: newSessions(c.Sessions),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "bonafide_deliver_sessions", Help: "Streams that are open."}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{Name: "bonafide_deliver_frames_total", Help: "Frames of type msg that were sent."})}
	if c.Metrics != nil {
		if err := errors.Join(c.Metrics.Register(s.open), c.Metrics.Register(s.sent)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run keeps the indexes of the feeds until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return s.feeds.run(ctx, s.Clients())
}

// Drain refuses new streams and ends those that are open, each at a moment within spread, so that their clients do not come back all at once.
// It returns when all are gone, or with the error of ctx.
func (s *Service) Drain(ctx context.Context, spread time.Duration) error {
	return s.sessions.drain(ctx, spread)
}

// Routes of the service.
func (s *Service) Routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: http.MethodGet, Path: "/v1/feed/stream", Handler: s.serveFeed},
		{Method: http.MethodPost, Path: "/v1/feed/stream", Handler: s.serveFeed},
		{Method: http.MethodGet, Path: "/v1/verifications/{id}", Handler: s.serveVerification},
		{Method: http.MethodGet, Path: "/v1/verifications/{id}/events", Handler: s.serveEvents},
	}
}
