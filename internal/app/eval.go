package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bonafide-id/bonafide/internal/vision/picture"
)

// Eval runs many items through the real pipeline, each as a verification of its own, and writes what was found.
type Eval struct {
	Items    string `required:"" type:"existingfile" help:"JSON lines: id, document, document_back, selfie, face_a, face_b, mrz_line; paths relative to this file."`
	Out      string `required:"" type:"path" help:"Where the findings go, one line an item, in order."`
	Parallel int    `help:"Items in hand at once (default: the number of cores)."`
	Models   string `type:"path" help:"Directory of the models (default: found beside the binary)."`
}

// Help gives an example.
func (Eval) Help() string {
	return "Example:\n  echo '{\"id\": \"1\", \"document\": \"passport.jpg\"}' > items.jsonl\n  bonafide eval --items items.jsonl --out findings.jsonl"
}

// item is one line of the input; all paths are optional.
type item struct {
	ID           string `json:"id"`
	Document     string `json:"document"`
	DocumentBack string `json:"document_back"`
	Selfie       string `json:"selfie"`
	FaceA        string `json:"face_a"`
	FaceB        string `json:"face_b"`
	MRZLine      string `json:"mrz_line"`

	fault error // the line itself cannot be read
}

var errItem = errors.New("the item is not understood")

// readItem reads one line; labels and whatever else stands beside is left alone. An item that asks for nothing is a fault: a misspelt name would
// otherwise pass as "nothing found".
func readItem(line []byte) (it item) {
	if err := json.Unmarshal(line, &it); err != nil {
		return item{ID: it.ID, fault: fmt.Errorf("%w: %w", errItem, err)}
	}
	switch {
	case (it.FaceA == "") != (it.FaceB == ""):
		it.fault = fmt.Errorf("%w: face_a and face_b go together", errItem)
	case it.Document+it.DocumentBack+it.Selfie+it.FaceA+it.MRZLine == "":
		it.fault = fmt.Errorf("%w: it names no picture", errItem)
	}
	return it
}

// evaluated is one line of the output.
type evaluated struct {
	ID       string        `json:"id"`
	TookMS   int64         `json:"took_ms"`
	Findings []evalFinding `json:"findings"`
	Error    string        `json:"error"`
}

type evalFinding struct {
	Check   string          `json:"check"`
	Outcome string          `json:"outcome"`
	Reason  string          `json:"reason"`
	Value   json.RawMessage `json:"value,omitempty"`
	Score   json.RawMessage `json:"score,omitempty"`
}

// evalDeadline is long, because a measurement of accuracy must not depend on the speed of the machine.
const evalDeadline = 5 * time.Minute

// Run evaluates; an item that cannot be read has an error and does not stop the run.
func (e *Eval) Run(ctx context.Context, s streams) error {
	items, err := readItems(e.Items)
	if err != nil {
		return fmt.Errorf("reading items: %w", err)
	}
	c, closeServer, err := local(ctx, s, e.Models)
	if err != nil {
		return err
	}
	defer closeServer()
	bare, err := openBare(e.Models)
	if err != nil {
		return err
	}
	defer bare.close()
	results := make([]evaluated, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, e.parallel()))
	note := func(id string, err error) { fmt.Fprintf(s.err, "item %s: %v\n", id, err) }
	ev := evaluator{client: c, bare: bare, dir: filepath.Dir(e.Items), note: note}
	for i, it := range items {
		group.Go(func() error {
			results[i] = ev.item(ctx, it)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return writeResults(e.Out, results)
}

func (e *Eval) parallel() int {
	if e.Parallel > 0 {
		return e.Parallel
	}
	return runtime.NumCPU()
}

func readItems(path string) ([]item, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []item
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxItem)
	for s.Scan() {
		if len(bytes.TrimSpace(s.Bytes())) > 0 {
			out = append(out, readItem(s.Bytes()))
		}
	}
	return out, s.Err()
}

// maxItem bounds a line in bytes.
const maxItem = 1 << 20

func writeResults(path string, results []evaluated) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for _, r := range results {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// evaluator runs single items.
type evaluator struct {
	client *client
	bare   *bare
	dir    string
	note   func(id string, err error) // tells a person what the code does not
}

func (ev evaluator) item(ctx context.Context, it item) evaluated {
	began := time.Now()
	r := evaluated{ID: it.ID, Findings: []evalFinding{}}
	findings, err := ev.findings(ctx, it)
	if err != nil {
		r.Error = codeOf(err)
		ev.note(it.ID, err)
	}
	r.Findings = append(r.Findings, findings...)
	r.TookMS = time.Since(began).Milliseconds()
	return r
}

// findings of the pipeline, and of the two comparisons that exist only here.
func (ev evaluator) findings(ctx context.Context, it item) ([]evalFinding, error) {
	if it.fault != nil {
		return nil, it.fault
	}
	var out []evalFinding
	p := pictures{ev.path(it.Document), ev.path(it.DocumentBack), ev.path(it.Selfie)}
	if len(p.parts()) > 0 {
		got, err := ev.pipeline(ctx, p)
		if err != nil {
			return out, err
		}
		out = append(out, got...)
	}
	if it.FaceA != "" || it.FaceB != "" {
		f, err := ev.bare.faces(ev.path(it.FaceA), ev.path(it.FaceB))
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
	if it.MRZLine != "" {
		f, err := ev.bare.mrzLine(ev.path(it.MRZLine))
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (ev evaluator) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(ev.dir, name)
}

// pipeline sends one verification and collects its findings until it ended.
func (ev evaluator) pipeline(ctx context.Context, p pictures) ([]evalFinding, error) {
	request := fmt.Sprintf(`{"deadline_ms": %d}`, evalDeadline.Milliseconds())
	r, err := ev.submit(ctx, p, []byte(request))
	if err != nil {
		return nil, err
	}
	var out []evalFinding
	err = ev.client.events(ctx, r.Verification, func(line []byte) error {
		var f struct {
			Type    string      `json:"type"`
			Finding evalFinding `json:"finding"`
		}
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		if f.Type == "finding" {
			out = append(out, f.Finding)
		}
		return nil
	})
	return out, err
}

// overloadedPause is how long an item waits while as many uploads are in hand as one client may have: on many cores items are more.
const overloadedPause = 200 * time.Millisecond

func (ev evaluator) submit(ctx context.Context, p pictures, request []byte) (receipt, error) {
	for {
		r, _, err := ev.client.submit(ctx, p, request)
		var said *answer
		if !errors.As(err, &said) || said.Code != "overloaded" {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(overloadedPause):
		}
	}
}

// codeOf is the code of a problem, of a picture's fault, or of a file that is not there; what is none of them is a fault of ours.
func codeOf(err error) string {
	var p *answer
	switch code := picture.CodeOf(err); {
	case errors.As(err, &p):
		return p.Code
	case code != "":
		return string(code)
	case errors.Is(err, os.ErrNotExist):
		return "not_found"
	case errors.Is(err, errItem), errors.Is(err, errNoFile):
		return "bad_request"
	default:
		return "internal"
	}
}
