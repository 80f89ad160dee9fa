package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/bonafide-id/bonafide/internal/cursor"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/index"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/opened"
	"github.com/bonafide-id/bonafide/internal/service/deliver"
	"github.com/bonafide-id/bonafide/internal/service/ingest"
)

// doors is what the services of the HTTP interface share: their routes, what they must end at a stop, and the indexes they look things up in.
type doors struct {
	routes []httpapi.Route
	stop   []func() // they refuse what is new, at once
	drain  []func(ctx context.Context, spread time.Duration) error
	index  *index.Store
	opened *opened.Finder
}

// openDoors opens the indexes; they can be thrown away and are made anew from the log.
func (s *system) openDoors(ctx context.Context) (err error) {
	kv, err := embedded.OpenKV(embedded.Options{Dir: filepath.Join(s.Data, "index"), Log: s.logger})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, kv)
	dep, err := s.dependency("index")
	if err != nil {
		return err
	}
	if s.doors.index, err = index.NewStore(kv, dep); err != nil {
		return err
	}
	s.doors.opened, err = opened.New(ctx, opened.Config{Log: s.log, Store: s.doors.index, Decoder: s.runtime})
	return err
}

func openIngest(_ context.Context, s *system) (func(context.Context) error, error) {
	in, err := ingest.New(ingest.Config{Blobs: s.blobs, Keys: s.keys, Events: s.runtime, Opened: s.doors.opened, Log: s.logger, Metrics: s.metrics})
	if err != nil {
		return nil, err
	}
	s.doors.routes = append(s.doors.routes, in.Routes()...)
	s.doors.stop = append(s.doors.stop, in.Stop)
	return in.Run, nil
}

func openDeliver(_ context.Context, s *system) (func(context.Context) error, error) {
	out, err := deliver.New(deliver.Config{Log: s.log, Index: s.doors.index, Decoder: s.runtime, Opened: s.doors.opened,
		Cursors: cursor.New(s.keys.MAC("cursors")), Clients: s.access.Clients, Valid: s.access.Valid, Logger: s.logger, Metrics: s.metrics})
	if err != nil {
		return nil, err
	}
	s.doors.routes = append(s.doors.routes, out.Routes()...)
	s.doors.drain = append(s.doors.drain, out.Drain)
	return out.Run, nil
}
