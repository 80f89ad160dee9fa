package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bonafide-id/bonafide/internal/service/consistency"
	"github.com/bonafide-id/bonafide/internal/service/document"
	"github.com/bonafide-id/bonafide/internal/service/face"
	"github.com/bonafide-id/bonafide/internal/service/ledger"
	"github.com/bonafide-id/bonafide/internal/service/liveness"
	"github.com/bonafide-id/bonafide/internal/service/summary"
	"github.com/bonafide-id/bonafide/internal/service/tamper"
	"github.com/bonafide-id/bonafide/internal/service/text"
	"github.com/bonafide-id/bonafide/internal/service/video"
	"github.com/bonafide-id/bonafide/internal/stream"
	decoder "github.com/bonafide-id/bonafide/internal/vision/video"
)

// service is one row of the table: its name, and how it is opened on a system. What it gives runs until its context ends.
type service struct {
	name string
	open func(context.Context, *system) (func(context.Context) error, error)
}

// services is every service there is. `up` runs all of them, `run` those that are named; nothing else differs.
func services() []service {
	return []service{
		{"ingest", openIngest},
		{"document", worker(func(ctx context.Context, s *system) (runnable, error) {
			return document.New(document.Config{Models: s.models, Blobs: claims{s.blobs}, Now: time.Now})
		})},
		{"video", worker(openVideo)},
		{"text", worker(func(ctx context.Context, s *system) (runnable, error) {
			return text.New(text.Config{Models: s.models, Pictures: claims{s.blobs}, Now: time.Now})
		})},
		{"tamper", worker(func(ctx context.Context, s *system) (runnable, error) {
			return tamper.New(tamper.Config{Pictures: claims{s.blobs}, Now: time.Now})
		})},
		{"face", worker(func(ctx context.Context, s *system) (runnable, error) {
			return face.New(face.Config{Models: s.models, Pictures: claims{s.blobs}, Now: time.Now})
		})},
		{"liveness", worker(func(ctx context.Context, s *system) (runnable, error) {
			return liveness.New(liveness.Config{Digest: s.models.Digest, Now: time.Now})
		})},
		{"consistency", openConsistency},
		{"summary", openSummary},
		{"ledger", openLedger},
		{"deliver", openDeliver},
	}
}

// runnable is a service that is a worker.
type runnable interface{ Worker() stream.Worker }

func worker(open func(context.Context, *system) (runnable, error)) func(context.Context, *system) (func(context.Context) error, error) {
	return func(ctx context.Context, s *system) (func(context.Context) error, error) {
		w, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return stream.RunWorker(ctx, s.runtime, w.Worker()) }, nil
	}
}

func openConsistency(_ context.Context, s *system) (func(context.Context) error, error) {
	f, err := consistency.New(consistency.Config{Decode: s.runtime.Decode})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return stream.RunFold(ctx, s.runtime, f) }, nil
}

func openSummary(_ context.Context, s *system) (func(context.Context) error, error) {
	return func(ctx context.Context) error { return stream.RunFold(ctx, s.runtime, summary.New()) }, nil
}

func openVideo(ctx context.Context, s *system) (runnable, error) {
	dep, err := s.dependency("video decoder")
	if err != nil {
		return nil, err
	}
	d, err := decoder.New(ctx, decoder.Config{Dependency: dep, Log: s.logger})
	if err != nil {
		return nil, err
	}
	return video.New(video.Config{Models: s.models, Blobs: claims{s.blobs}, Decoder: d})
}

func openLedger(_ context.Context, s *system) (func(context.Context) error, error) {
	c, err := ledger.New(ledger.Config{Keys: s.keys, Feed: s.log})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return stream.RunChain(ctx, s.runtime, c) }, nil
}

// choose gives the named services, or all of them where none is named.
func choose(names []string) ([]service, error) {
	var all []string
	var out []service
	for _, s := range services() {
		all = append(all, s.name)
		if len(names) == 0 || slices.Contains(names, s.name) {
			out = append(out, s)
		}
	}
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, usageError{fmt.Sprintf("there is no service %s; the services are %s", n, strings.Join(all, ", "))}
		}
	}
	return out, nil
}
