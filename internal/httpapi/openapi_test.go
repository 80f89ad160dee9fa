package httpapi_test

import (
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/httpapi/openapitest"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/service/deliver"
	"github.com/bonafide-id/bonafide/internal/service/ingest"
)

type nobody struct{}

func (nobody) Authenticate(*http.Request) (access.Principal, error) {
	return access.Principal{}, access.ErrRefused
}

func spec(t *testing.T) *openapitest.Spec {
	t.Helper()
	s, err := openapitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// all is every route of the whole system.
func all(t *testing.T) []httpapi.Route {
	t.Helper()
	routes := append(new(ingest.Service).Routes(), new(deliver.Service).Routes()...)
	s, err := httpapi.New(httpapi.Config{Routes: routes, Keys: nobody{}, Durability: "fsync", Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s.All()
}

// Every route is described, every described one exists, and both say the same about keys.
func TestEveryRouteIsDescribed(t *testing.T) {
	s := spec(t)
	var served []string
	for _, r := range all(t) {
		op := r.Method + " " + r.Path
		served = append(served, op)
		if slices.Contains(s.Operations(), op) && s.Public(op) != r.Public {
			t.Errorf("%s: described as public %v, served as %v", op, s.Public(op), r.Public)
		}
	}
	slices.Sort(served)
	if diff := cmp.Diff(s.Operations(), served); diff != "" {
		t.Errorf("described and served differ (-described +served):\n%s", diff)
	}
}

// Every code is described under its status, and none that is not there.
func TestEveryCodeIsDescribed(t *testing.T) {
	described, err := spec(t).Codes()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(codes(), described); diff != "" {
		t.Errorf("codes differ (-served +described):\n%s", diff)
	}
}

func codes() map[string]int {
	out := map[string]int{}
	for code, status := range problem.Codes() {
		out[string(code)] = status
	}
	return out
}

var (
	row  = regexp.MustCompile("(?m)^\\| ([0-9]{3}) \\| (.*) \\|$")
	name = regexp.MustCompile("`([a-z_]+)`")
)

// So does the table for people.
func TestEveryCodeIsInTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]int{}
	for _, m := range row.FindAllSubmatch(page, -1) {
		status, _ := strconv.Atoi(string(m[1]))
		for _, code := range name.FindAllSubmatch(m[2], -1) {
			written[string(code[1])] = status
		}
	}
	if diff := cmp.Diff(codes(), written); diff != "" {
		t.Errorf("codes differ (-served +written):\n%s", diff)
	}
	for _, r := range all(t) {
		if !regexp.MustCompile(regexp.QuoteMeta(r.Path) + "[?`]").Match(page) {
			t.Errorf("docs/http.md does not name %s", r.Path)
		}
	}
}

// The judge must be able to say no.
func TestTheJudgeBites(t *testing.T) {
	s := spec(t)
	json := http.Header{"Content-Type": {"application/json"}}
	wrong := http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {"1"}}
	unready := `{"type":"t","title":"t","status":503,"detail":"d","code":"unavailable","retryable":true}`
	for what, err := range map[string]error{
		"a path":                s.Judge("GET", "/v2/durability", 200, json, []byte(`{}`)),
		"a method":              s.Judge("PUT", "/v1/durability", 200, json, []byte(`{}`)),
		"a status":              s.Judge("GET", "/v1/durability", 201, json, []byte(`{}`)),
		"a type":                s.Judge("GET", "/healthz", 200, http.Header{"Content-Type": {"text/html"}}, []byte(`{"alive":true}`)),
		"a missing member":      s.Judge("GET", "/healthz", 200, json, []byte(`{}`)),
		"a member too many":     s.Judge("GET", "/healthz", 200, json, []byte(`{"alive":true,"and":"kicking"}`)),
		"a missing header":      s.Judge("GET", "/readyz", 503, http.Header{"Content-Type": {"application/problem+json"}}, []byte(unready)),
		"a code of another":     s.Judge("GET", "/readyz", 503, wrong, []byte(regexp.MustCompile("unavailable").ReplaceAllString(unready, "conflict"))),
		"a line of no kind":     s.Judge("GET", "/v1/feed/stream", 200, http.Header{"Content-Type": {"application/x-ndjson"}}, []byte(`{"t":"hullo"}`)),
		"an id of two segments": s.Judge("GET", "/v1/verifications/a/b", 200, json, []byte(`{}`)),
	} {
		if err == nil {
			t.Errorf("%s passes", what)
		}
	}
	if err := s.Judge("GET", "/readyz", 503, wrong, []byte(unready)); err != nil {
		t.Errorf("what is right: %v", err)
	}
}
