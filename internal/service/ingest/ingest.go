// Package ingest is the door: it takes media and a request over HTTP, checks all of it, makes it durable, and only then says that it is accepted.
//
// An upload is streamed. Each part goes through three readers at once, none of which ever holds it whole: the header check, which can stop it after
// its first bytes; the digest; and the seal, on its way to the disk. When everything was read and nothing was wrong, the blobs are made
// durable, and the events (opened, one for each medium, complete) are published together. A refusal leaves nothing.
//
// The id of a verification derives from client and idempotency key, so that no store of keys can be lost: whoever comes with the same key
// comes to the same verification, and the opened fact holds a keyed digest of the request to tell a repetition from a conflict.
package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"crypto/rand"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonafide-id/bonafide/internal/blob"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// Name of the service, and the major version of what it says.
const (
	Name    = "ingest"
	Version = 1
)

// Publisher says events; *stream.Runtime is one. All of one call are durable when it returns nil.
type Publisher interface {
	Publish(ctx context.Context, a stream.Ancestry, outs ...stream.Output) error
}

// Finder looks for what was accepted before; *opened.Finder is one.
type Finder interface {
	Find(ctx context.Context, client, verification string) (opened.Opened, error)
	Has(ctx context.Context, client, verification string) (bool, error)
}

// Config of the service. Blobs, Keys, Events, Opened and Log are required.
type Config struct {
	Blobs      *blob.Store
	Keys       *seal.Keyring
	Events     Publisher
	Opened     Finder
	Log        *slog.Logger
	Metrics    prometheus.Registerer
	Clock      func() time.Time // nil: time.Now
	Rand       io.Reader        // nil: crypto/rand
	Durability string           // what accepted means; empty: "fsync"

	MaxBody  int64         // bytes; 0: 200 MB
	Parallel int           // uploads at once; 0: 32
	Share    int           // of one client; 0: a quarter of Parallel, and one at least
	Idle     time.Duration // an upload that brings no byte for so long is cut; 0: 30 s
	Longest  time.Duration // an upload that takes longer is cut; 0: 10 min
	Expiry   time.Duration // of a verification that never becomes complete; 0: 24 h
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Durability == "" {
		c.Durability = "fsync"
	}
	if c.MaxBody == 0 {
		c.MaxBody = 200_000_000
	}
	if c.Parallel == 0 {
		c.Parallel = 32
	}
	if c.Share == 0 {
		c.Share = max(1, c.Parallel/4)
	}
	if c.Idle == 0 {
		c.Idle = 30 * time.Second
	}
	if c.Longest == 0 {
		c.Longest = 10 * time.Minute
	}
	if c.Expiry == 0 {
		c.Expiry = 24 * time.Hour
	}
	return c
}

// Service takes uploads. Safe for concurrent use.
type Service struct {
	Config
	slots    slots
	turns    turns
	stopping atomic.Bool
	uploads  prometheus.Gauge
	bytes    prometheus.Counter
}

// New makes the service.
func New(c Config) (*Service, error) {
	if c.Blobs == nil || c.Keys == nil || c.Events == nil || c.Opened == nil || c.Log == nil {
		return nil, errors.New("ingest: blobs, keys, events, opened and log are needed")
	}
	c = c.withDefaults()
	s := &Service{Config: c, slots: newSlots(c.Parallel, c.Share),
		uploads: prometheus.NewGauge(prometheus.GaugeOpts{Name: "bonafide_ingest_uploads", Help: "Uploads in hand."}),
		bytes:   prometheus.NewCounter(prometheus.CounterOpts{Name: "bonafide_ingest_bytes_total", Help: "Bytes of media that were accepted."})}
	if c.Metrics != nil {
		if err := errors.Join(c.Metrics.Register(s.uploads), c.Metrics.Register(s.bytes)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Stop refuses uploads from now on; those that are in hand go on to their end.
func (s *Service) Stop() { s.stopping.Store(true) }

// Routes of the service.
func (s *Service) Routes() []httpapi.Route {
	return []httpapi.Route{{Method: http.MethodPost, Path: "/v1/verifications", Handler: s.serve}}
}
