// Package openapitest holds what handlers answer against openapi.json, in tests.
//
// The document leaves its objects open, so that members can be added; here they are closed, so that a member that nobody described is seen.
package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bonafide-id/bonafide/internal/httpapi/openapi"
)

// Spec is the document, ready to judge answers.
type Spec struct {
	paths    map[string]any
	root     map[string]any
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
}

const resource = "bonafide:openapi.json"

// Load reads the document.
func Load() (*Spec, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openapi.Document))
	if err != nil {
		return nil, fmt.Errorf("reading openapi.json: %w", err)
	}
	root := doc.(map[string]any)
	closeObjects(root["components"])
	closeObjects(root["paths"])
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(resource, doc); err != nil {
		return nil, fmt.Errorf("reading openapi.json: %w", err)
	}
	return &Spec{paths: root["paths"].(map[string]any), root: root, compiler: c, schemas: map[string]*jsonschema.Schema{}}, nil
}

// closeObjects refuses members that are not described, in every object that says nothing of its own about them.
func closeObjects(node any) {
	switch n := node.(type) {
	case map[string]any:
		_, says := n["additionalProperties"]
		if n["type"] == "object" && n["properties"] != nil && !says {
			n["additionalProperties"] = false
		}
		for _, v := range n {
			closeObjects(v)
		}
	case []any:
		for _, v := range n {
			closeObjects(v)
		}
	}
}

// Operations lists what is described, as "GET /v1/durability", sorted.
func (s *Spec) Operations() []string {
	var out []string
	for path, item := range s.paths {
		for method := range item.(map[string]any) {
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

// Public says whether an operation asks for no key.
func (s *Spec) Public(operation string) bool {
	method, path, _ := strings.Cut(operation, " ")
	needs, ok := s.paths[path].(map[string]any)[strings.ToLower(method)].(map[string]any)["security"].([]any)
	return ok && len(needs) == 0
}

// Codes gives the status of every code that is described.
func (s *Spec) Codes() (map[string]int, error) {
	out := map[string]int{}
	for status := range at(s.root, "components", "responses").(map[string]any) {
		schema := at(s.root, "components", "responses", status, "content", "application/problem+json", "schema", "properties").(map[string]any)
		n, err := at(schema, "status", "const").(json.Number).Int64()
		if err != nil || fmt.Sprint(n) != status {
			return nil, fmt.Errorf("response %s has status %d (%v)", status, n, err)
		}
		for _, code := range at(schema, "code", "enum").([]any) {
			out[code.(string)] = int(n)
		}
	}
	return out, nil
}

func at(node any, path ...string) any {
	for _, p := range path {
		m, _ := node.(map[string]any)
		node = m[p]
	}
	return node
}

var parameter = regexp.MustCompile(`\\\{[a-z_]+\\\}`)

// find gives the described path that a request's path is of.
func (s *Spec) find(path string) (string, bool) {
	for p := range s.paths {
		if ok, _ := regexp.MatchString("^"+parameter.ReplaceAllString(regexp.QuoteMeta(p), "[^/]+")+"$", path); ok {
			return p, true
		}
	}
	return "", false
}

// Judge says what is wrong with an answer. Of a stream, body is one line.
func (s *Spec) Judge(method, path string, status int, h http.Header, body []byte) error {
	p, ok := s.find(path)
	if !ok {
		return fmt.Errorf("%s is not described", path)
	}
	where := []string{"paths", p, strings.ToLower(method), "responses", fmt.Sprint(status)}
	if status == http.StatusMethodNotAllowed { // of a method that is not there
		where = []string{"components", "responses", fmt.Sprint(status)}
	}
	answer, ok := at(s.root, where...).(map[string]any)
	if !ok {
		return fmt.Errorf("%s %s: status %d is not described", method, p, status)
	}
	if ref, ok := answer["$ref"].(string); ok {
		where = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		answer = at(s.root, where...).(map[string]any)
	}
	needed, _ := answer["headers"].(map[string]any)
	for name := range needed {
		if h.Get(name) == "" {
			return fmt.Errorf("%s %s: %d comes without %s", method, p, status, name)
		}
	}
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if at(answer, "content", kind) == nil {
		return fmt.Errorf("%s %s: %d is not described as %q", method, p, status, kind)
	}
	if !strings.HasSuffix(kind, "json") {
		return nil
	}
	return s.validate(append(where, "content", kind, "schema"), body)
}

func (s *Spec) validate(where []string, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%.200s: %w", body, err)
	}
	schema, err := s.schema(where)
	if err != nil {
		return err
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("%.300s: %w", body, err)
	}
	return nil
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1")

func (s *Spec) schema(where []string) (*jsonschema.Schema, error) {
	at := resource + "#"
	for _, p := range where {
		at += "/" + url.PathEscape(pointer.Replace(p))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.schemas[at]; known != nil {
		return known, nil
	}
	schema, err := s.compiler.Compile(at)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", at, err)
	}
	s.schemas[at] = schema
	return schema, nil
}

// Watch judges everything that a handler answers while a test runs. The handler must have returned before the test ends, as it has behind a
// closed httptest.Server.
func Watch(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		for _, body := range seen.pieces() {
			if err := s.Judge(r.Method, r.URL.Path, seen.status, seen.Header(), body); err != nil {
				t.Error(err)
			}
		}
	})
}

// recorder keeps what goes through it.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// pieces are what is judged one by one: the lines of a stream, without one that was cut, or the whole.
func (r *recorder) pieces() [][]byte {
	if !strings.HasPrefix(r.Header().Get("Content-Type"), "application/x-ndjson") {
		return [][]byte{r.body.Bytes()}
	}
	lines := bytes.Split(r.body.Bytes(), []byte("\n"))
	return lines[:len(lines)-1]
}
