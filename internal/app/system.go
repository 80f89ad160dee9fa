package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/blob"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// config of one process.
type config struct {
	Data   string // data directory
	Listen string // host:port of the HTTP interface
	Models string // directory of the models
}

// system is what the services of one process stand on. It is opened in the order of its fields and closed in the other.
type system struct {
	config
	logger  *slog.Logger
	metrics *prometheus.Registry
	relay   *resilience.Relay
	models  *models.Set
	kv      *embedded.KV
	keys    *seal.Keyring
	blobs   *blob.Store
	log     *embedded.Log
	access  *access.Keys
	runtime *stream.Runtime
	doors   doors
	closers []io.Closer
}

// open opens everything that services share. What is damaged stops it, with the file and what is affected.
func open(ctx context.Context, c config, logger *slog.Logger) (s *system, err error) {
	s = &system{config: c, logger: logger, metrics: prometheus.NewRegistry(), relay: &resilience.Relay{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for _, step := range []struct {
		what string
		open func(context.Context) error
	}{
		{"the data directory", s.makeDir},
		{"the models", s.openModels},
		{"the keys", s.openKeys},
		{"the blobs", s.openBlobs},
		{"the log", s.openLog},
		{"the clients", s.openAccess},
		{"the runtime", s.openRuntime},
		{"the indexes", s.openDoors},
	} {
		if err := step.open(ctx); err != nil {
			return s, fmt.Errorf("opening %s: %w", step.what, err)
		}
	}
	return s, nil
}

// makeDir makes the directory; its name is flushed, or a power cut soon after the first start would lose all that is in it.
func (s *system) makeDir(context.Context) error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(filepath.Clean(s.Data)))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

func (s *system) openModels(context.Context) (err error) {
	if s.models, err = openModels(s.Models, s.relay.Report); err == nil {
		s.closers = append(s.closers, s.models)
	}
	return err
}

func (s *system) openKeys(context.Context) (err error) {
	if s.kv, err = embedded.OpenKV(embedded.Options{Dir: filepath.Join(s.Data, "keys"), Log: s.logger}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.kv)
	dep, err := s.dependency("keys")
	if err != nil {
		return err
	}
	s.keys, err = seal.Open(seal.Config{Store: shelf{s.kv, "seal/"}, MasterFile: filepath.Join(s.Data, "master.key"), Dependency: dep})
	return err
}

func (s *system) openBlobs(context.Context) error {
	dep, err := s.dependency("blobs")
	if err != nil {
		return err
	}
	s.blobs, err = blob.Open(blob.Config{Dir: s.Data, Keys: s.keys, Dependency: dep})
	return err
}

func (s *system) openLog(ctx context.Context) (err error) {
	if s.log, err = embedded.Open(embedded.Options{Dir: filepath.Join(s.Data, "log"), Log: s.logger}); err != nil {
		return err
	}
	s.closers = append(s.closers, s.log)
	return stream.CreateTopics(ctx, s.log)
}

func (s *system) openAccess(context.Context) (err error) {
	s.access, err = access.Open(access.Config{Store: shelf{s.kv, "access/"}, Prepare: s.makeFeed, Log: s.logger})
	return err
}

// makeFeed makes the feed of a client before its first key.
func (s *system) makeFeed(ctx context.Context, client string) error {
	t, _ := topic.Of(topic.Feed(client))
	return s.log.Create(ctx, log.Topic{Name: t.Name, Lanes: t.Lanes, Retention: t.Retention})
}

func (s *system) openRuntime(context.Context) error {
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	dep, err := s.dependency("log")
	if err != nil {
		return err
	}
	s.runtime, err = stream.New(stream.Config{Log: s.log, Keys: s.keys, Dependency: dep, Logger: s.logger, Metrics: s.metrics})
	if err != nil {
		return err
	}
	s.relay.Attach(s.runtime.Report)
	s.closers = append(s.closers, closerFunc(func() error { s.runtime.Close(); return nil }))
	return nil
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

func (s *system) dependency(name string) (*resilience.Dependency, error) {
	return dependency(name, s.relay.Report)
}

// close closes what was opened, last first.
func (s *system) close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		errs = append(errs, s.closers[last].Close())
		s.closers = s.closers[:last]
	}
	return errors.Join(errs...)
}
