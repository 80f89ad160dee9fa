// Package httpapi is the outside of the system: one mux of the services' routes, with authentication, metrics and errors that are said as
// problem+json.
//
// A service brings its routes and knows nothing of the others. What is written about them in openapi.json is held against the handlers by
// tests.
package httpapi

import (
	"encoding/json"
	"net/http"
)

// Route is one thing that can be asked for.
type Route struct {
	Method  string
	Path    string // as net/http's mux spells it, such as /v1/verifications/{id}
	Handler http.HandlerFunc
	Public  bool // no key is asked for
}

// JSON answers with a value.
func JSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only for types that no handler gives
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
