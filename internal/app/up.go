package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/bonafide-id/bonafide/internal/access"
)

// Up runs every service in one process.
type Up struct {
	place
}

// Run runs some of the services in one process.
type Run struct {
	Services []string `arg:"" name:"service" help:"Services to run."`
	place
}

// place is where a process lives.
type place struct {
	Data   string `default:"bonafide-data" type:"path" help:"Data directory; made at the first start."`
	Listen string `default:"127.0.0.1:8080" help:"Address of the HTTP interface; port 0 picks a free one."`
	Models string `type:"path" help:"Directory of the models (default: found beside the binary)."`
}

// Help gives an example.
func (*Up) Help() string { return "Example:\n  bonafide up --data data --listen 127.0.0.1:8080" }

// Help gives an example.
func (*Run) Help() string { return "Example:\n  bonafide run text face --data data" }

// Run runs until it is told to stop.
func (u *Up) Run(ctx context.Context, s streams) error { return u.serve(ctx, s, nil) }

// Run runs until it is told to stop.
func (r *Run) Run(ctx context.Context, s streams) error {
	if _, err := choose(r.Services); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "bonafide: the embedded log belongs to one process; while this one runs, no other can use the data directory")
	return r.serve(ctx, s, r.Services)
}

func (p place) serve(ctx context.Context, s streams, names []string) error {
	running, err := start(ctx, s, config(p), names)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "ready %s\n", running.url)
	if running.key != "" {
		fmt.Fprintf(s.out, "made the client %s; its key, shown this once and kept in %s: %s\n", access.Demo, filepath.Join(p.Data, "demo.key"), running.key)
	}
	return running.wait()
}
