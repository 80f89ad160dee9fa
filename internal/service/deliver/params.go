package deliver

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// Bounds of the parameters of a stream (delivery.md).
const (
	defaultHeartbeat = 10 * time.Second
	longestHeartbeat = 30 * time.Second
	defaultAge       = time.Hour
	longestAge       = 24 * time.Hour
	maxParams        = 4096 // bytes of a POST
)

// params are what a client asks of a stream.
type params struct {
	from, after string // at most one of them; of a feed
	seq         uint64 // of one verification: frames behind this one
	follow      bool   // of one verification: go on after ended
	heartbeat   time.Duration
	age         time.Duration
	onGap       bool // go on behind what retention has taken
}

var (
	feedParams  = []string{"from", "after", "heartbeat_s", "max_age_s", "on_gap"}
	eventParams = []string{"after", "follow", "heartbeat_s", "max_age_s"}
)

func badParameter(format string, args ...any) *problem.Problem {
	return problem.New(problem.BadParameter, format, args...)
}

// values reads the parameters: of the address, and of a POST's body, a JSON object of the same names.
func values(r *http.Request, known []string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParameter("the query is not well formed")
	}
	if r.Method == http.MethodPost {
		if err := bodyValues(r, q); err != nil {
			return nil, err
		}
	}
	for name, vs := range q {
		if !slices.Contains(known, name) {
			return nil, badParameter("there is a parameter that is not known here; known are %s", strings.Join(known, ", "))
		}
		if len(vs) > 1 {
			return nil, badParameter("%s is given twice", name)
		}
	}
	return q, nil
}

func bodyValues(r *http.Request, q url.Values) error {
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxParams))
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return problem.New(problem.TooLarge, "the parameters are larger than %d bytes", maxParams)
	}
	if err != nil {
		return badParameter("the body cannot be read")
	}
	if len(raw) == 0 {
		return nil
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return problem.New(problem.UnsupportedMedia, "the parameters of a POST are a JSON object, application/json")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return badParameter("the body is not a JSON object")
	}
	for name, v := range fields {
		text := string(v)
		if json.Unmarshal(v, &text) != nil && strings.ContainsAny(text, "{[") {
			return badParameter("a parameter is neither a text nor a number")
		}
		q.Add(name, text)
	}
	return nil
}

// parseFeed reads the parameters of a feed's stream.
func parseFeed(q url.Values) (p params, err error) {
	p.from, p.after = q.Get("from"), q.Get("after")
	if p.from != "" && p.after != "" {
		return p, badParameter("from and after exclude one another")
	}
	switch q.Get("on_gap") {
	case "", "refuse":
	case "continue":
		p.onGap = true
	default:
		return p, badParameter("on_gap is neither refuse nor continue")
	}
	return p, p.timing(q)
}

// parseEvents reads the parameters of one verification's frames.
func parseEvents(q url.Values) (p params, err error) {
	if text := q.Get("after"); text != "" {
		if p.seq, err = strconv.ParseUint(text, 10, 63); err != nil {
			return p, badParameter("after is not the seq of a frame")
		}
	}
	if text := q.Get("follow"); text != "" {
		if p.follow, err = strconv.ParseBool(text); err != nil {
			return p, badParameter("follow is neither true nor false")
		}
	}
	return p, p.timing(q)
}

func (p *params) timing(q url.Values) (err error) {
	if p.heartbeat, err = seconds(q, "heartbeat_s", defaultHeartbeat, longestHeartbeat); err != nil {
		return err
	}
	p.age, err = seconds(q, "max_age_s", 0, longestAge)
	return err
}

func seconds(q url.Values, name string, otherwise, longest time.Duration) (time.Duration, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if d := time.Duration(n) * time.Second; err == nil && n >= 1 && n <= int(longest.Seconds()) {
		return d, nil
	}
	return 0, badParameter("%s is not between 1 and %d", name, int(longest.Seconds()))
}

// ndjson is what streams are written in.
const ndjson = "application/x-ndjson"

// accepts says how well a media type is accepted: 0 not at all, 1 by a wildcard, 2 by name. No Accept header accepts everything.
func accepts(h http.Header, kind string) int {
	best := 0
	all := strings.Join(h.Values("Accept"), ",")
	if strings.TrimSpace(all) == "" {
		return 1
	}
	family, _, _ := strings.Cut(kind, "/")
	for item := range strings.SplitSeq(all, ",") {
		name, ps, err := mime.ParseMediaType(item)
		if q, bad := strconv.ParseFloat(ps["q"], 64); err != nil || bad == nil && q == 0 {
			continue
		}
		switch name {
		case kind:
			best = max(best, 2)
		case "*/*", family + "/*":
			best = max(best, 1)
		}
	}
	return best
}
