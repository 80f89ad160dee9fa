// Package problem is how refusals are said over HTTP: problem+json (RFC 9457) with a stable code.
//
// The code is for programs and never changes; the detail is for people and holds nothing personal: no value of a request, no name of a file.
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Code is the stable name of a refusal.
type Code string

// The codes of the outward contract.
const (
	BadRequest       Code = "bad_request"
	BadParameter     Code = "bad_parameter"
	EmptyMedia       Code = "empty_media"
	DamagedMedia     Code = "damaged_media"
	Unauthenticated  Code = "unauthenticated"
	NotFound         Code = "not_found"
	MethodNotAllowed Code = "method_not_allowed"
	NoSuchEncoding   Code = "no_such_encoding"
	Conflict         Code = "conflict"
	Expired          Code = "expired"
	EpochChanged     Code = "epoch_changed"
	TooLarge         Code = "too_large"
	UnsupportedMedia Code = "unsupported_media"
	TooManyPixels    Code = "too_many_pixels"
	TooFewPixels     Code = "too_few_pixels"
	TooManySessions  Code = "too_many_sessions"
	Internal         Code = "internal"
	Overloaded       Code = "overloaded"
	Unavailable      Code = "unavailable"
	Draining         Code = "draining"
	StorageFull      Code = "storage_full"
)

type row struct {
	status    int
	title     string
	retryable bool
}

var table = map[Code]row{
	BadRequest:       {http.StatusBadRequest, "The request is not understood", false},
	BadParameter:     {http.StatusBadRequest, "A parameter is not understood", false},
	EmptyMedia:       {http.StatusBadRequest, "A medium is empty", false},
	DamagedMedia:     {http.StatusBadRequest, "A medium is damaged", false},
	Unauthenticated:  {http.StatusUnauthorized, "The API key is missing or not valid", false},
	NotFound:         {http.StatusNotFound, "There is no such thing", false},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "The method is not allowed here", false},
	NoSuchEncoding:   {http.StatusNotAcceptable, "None of the accepted media types can be given", false},
	Conflict:         {http.StatusConflict, "The idempotency key was used for another body", false},
	Expired:          {http.StatusGone, "The position is no longer kept", false},
	EpochChanged:     {http.StatusPreconditionFailed, "The position is of another feed or epoch", false},
	TooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large", false},
	UnsupportedMedia: {http.StatusUnsupportedMediaType, "The media type is not supported", false},
	TooManyPixels:    {http.StatusUnprocessableEntity, "A picture has too many pixels", false},
	TooFewPixels:     {http.StatusUnprocessableEntity, "A picture has too few pixels to show anything", false},
	TooManySessions:  {http.StatusTooManyRequests, "Too many sessions are open", true},
	Internal:         {http.StatusInternalServerError, "Something went wrong here", true},
	Overloaded:       {http.StatusServiceUnavailable, "Too much is being uploaded at the moment", true},
	Unavailable:      {http.StatusServiceUnavailable, "Something that is needed is not available", true},
	Draining:         {http.StatusServiceUnavailable, "The server is shutting down", true},
	StorageFull:      {http.StatusInsufficientStorage, "The storage is full", true},
}

// Codes lists every code with its status.
func Codes() map[Code]int {
	out := make(map[Code]int, len(table))
	for c, r := range table {
		out[c] = r.status
	}
	return out
}

// ContentType of a problem.
const ContentType = "application/problem+json"

// Problem is a refusal, and an error that carries it.
type Problem struct {
	Code   Code
	Detail string
	After  time.Duration  // of Retry-After, rounded up to seconds; 0: none
	More   map[string]any // members beside the standard ones
}

// New makes a problem; the detail is a sentence for people.
func New(c Code, format string, args ...any) *Problem {
	return &Problem{Code: c, Detail: fmt.Sprintf(format, args...)}
}

// RetryAfter says when to come back.
func (p *Problem) RetryAfter(t time.Duration) *Problem { p.After = t; return p }

// With adds a member.
func (p *Problem) With(name string, value any) *Problem {
	if p.More == nil {
		p.More = map[string]any{}
	}
	p.More[name] = value
	return p
}

// Error is the code and the detail.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// Status is the HTTP status of the code.
func (p *Problem) Status() int { return p.row().status }

func (p *Problem) row() row {
	if r, ok := table[p.Code]; ok {
		return r
	}
	return table[Internal]
}

// MarshalJSON writes the members that interface.md names, and those of More.
func (p *Problem) MarshalJSON() ([]byte, error) {
	r := p.row()
	out := map[string]any{"type": "urn:bonafide:problem:" + string(p.Code), "title": r.title, "status": r.status,
		"detail": p.Detail, "code": p.Code, "retryable": r.retryable}
	maps.Copy(out, p.More)
	return json.Marshal(out)
}

// Write answers a request with the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{}`) // More holds something that JSON cannot: the status still stands
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	if p.After > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.After.Seconds()))))
	}
	if p.Code == Unauthenticated {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body = append(body, '\n')
	h.Set("Content-Length", strconv.Itoa(len(body))) // nobody waits for the connection to close
	w.WriteHeader(p.Status())
	_, _ = w.Write(body)
}

// Of finds the problem in an error.
func Of(err error) (*Problem, bool) {
	var p *Problem
	return p, errors.As(err, &p)
}
