// Package openapi is the description of the HTTP interface, OpenAPI 3.1, as it is served under /openapi.json.
//
// It is written by hand, for people first. That it is true is held by tests: every route is described and every described one exists
// (internal/httpapi), and the answers that the tests of the services provoke are valid against it (openapitest).
package openapi

import (
	_ "embed"
	"net/http"
)

// Document is openapi.json.
//
//go:embed openapi.json
var Document []byte

// Serve answers GET /openapi.json.
func Serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(Document)
}
