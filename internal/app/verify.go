package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Verify sends pictures through the public HTTP interface and prints every frame as it comes.
type Verify struct {
	Document     string        `required:"" type:"existingfile" help:"Picture of the document: its front, or the data page of a passport."`
	DocumentBack string        `type:"existingfile" help:"Picture of the back."`
	Selfie       string        `type:"existingfile" help:"Video of the face; an animated GIF or a still is taken too."`
	Request      string        `help:"The request as JSON, or @FILE." placeholder:"JSON|@FILE"`
	Server       string        `help:"Where bonafide listens; without it, it is started in this process on a temporary directory." placeholder:"URL"`
	KeyFile      string        `type:"existingfile" help:"File with the API key for --server."`
	JSON         bool          `help:"Print the msg frames, one a line."`
	Brief        bool          `help:"Print only what is not a pass, and the summary."`
	Models       string        `type:"path" help:"Directory of the models (default: found beside the binary)."`
	Timeout      time.Duration `default:"2m" help:"Give up after this time."`
}

// Help gives an example.
func (Verify) Help() string {
	return "Example:\n  bonafide verify --document passport.jpg --selfie face.mp4 --request '{\"minimum_age\": 18}'"
}

// Validate says what does not go together.
func (v *Verify) Validate() error {
	if (v.Server == "") != (v.KeyFile == "") {
		return usageError{"--server and --key-file go together"}
	}
	return nil
}

// Run verifies; it is done when the verification ended, whatever was found.
func (v *Verify) Run(ctx context.Context, s streams) error {
	ctx, stop := context.WithTimeout(ctx, v.Timeout)
	defer stop()
	request, err := v.request()
	if err != nil {
		return err
	}
	c, closeServer, err := v.connect(ctx, s)
	if err != nil {
		return err
	}
	defer closeServer()
	r, uploaded, err := c.submit(ctx, pictures{v.Document, v.DocumentBack, v.Selfie}, request)
	if err != nil {
		return fmt.Errorf("sending the pictures: %w", err)
	}
	p := printer{w: s.out, since: uploaded, brief: v.Brief}
	hear := p.hear
	if v.JSON {
		hear = func(line []byte) error { _, err := fmt.Fprintf(s.out, "%s\n", line); return err }
	} else {
		fmt.Fprintf(s.out, "%s accepted (%s)\n", r.Verification, r.Durability)
	}
	return c.events(ctx, r.Verification, hear)
}

func (v *Verify) request() ([]byte, error) {
	name, ok := strings.CutPrefix(v.Request, "@")
	if !ok {
		return []byte(v.Request), nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError{fmt.Sprintf("--request: %v", err)}
	}
	return text, nil
}

// connect gives a client of the named server, or of one that it starts.
func (v *Verify) connect(ctx context.Context, s streams) (*client, func(), error) {
	if v.Server == "" {
		return local(ctx, s, v.Models)
	}
	key, err := os.ReadFile(v.KeyFile)
	return &client{strings.TrimRight(v.Server, "/"), string(key), http.DefaultClient}, func() {}, err
}

// shown is what is printed of a frame.
type shown struct {
	Type    string `json:"type"`
	Late    bool   `json:"late"`
	Finding struct {
		Check    string          `json:"check"`
		Outcome  string          `json:"outcome"`
		Reason   string          `json:"reason"`
		Value    json.RawMessage `json:"value"`
		Evidence struct {
			Medium string `json:"medium"`
		} `json:"evidence"`
	} `json:"finding"`
	Summary struct {
		Groups map[string]string `json:"groups"`
		Open   int               `json:"open"`
	} `json:"summary"`
	Ended struct {
		Reason   string `json:"reason"`
		Findings int    `json:"findings"`
		TookMS   int    `json:"took_ms"`
	} `json:"ended"`
	Incident struct {
		Dependency string `json:"dependency"`
		Condition  string `json:"condition"`
		Action     string `json:"action"`
	} `json:"incident"`
}

// printer shows frames to people, with the milliseconds since the upload ended.
type printer struct {
	w     io.Writer
	since time.Time
	brief bool
	last  map[string]string // the groups of the last summary
}

func (p *printer) hear(line []byte) error {
	var f shown
	if err := json.Unmarshal(line, &f); err != nil {
		return fmt.Errorf("reading a frame: %w", err)
	}
	switch f.Type {
	case "finding":
		p.finding(f)
	case "summary":
		p.last = f.Summary.Groups
	case "incident":
		p.say("incident", "%s is %s: %s", f.Incident.Dependency, f.Incident.Condition, f.Incident.Action)
	case "ended":
		p.say("ended", "%s, %d findings in %d ms", f.Ended.Reason, f.Ended.Findings, f.Ended.TookMS)
		return p.summary()
	}
	return nil
}

func (p *printer) say(what, format string, args ...any) {
	fmt.Fprintf(p.w, "%6d ms  %-42s %s\n", time.Since(p.since).Milliseconds(), what, fmt.Sprintf(format, args...))
}

func (p *printer) finding(f shown) {
	x := f.Finding
	quiet := x.Outcome == "pass" || x.Outcome == "not_applicable" || x.Reason == "not_built"
	if p.brief && quiet && x.Check != "doc.class.type" {
		return
	}
	outcome := x.Outcome
	if x.Reason != "" {
		outcome += " (" + x.Reason + ")"
	}
	name := x.Check
	if x.Evidence.Medium == "document_back" {
		name += " (back)"
	}
	p.say(name, "%-12s %s", outcome, plainValue(x.Value))
}

func (p *printer) summary() error {
	return table(p.w, "           GROUP\tSTATUS", func(row func(...any)) {
		for _, g := range sortedKeys(p.last) {
			row("           "+g, p.last[g])
		}
	})
}

// plainValue is a finding's value as people read it: text, date, number or class; a polygon is left out.
func plainValue(raw json.RawMessage) string {
	var v struct {
		Text, Date, Class string
		Number            *float64
	}
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	if v.Number != nil {
		return fmt.Sprint(*v.Number)
	}
	return strings.ReplaceAll(v.Text+v.Date+v.Class, "\n", " ⏎ ")
}
