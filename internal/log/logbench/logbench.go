// Package logbench measures the embedded log: durable appends against a bare write-ahead log, in turns
// within one run so that both meet the same disk and the same neighbours; scans; and how soon a follower
// has what was appended.
package logbench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
)

// Options configure Run; the zero value is the measurement that the figures in the documents come from.
type Options struct {
	Dir     string        // where to make a temporary directory; it decides which disk is measured
	Writers int           // default 16
	Size    int           // bytes of a record's value; default 1,024
	Rounds  int           // default 7 of each kind
	Round   time.Duration // default 700 ms
}

// Result is what Run measures. Rates are medians over the rounds, per second; Ratio is the median of each
// round's ratio of the log to the peer beside it.
type Result struct {
	LogAppends  float64 `json:"log_appends_per_s"`
	BareAppends float64 `json:"bare_appends_per_s"`
	Ratio       float64 `json:"ratio"`
	AppendP50us float64 `json:"append_p50_us"` // one writer's wait, in the log
	AppendP99us float64 `json:"append_p99_us"`
	Scan        float64 `json:"scan_records_per_s"`
	WakeP50us   float64 `json:"wake_p50_us"` // from Publish's answer to the follower having the record
	WakeP99us   float64 `json:"wake_p99_us"`
	AloneP50us  float64 `json:"append_alone_p50_us"` // Publish when nobody else does
	OpenMs      float64 `json:"open_ms"`             // opening again what the run has written
	OpenedMB    float64 `json:"opened_mb"`
}

func (o Options) withDefaults() Options {
	if o.Writers == 0 {
		o.Writers = 16
	}
	if o.Size == 0 {
		o.Size = 1024
	}
	if o.Rounds == 0 {
		o.Rounds = 7
	}
	if o.Round == 0 {
		o.Round = 700 * time.Millisecond
	}
	return o
}

const topic = "bench.v1"

// Run measures; it takes some 15 s and some 200 MB of disk.
func Run(ctx context.Context, o Options) (r Result, err error) {
	o = o.withDefaults()
	dir, err := os.MkdirTemp(o.Dir, "logbench-")
	if err != nil {
		return r, fmt.Errorf("making a directory to measure in: %w", err)
	}
	defer os.RemoveAll(dir)
	l, err := embedded.Open(embedded.Options{Dir: filepath.Join(dir, "log")})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := l.Create(ctx, log.Topic{Name: topic, Lanes: 8}, log.Topic{Name: "wake.v1", Lanes: 1}); err != nil {
		return r, err
	}
	w, err := newWAL(filepath.Join(dir, "peer"), 64<<20)
	if err != nil {
		return r, err
	}
	defer w.close()
	b := bench{Options: o, log: l, wal: w}
	if err := b.appends(ctx, &r); err != nil {
		return r, err
	}
	if err := b.wake(ctx, &r); err != nil {
		return r, err
	}
	if err := b.scan(ctx, &r); err != nil {
		return r, err
	}
	return r, b.open(filepath.Join(dir, "log"), &r)
}

type bench struct {
	Options
	log   *embedded.Log
	wal   *wal
	count atomic.Int64
	mu    sync.Mutex
	waits []time.Duration
}

// appends takes turns, and lets the other one begin every other time.
func (b *bench) appends(ctx context.Context, r *Result) error {
	var logs, bares, ratios []float64
	bare := func(int) error { return b.wal.append(make([]byte, b.Size)) }
	if _, err := b.round(bare); err != nil { // both warm
		return err
	}
	if _, err := b.round(b.publish(ctx)); err != nil {
		return err
	}
	b.waits = nil
	for i := range b.Rounds {
		var x, y float64
		var err, err2 error
		if i%2 == 0 {
			x, err = b.round(b.publish(ctx))
			y, err2 = b.round(bare)
		} else {
			y, err2 = b.round(bare)
			x, err = b.round(b.publish(ctx))
		}
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		logs, bares, ratios = append(logs, x), append(bares, y), append(ratios, x/y)
	}
	r.LogAppends, r.BareAppends, r.Ratio = median(logs), median(bares), median(ratios)
	r.AppendP50us, r.AppendP99us = percentiles(b.waits)
	return nil
}

func (b *bench) publish(ctx context.Context) func(int) error {
	val := make([]byte, b.Size)
	for i := range val {
		val[i] = byte(i * i >> 3)
	}
	return func(writer int) error {
		key := fmt.Appendf(nil, "writer-%d", writer)
		at := time.Now()
		_, err := b.log.Publish(ctx, log.Rec{Lane: log.Lane{Topic: topic}, Key: key, Val: val})
		b.mu.Lock()
		b.waits = append(b.waits, time.Since(at))
		b.mu.Unlock()
		b.count.Add(1)
		return err
	}
}

// round has all writers append for a while, and returns the rate.
func (b *bench) round(one func(writer int) error) (float64, error) {
	var wg sync.WaitGroup
	var n atomic.Int64
	errs := make([]error, b.Writers)
	start := time.Now()
	for w := range b.Writers {
		wg.Go(func() {
			for errs[w] == nil && time.Since(start) < b.Round {
				errs[w] = one(w)
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds(), errors.Join(errs...)
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func percentiles(d []time.Duration) (p50, p99 float64) {
	slices.Sort(d)
	us := func(i int) float64 { return float64(d[i]) / float64(time.Microsecond) }
	return us(len(d) / 2), us(len(d) * 99 / 100)
}
