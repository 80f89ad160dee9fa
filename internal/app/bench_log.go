package app

import (
	"context"
	"os"

	"github.com/bonafide-id/bonafide/internal/log/logbench"
)

// benchLog measures the embedded log beside a bare write-ahead log, in turns.
func benchLog(ctx context.Context, b *Bench, note func(string)) ([]figure, error) {
	note("appends, in turns with a bare write-ahead log")
	r, err := logbench.Run(ctx, logbench.Options{Dir: os.TempDir(), Rounds: b.Rounds})
	if err != nil {
		return nil, err
	}
	return []figure{
		{Name: "durable appends of 1 KiB, 16 writers / bare write-ahead log", Value: r.Ratio, Goal: 0.7, Least: true},
		{Name: "durable appends, 16 writers", Value: r.LogAppends, Unit: "/s"},
		{Name: "bare write-ahead log, 16 writers", Value: r.BareAppends, Unit: "/s"},
		{Name: "one append among 16 writers, p50", Value: r.AppendP50us / 1000, Unit: "ms"},
		{Name: "one append among 16 writers, p99", Value: r.AppendP99us / 1000, Unit: "ms"},
		{Name: "one append alone, p50", Value: r.AloneP50us / 1000, Unit: "ms"},
		{Name: "scan", Value: r.Scan, Unit: "records/s"},
		{Name: "append answered → seen by a follower, p50", Value: r.WakeP50us / 1000, Unit: "ms"},
		{Name: "append answered → seen by a follower, p99", Value: r.WakeP99us / 1000, Unit: "ms"},
		{Name: "opening what the run has written", Value: r.OpenMs, Unit: "ms"},
	}, nil
}
