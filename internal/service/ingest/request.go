package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gowebpki/jcs"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
)

// Bounds of a request. The deadline's default is delivery's ten seconds; its longest is what anybody will wait for an answer.
const (
	maxRequest      = 64 << 10
	maxDepth        = 8
	maxText         = 256 // characters of any one value
	maxAge          = 150
	defaultDeadline = 10 * time.Second
	longestDeadline = 10 * time.Minute
)

// request is the part of that name.
type request struct {
	Declared   declared `json:"declared"`
	MinimumAge *int64   `json:"minimum_age"`
	DeadlineMS *int64   `json:"deadline_ms"`
	Wants      []string `json:"wants"`
	Consent    *consent `json:"consent"`
	Reference  string   `json:"reference"`
}

type declared struct {
	Surname        string `json:"surname"`
	GivenNames     string `json:"given_names"`
	BirthDate      string `json:"birth_date"`
	DocumentNumber string `json:"document_number"`
}

type consent struct {
	Text string `json:"text"`
	At   string `json:"at"`
}

// The fields that a request may have; encoding/json would also take them in other case.
var (
	requestFields  = []string{"declared", "minimum_age", "deadline_ms", "wants", "consent", "reference"}
	declaredFields = []string{"surname", "given_names", "birth_date", "document_number"}
	consentFields  = []string{"text", "at"}
)

func bad(format string, args ...any) error {
	return problem.New(problem.BadRequest, format, args...)
}

// parseRequest reads a request and gives its canonical form (RFC 8785) with it. What is wrong is said without any value of it.
func parseRequest(raw []byte) (q request, canonical []byte, err error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	if err := wellFormed(raw); err != nil {
		return q, nil, err
	}
	if err := knownFields(raw); err != nil {
		return q, nil, err
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		return q, nil, bad("a value of the request has the wrong type")
	}
	if err := q.validate(); err != nil {
		return q, nil, err
	}
	canonical, err = jcs.Transform(raw)
	if err != nil {
		return q, nil, bad("the request is not JSON that has one meaning; a field stands in it twice, or a number is too large")
	}
	return q, canonical, nil
}

// wellFormed refuses what is no JSON object or nested too deep, before anything recursive sees it.
func wellFormed(raw []byte) error {
	if !utf8.Valid(raw) {
		return bad("the request is not UTF-8")
	}
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '{' || c == '['):
			depth++
			deepest = max(deepest, depth)
		case !quoted && (c == '}' || c == ']'):
			depth--
		}
	}
	if deepest > maxDepth {
		return bad("the request is nested deeper than %d levels", maxDepth)
	}
	if !json.Valid(raw) || bytes.TrimSpace(raw)[0] != '{' {
		return bad("the request is not a JSON object")
	}
	return nil
}

func knownFields(raw []byte) error {
	top, err := fieldsOf(raw, "the request", requestFields)
	if err != nil {
		return err
	}
	if _, err := fieldsOf(top["declared"], "declared", declaredFields); err != nil {
		return err
	}
	_, err = fieldsOf(top["consent"], "consent", consentFields)
	return err
}

// fieldsOf gives the fields of an object, all of which are known. What is no object at all is left to the decoder.
func fieldsOf(raw json.RawMessage, name string, known []string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if raw == nil || json.Unmarshal(raw, &fields) != nil {
		return nil, nil
	}
	for f := range fields {
		if !slices.Contains(known, f) {
			return nil, bad("%s has a field that is not known; known are %s", name, strings.Join(known, ", "))
		}
	}
	return fields, nil
}

func (q request) validate() error {
	for _, text := range []string{q.Declared.Surname, q.Declared.GivenNames, q.Declared.DocumentNumber, q.Reference} {
		if utf8.RuneCountInString(text) > maxText {
			return bad("a text of the request is longer than %d characters", maxText)
		}
	}
	if d := q.Declared.BirthDate; d != "" {
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			return bad("declared.birth_date is not a date of the form 2006-01-02")
		}
	}
	if a := q.MinimumAge; a != nil && (*a < 0 || *a > maxAge) {
		return bad("minimum_age is not between 0 and %d", maxAge)
	}
	if d := q.DeadlineMS; d != nil && (*d < 1 || *d > longestDeadline.Milliseconds()) {
		return bad("deadline_ms is not between 1 and %d", longestDeadline.Milliseconds())
	}
	return q.Consent.validate()
}

func (c *consent) validate() error {
	if c == nil {
		return nil
	}
	if utf8.RuneCountInString(c.Text) > maxText {
		return bad("consent.text is longer than %d characters", maxText)
	}
	if c.At != "" {
		if _, err := time.Parse(time.RFC3339, c.At); err != nil {
			return bad("consent.at is not a time of RFC 3339")
		}
	}
	return nil
}

func (q request) deadline() time.Duration {
	if q.DeadlineMS == nil {
		return defaultDeadline
	}
	return time.Duration(*q.DeadlineMS) * time.Millisecond
}

// checkWants holds what the client announces against what it sent: in one request, all of it must be there.
func (q request) checkWants(sent []envelopev1.Medium) error {
	seen := map[envelopev1.Medium]bool{}
	for _, name := range q.Wants {
		m := check.Parse(name)
		switch {
		case m == envelopev1.Medium_MEDIUM_UNSPECIFIED || name != check.Name(m):
			return bad("wants names a medium that is not known; known are document, document_back, selfie")
		case seen[m]:
			return bad("wants names %s twice", name)
		case !slices.Contains(sent, m):
			return bad("wants names %s, which was not sent; uploading it later is not possible yet", name)
		}
		seen[m] = true
	}
	return nil
}
