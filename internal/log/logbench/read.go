package logbench

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
)

// wake measures a follower on a log that is otherwise idle.
func (b *bench) wake(ctx context.Context, r *Result) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	got := make(chan time.Time, 1)
	go func() {
		for _, err := range b.log.Read(ctx, log.Lane{Topic: "wake.v1"}, log.Pos{}, log.Pos{}) {
			if err != nil {
				close(got)
				return
			}
			got <- time.Now()
		}
	}()
	var waits, alone []time.Duration
	for range 300 {
		start := time.Now()
		if _, err := b.log.Publish(ctx, log.Rec{Lane: log.Lane{Topic: "wake.v1"}, Val: make([]byte, b.Size)}); err != nil {
			return err
		}
		answered := time.Now()
		seen, ok := <-got
		if !ok {
			return fmt.Errorf("following: %w", ctx.Err())
		}
		alone = append(alone, answered.Sub(start))
		waits = append(waits, max(seen.Sub(answered), 0))
		time.Sleep(time.Millisecond)
	}
	r.WakeP50us, r.WakeP99us = percentiles(waits)
	r.AloneP50us, _ = percentiles(alone)
	return nil
}

// scan reads everything that was appended.
func (b *bench) scan(ctx context.Context, r *Result) error {
	start, n := time.Now(), 0
	for lane := range int32(8) {
		at := log.Lane{Topic: topic, N: lane}
		bound, err := b.log.Bounds(ctx, at)
		if err != nil {
			return err
		}
		for _, err := range b.log.Read(ctx, at, log.Pos{}, bound[0].End) {
			if err != nil {
				return err
			}
			n++
		}
	}
	if want := int(b.count.Load()); n != want {
		return fmt.Errorf("%d records there, of %d that were appended", n, want)
	}
	r.Scan = float64(n) / time.Since(start).Seconds()
	return nil
}

// open closes the log and measures how long it takes to open it again.
func (b *bench) open(dir string, r *Result) error {
	if err := b.log.Close(); err != nil {
		return err
	}
	r.OpenedMB = megabytes(dir)
	start := time.Now()
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		return err
	}
	r.OpenMs = float64(time.Since(start)) / float64(time.Millisecond)
	return l.Close()
}

func megabytes(dir string) (mb float64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if i, err := d.Info(); err == nil {
				mb += float64(i.Size()) / 1e6
			}
		}
		return nil
	})
	return mb
}
