package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/httpapi"
)

// durability is what accepted means: the log that is embedded here flushes before it answers.
const durability = "fsync"

// outside is the HTTP interface of the chosen services.
func (s *system) outside(chosen []service) (*httpapi.Server, error) {
	return httpapi.New(httpapi.Config{Routes: s.doors.routes, Keys: s.access, Needs: s.needs(chosen), Durability: durability, Registry: s.metrics, Log: s.logger})
}

// needs is what must be usable before the process is ready. Models are not among them: services load theirs when they are opened, and without
// them nothing starts.
func (s *system) needs(chosen []service) []httpapi.Need {
	out := []httpapi.Need{
		{Name: "log", Ready: func(ctx context.Context) error {
			_, err := s.log.Publish(ctx) // nothing, which goes the same way as a record
			return err
		}},
		{Name: "keys", Ready: func(context.Context) error { _, _, err := s.kv.Get([]byte("ready")); return err }},
		{Name: "blobs", Ready: func(context.Context) error { return writable(filepath.Join(s.Data, "tmp")) }},
	}
	for _, sv := range chosen {
		if slices.Contains(doorways, sv.name) {
			continue
		}
		out = append(out, httpapi.Need{Name: "service " + sv.name, Ready: func(context.Context) error {
			if !s.runtime.Consuming(sv.name) {
				return fmt.Errorf("%s has not joined its group", sv.name)
			}
			return nil
		}})
	}
	return out
}

// doorways consume nothing: they are there when their routes are.
var doorways = []string{"ingest", "deliver"}

// writable makes a file in a directory and removes it again.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, "ready-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// readyStep is how often a process that starts asks itself whether it is ready.
const readyStep = 5 * time.Millisecond

var errEarly = errors.New("stopped before it was ready")

// whenReady waits until /readyz would answer 200. It gives an error where the process ended before.
func (p *process) whenReady(ctx context.Context) error {
	tick := time.NewTicker(readyStep)
	defer tick.Stop()
	for p.outside.Ready(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(errEarly, p.wait())
		case err := <-p.ended:
			return errors.Join(errEarly, err)
		}
	}
	return nil
}
