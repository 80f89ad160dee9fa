package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/oklog/run"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi"
)

// drainTime is how long a stop may take before connections are cut; nothing is lost then, it is only done again at the next start.
const drainTime = 10 * time.Second

// process is a running system.
type process struct {
	*system
	outside *httpapi.Server
	url     string
	key     string // of the first client, at the first start only
	stop    context.CancelFunc
	ended   chan error
}

// wait waits until the process has stopped and everything is closed.
func (p *process) wait() error { return <-p.ended }

// start brings the named services (none: all) to the point where they are ready, and runs them until ctx ends or one of them cannot go on.
func start(ctx context.Context, s streams, c config, names []string) (*process, error) {
	chosen, err := choose(names)
	if err != nil {
		return nil, err
	}
	l, err := listen(c.Listen)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	sys, err := open(ctx, c, slog.New(slog.NewJSONHandler(s.err, nil)))
	if err != nil {
		stop()
		return nil, errors.Join(err, l.Close())
	}
	group, web, err := assemble(ctx, sys, chosen, l)
	if err != nil {
		stop()
		return nil, errors.Join(err, l.Close(), sys.close())
	}
	p := &process{system: sys, outside: web, url: "http://" + l.Addr().String(), stop: stop, ended: make(chan error, 1)}
	if p.key, err = sys.access.First(ctx, c.Data); err != nil {
		stop()
		return nil, errors.Join(err, l.Close(), sys.close())
	}
	sys.logger.Info("accepted means: media and event are written and flushed on this machine before the answer", "durability", durability)
	go func() { p.ended <- errors.Join(group.Run(), sys.close()) }()
	if err := p.whenReady(ctx); err != nil {
		stop()
		return nil, err
	}
	return p, nil
}

// listen refuses to be reached from outside: what comes and goes here is biometric, and TLS cannot be configured yet.
func listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usageError{fmt.Sprintf("--listen %s: %v", address, err)}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, usageError{fmt.Sprintf("--listen %s: only loopback addresses until TLS can be configured; put a TLS proxy on this machine in front", address)}
	}
	return net.Listen("tcp", address)
}

// assemble opens the services and puts everything that runs into one group: the first to stop stops all, and all are waited for.
func assemble(ctx context.Context, s *system, chosen []service, l net.Listener) (*run.Group, *httpapi.Server, error) {
	var g run.Group
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	add := func(name string, f func(context.Context) error) {
		g.Add(func() error {
			if err := f(work); err != nil && work.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		}, func(error) { cancel() })
	}
	for _, sv := range chosen {
		f, err := sv.open(ctx, s)
		if err != nil {
			cancel()
			return nil, nil, fmt.Errorf("opening %s: %w", sv.name, err)
		}
		add(sv.name, f)
	}
	add("index of what was opened", s.doors.opened.Run)
	g.Add(func() error { <-ctx.Done(); return nil }, func(error) {})
	web, err := s.outside(chosen)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	s.addServer(&g, web, l)
	return &g, web, s.addAdmin(&g)
}

// addServer serves the HTTP interface; at a stop nothing new is taken, then streams end, then connections.
func (s *system) addServer(g *run.Group, web *httpapi.Server, l net.Listener) {
	server := web.HTTP()
	g.Add(func() error { return closed(server.Serve(l)) }, func(error) {
		web.Stop()
		for _, stop := range s.doors.stop {
			stop()
		}
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		for _, drain := range s.doors.drain {
			_ = drain(ctx, drainTime/10)
		}
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	})
}

// addAdmin serves the operator's socket.
func (s *system) addAdmin(g *run.Group) error {
	l, err := access.ListenAdmin(socketOf(s.Data))
	if err != nil {
		return fmt.Errorf("listening for the operator: %w", err)
	}
	server := &http.Server{Handler: s.access.Admin(), ReadHeaderTimeout: 10 * time.Second}
	g.Add(func() error { return closed(server.Serve(l)) }, func(error) { _ = server.Close() })
	return nil
}

func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
