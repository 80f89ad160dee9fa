package app

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// Topics prints the table of topics.
type Topics struct{}

// Help gives an example.
func (Topics) Help() string { return "Example:\n  bonafide topics" }

// Run prints the table.
func (Topics) Run(s streams) error {
	return table(s.out, "TOPIC\tKEY\tMESSAGE\tLANES\tRETENTION\tGUARANTEE\tPRODUCERS", func(row func(...any)) {
		for _, t := range topic.Table() {
			row(t.Name, t.Key, t.Message().ProtoReflect().Descriptor().FullName(), t.Lanes, retention(t.Retention), t.Guarantee, strings.Join(t.Producers, " "))
		}
	})
}

func retention(d time.Duration) string {
	if d == 0 {
		return "kept"
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// Checks prints the catalogue of checks.
type Checks struct {
	JSON bool `help:"Print one JSON array."`
}

// Help gives an example.
func (Checks) Help() string { return "Example:\n  bonafide checks | grep not_built" }

// Run prints the catalogue.
func (c Checks) Run(s streams) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(checkRows())
	}
	return table(s.out, "CHECK\tSERVICE\tANSWERED\tA FAILURE MEANS\tSTATE", func(row func(...any)) {
		for _, r := range checkRows() {
			row(r.Check, r.Service, r.Answered, r.Failure, r.State)
		}
	})
}

type checkRow struct {
	Check    string `json:"check"`
	Group    string `json:"group"`
	Service  string `json:"service"`
	Answered string `json:"answered"`
	Failure  string `json:"a_failure_means"`
	State    string `json:"state"`
}

func checkRows() []checkRow {
	var out []checkRow
	for _, c := range check.All() {
		r := checkRow{c.ID, c.Group, c.Service, c.Scope.String(), c.Kind.Status(), "built"}
		if !c.Built {
			r.State = "not_built"
		}
		if c.Service == "" {
			r.Service = "-"
		}
		out = append(out, r)
	}
	return out
}

// Version prints the version.
type Version struct{}

// version is set by the linker.
var version = "dev"

// Help gives an example.
func (Version) Help() string { return "Example:\n  bonafide version" }

// Run prints the version, the Go release and the platform.
func (Version) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "bonafide %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// table prints aligned columns under a header.
func table(w io.Writer, header string, fill func(row func(...any))) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, header)
	fill(func(cells ...any) {
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = fmt.Sprint(c)
		}
		fmt.Fprintln(tw, strings.Join(text, "\t"))
	})
	return tw.Flush()
}
