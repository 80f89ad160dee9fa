package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// deliveryPause lies between two facts, so that each travels alone.
const deliveryPause = 5 * time.Millisecond

// benchDelivery measures how long a fact takes from the log to a client that is connected to the feed, with the whole system running and
// nothing else to do. It is a service like any other: it says findings and waits until their frames come back over HTTP.
func benchDelivery(ctx context.Context, b *Bench, note func(string)) ([]figure, error) {
	dir, err := os.MkdirTemp("", "bonafide-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := start(context.WithoutCancel(ctx), streams{os.Stderr, os.Stderr}, config{Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Models: b.Models}, nil)
	if err != nil {
		return nil, err
	}
	defer func() { p.stop(); _ = p.wait() }()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	arrived, err := follow(ctx, &client{p.url, p.key, http.DefaultClient})
	if err != nil {
		return nil, err
	}
	note("facts on their way to a connected client, one at a time")
	d := delivery{process: p, arrived: arrived}
	for i := range 2 + b.Rounds {
		if err := d.verification(ctx, fmt.Sprintf("v_bench%d", i), i > 1); err != nil {
			return nil, err
		}
	}
	return []figure{
		{Name: "fact appended → frame at a connected client, p50", Value: milliseconds(median(d.took)), Unit: "ms", Goal: 3},
		{Name: "fact appended → frame at a connected client, p99", Value: milliseconds(quantile(d.took, 0.99)), Unit: "ms", Goal: 20},
		{Name: "the append of the fact itself, p50", Value: milliseconds(median(d.appended)), Unit: "ms"},
	}, nil
}

// arrival is a frame at the client.
type arrival struct {
	id string
	at time.Time
}

// follow reads the demo client's feed from now on and passes on the ids of the events, with the time at which the client had them.
func follow(ctx context.Context, c *client) (<-chan arrival, error) {
	resp, err := c.do(ctx, http.MethodGet, "/v1/feed/stream?from=latest", "", nil)
	if err != nil {
		return nil, fmt.Errorf("opening the feed: %w", err)
	}
	out := make(chan arrival, 1024)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		_ = lines(resp.Body, func(line []byte) error {
			at := time.Now()
			var f struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(line, &f); err != nil {
				return err
			}
			out <- arrival{f.ID, at}
			return nil
		})
	}()
	return out, nil
}

// delivery sends facts and waits for their frames.
type delivery struct {
	*process
	arrived  <-chan arrival
	took     []time.Duration // from the answer to an append to the frame; 0 if the frame was there before the answer
	appended []time.Duration
}

// verification says every finding of a document, one after the other.
func (d *delivery) verification(ctx context.Context, id string, counts bool) error {
	if _, err := d.keys.Create(ctx, access.Demo, id); err != nil {
		return err
	}
	wants := []check.Medium{check.Document}
	now := time.Now()
	from := stream.Ancestry{Source: "bench", Version: 1, Client: access.Demo, Verification: id, MediaAt: now}
	opened := stream.Output{Kind: envelopev1.Kind_KIND_OPENED, Opening: &stream.Opening{Wants: wants, Deadline: time.Minute, ExpiresAt: now.Add(time.Hour), Catalogue: 1},
		Payload: &factv1.Fact{What: &factv1.Fact_Opened{Opened: &factv1.Opened{}}}}
	if err := d.runtime.Publish(ctx, from, opened); err != nil {
		return err
	}
	for _, k := range check.Expected(wants) {
		o := stream.Finding(k, stream.Pass, "", nil)
		o.ID = stream.DeriveID(id, k.String())
		began := time.Now()
		if err := d.runtime.Publish(ctx, from, o); err != nil {
			return err
		}
		answered := time.Now()
		at, err := d.wait(ctx, o.ID)
		if err != nil {
			return err
		}
		if counts {
			d.took = append(d.took, max(0, at.Sub(answered)))
			d.appended = append(d.appended, answered.Sub(began))
		}
		time.Sleep(deliveryPause)
	}
	return nil
}

var errNoFrame = errors.New("the frame did not come")

func (d *delivery) wait(ctx context.Context, id string) (time.Time, error) {
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	for {
		select {
		case a, ok := <-d.arrived:
			if !ok {
				return time.Time{}, fmt.Errorf("%w: the feed broke off", errNoFrame)
			}
			if a.id == id {
				return a.at, nil
			}
		case <-late.C:
			return time.Time{}, errNoFrame
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}
