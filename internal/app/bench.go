package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Bench measures this machine; every figure is a median of one run, or a ratio to a peer that ran interleaved with it.
type Bench struct {
	What   string `arg:"" optional:"" enum:"all,log,delivery,vision,verify" default:"all" help:"log, delivery, vision, verify, or all of them."`
	JSON   bool   `help:"Print one object with every figure."`
	Rounds int    `default:"5" help:"Verifications, or rounds, behind each median."`
	Models string `type:"path" help:"Directory of the models (default: found beside the binary)."`
}

// Help gives an example.
func (Bench) Help() string {
	return "Example:\n  bonafide bench log\n  bonafide bench --json > bench.json"
}

// figure is one row of the table.
type figure struct {
	Group string  `json:"group"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Goal is what the project set itself, 0 where there is none; Least says that more is better.
	Goal  float64 `json:"goal,omitempty"`
	Least bool    `json:"goal_is_least,omitempty"`
}

// suite is one part of the benchmark.
type suite struct {
	name string
	run  func(ctx context.Context, b *Bench, note func(string)) ([]figure, error)
}

func suites() []suite {
	return []suite{{"log", benchLog}, {"delivery", benchDelivery}, {"vision", benchVision}, {"verify", benchVerify}}
}

// Run measures and prints.
func (b *Bench) Run(ctx context.Context, s streams) error {
	var all []figure
	for _, part := range suites() {
		if b.What != "all" && b.What != part.name {
			continue
		}
		figures, err := part.run(ctx, b, func(what string) { fmt.Fprintf(s.err, "measuring %s: %s\n", part.name, what) })
		if err != nil {
			return fmt.Errorf("measuring %s: %w", part.name, err)
		}
		for i := range figures {
			figures[i].Group = part.name
		}
		all = append(all, figures...)
	}
	if b.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{"version": version, "at": time.Now().UTC(), "figures": all})
	}
	return printFigures(s.out, all)
}

func printFigures(w io.Writer, figures []figure) error {
	return table(w, "WHAT\tMEASURED\tGOAL\t", func(row func(...any)) {
		for _, f := range figures {
			row(f.Group+": "+f.Name, amount(f.Value, f.Unit), f.goal(), f.verdict())
		}
	})
}

func amount(v float64, unit string) string {
	switch {
	case unit == "":
		return fmt.Sprintf("%.2f", v)
	case v >= 100:
		return fmt.Sprintf("%.0f %s", v, unit)
	default:
		return fmt.Sprintf("%.3g %s", v, unit)
	}
}

func (f figure) goal() string {
	switch {
	case f.Goal == 0:
		return ""
	case f.Least:
		return "≥ " + amount(f.Goal, f.Unit)
	default:
		return "≤ " + amount(f.Goal, f.Unit)
	}
}

func (f figure) verdict() string {
	switch {
	case f.Goal == 0:
		return ""
	case f.Least == (f.Value >= f.Goal), f.Value == f.Goal:
		return "reached"
	default:
		return "NOT REACHED"
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile of unsorted samples, 0 ≤ q ≤ 1, by the nearest rank.
func quantile(xs []time.Duration, q float64) time.Duration {
	if len(xs) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(xs))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func median(xs []time.Duration) time.Duration { return quantile(xs, 0.5) }
