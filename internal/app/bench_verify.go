package app

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// seen is what one verification looked like from outside: milliseconds since the last byte was sent.
type seen struct {
	first map[string]time.Duration // check → its first outcome
	ended time.Duration
}

// benchVerify measures the whole system from outside, in a process of its own: start, first answers, wall time, rate, memory.
func benchVerify(ctx context.Context, b *Bench, note func(string)) ([]figure, error) {
	dir, err := os.MkdirTemp("", "bonafide-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := b.material(dir)
	if err != nil {
		return nil, fmt.Errorf("making the pictures: %w", err)
	}
	c, started, err := b.startOften(ctx, filepath.Join(dir, "data"), note)
	if err != nil {
		return nil, err
	}
	defer c.kill()
	web, err := c.client()
	if err != nil {
		return nil, err
	}
	if _, err := once(ctx, web, p); err != nil { // warm
		return nil, err
	}
	alone, err := b.alone(ctx, web, p, note)
	if err != nil {
		return nil, err
	}
	rate, err := b.sustained(ctx, web, p, note)
	if err != nil {
		return nil, err
	}
	peak, err := c.peakMB()
	if err != nil {
		return nil, err
	}
	figures := []figure{
		{Name: "start of up with all models, to ready", Value: milliseconds(started), Unit: "ms", Goal: 3000},
		{Name: "whole verification, 12-MP document and 5 s of 1080p video", Value: milliseconds(median(pluck(alone, func(s seen) time.Duration { return s.ended }))), Unit: "ms", Goal: 3500},
		{Name: "sustained, 2 in flight", Value: rate, Unit: "verifications/s", Goal: 0.4, Least: true},
		{Name: "peak resident memory, 2 in flight", Value: peak, Unit: "MB", Goal: 1500},
	}
	return append(figures, stages(alone)...), c.stop()
}

// startOften starts the system several times on fresh directories and keeps the last; the median time to ready counts.
func (b *Bench) startOften(ctx context.Context, dir string, note func(string)) (*child, time.Duration, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, 0, err
	}
	var more []string
	if b.Models != "" {
		more = []string{"--models", b.Models}
	}
	note("start to ready")
	var took []time.Duration
	for i := 0; ; i++ {
		c, err := startChild(ctx, program, fmt.Sprintf("%s%d", dir, i), more...)
		if err != nil {
			return nil, 0, err
		}
		if took = append(took, c.ready); len(took) >= max(1, b.Rounds) {
			return c, median(took), nil
		}
		if err := c.stop(); err != nil {
			return nil, 0, err
		}
	}
}

// once sends one verification and follows it to its end.
func once(ctx context.Context, web *client, p pictures) (seen, error) {
	s := seen{first: map[string]time.Duration{}}
	r, uploaded, err := web.submit(ctx, p, []byte(`{"deadline_ms": 60000}`))
	if err != nil {
		return s, err
	}
	err = web.events(ctx, r.Verification, func(line []byte) error {
		var f shown
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		since := time.Since(uploaded)
		if _, ok := s.first[f.Finding.Check]; f.Type == "finding" && !ok {
			s.first[f.Finding.Check] = since
		}
		if f.Type == "ended" {
			s.ended = since
		}
		return nil
	})
	for _, check := range watched {
		if _, ok := s.first[check]; !ok && err == nil {
			err = fmt.Errorf("%s was not answered: there is no time to report", check)
		}
	}
	return s, err
}

// alone measures verifications one after the other.
func (b *Bench) alone(ctx context.Context, web *client, p pictures, note func(string)) ([]seen, error) {
	note("one verification at a time")
	var out []seen
	for range max(1, b.Rounds) {
		s, err := once(ctx, web, p)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// sustained keeps two verifications in flight and gives how many end a second.
func (b *Bench) sustained(ctx context.Context, web *client, p pictures, note func(string)) (float64, error) {
	note("two in flight")
	n := 4 * max(1, b.Rounds)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	var mu sync.Mutex
	ended := 0
	began := time.Now()
	for range n {
		group.Go(func() error {
			_, err := once(ctx, web, p)
			mu.Lock()
			defer mu.Unlock()
			ended++
			return err
		})
	}
	err := group.Wait()
	return float64(ended) / time.Since(began).Seconds(), err
}

// watched are the answers whose time is reported, in the order in which they should come.
var watched = []string{"doc.image.focus", "doc.class.located", "doc.class.orientation", "doc.class.type", "doc.mrz.detected", "doc.text.field.surname", "doc.validity.expired",
	"doc.consistency.viz_vs_mrz.surname", "doc.tamper.portrait_replaced", "doc.portrait.quality", "face.image.detected", "face.match.doc_vs_selfie", "face.pad.passive"}

func stages(alone []seen) []figure {
	var out []figure
	for _, check := range watched {
		times := pluck(alone, func(s seen) time.Duration { return s.first[check] })
		f := figure{Name: check + " after the last byte", Value: milliseconds(median(times)), Unit: "ms"}
		if check == "doc.class.type" {
			f.Goal = 600
		}
		out = append(out, f)
	}
	return out
}

func pluck(all []seen, what func(seen) time.Duration) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, s := range all {
		out[i] = what(s)
	}
	return out
}
