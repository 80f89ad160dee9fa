package ingest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"syscall"
	"time"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/httpapi/problem"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// serve answers POST /v1/verifications.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	a, err := s.upload(w, r)
	if err != nil {
		s.problem(r, err).Refuse(w, r)
		return
	}
	status := http.StatusAccepted
	if a.repeated {
		status = http.StatusOK
	}
	w.Header().Set("Location", "/v1/verifications/"+a.envelope.GetVerificationId())
	httpapi.JSON(w, status, s.receipt(a.envelope))
}

// receipt is the answer to what was accepted, the same each time. There is no capture token: nothing is left to be uploaded.
type receipt struct {
	Verification string            `json:"verification"`
	State        string            `json:"state"`
	Uploads      map[string]string `json:"uploads"`
	Durability   string            `json:"durability"`
	ExpiresAt    string            `json:"expires_at"`
}

func (s *Service) receipt(e *envelopev1.Envelope) receipt {
	return receipt{e.GetVerificationId(), "processing", map[string]string{}, s.Durability, e.GetExpiresAt().AsTime().Format(time.RFC3339Nano)}
}

// upload refuses what can be refused by its headers, and then reads.
func (s *Service) upload(w http.ResponseWriter, r *http.Request) (acceptance, error) {
	key, err := idempotencyKey(r.Header)
	if err != nil {
		return acceptance{}, err
	}
	if r.ContentLength > s.MaxBody {
		return acceptance{}, s.tooLarge()
	}
	boundary, err := boundary(r.Header)
	if err != nil {
		return acceptance{}, err
	}
	who := access.Of(r.Context())
	leave, err := s.enter(who.Client)
	if err != nil {
		return acceptance{}, err
	}
	defer leave()
	t, err := s.traceOf(r.Header)
	if err != nil {
		return acceptance{}, err
	}
	u, err := s.begin(who, key, t)
	if err != nil {
		return acceptance{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.Longest)
	defer cancel()
	from := &paced{from: http.MaxBytesReader(w, r.Body, s.MaxBody), control: http.NewResponseController(w), idle: s.Idle, end: time.Now().Add(s.Longest)}
	return u.accept(ctx, newBody(from, boundary))
}

// enter admits an upload, or says why not; leave ends it.
func (s *Service) enter(client string) (leave func(), err error) {
	if s.stopping.Load() {
		return nil, problem.New(problem.Draining, "the server is shutting down; nothing of this upload was read").RetryAfter(time.Second)
	}
	free, busy, own := s.slots.take(client)
	switch {
	case free == nil && own:
		return nil, problem.New(problem.Overloaded, "%d uploads of yours are in hand, which is your share; nothing of this one was read", busy).RetryAfter(time.Second)
	case free == nil:
		return nil, problem.New(problem.Overloaded, "%d uploads are in hand; nothing of this one was read", busy).RetryAfter(time.Second)
	}
	s.uploads.Inc()
	return func() { s.uploads.Dec(); free() }, nil
}

// paced reads a body that must go on coming.
type paced struct {
	from    io.Reader
	control *http.ResponseController
	idle    time.Duration
	end     time.Time
}

func (p *paced) Read(b []byte) (int, error) {
	at := time.Now().Add(p.idle)
	if p.end.Before(at) {
		at = p.end
	}
	if err := p.control.SetReadDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := p.from.Read(b)
	if err != nil {
		_ = p.control.SetReadDeadline(time.Time{}) // the next request on this connection has its own
	}
	return n, err
}

var keyForm = regexp.MustCompile(`^[\x21-\x7e]{1,255}$`)

func idempotencyKey(h http.Header) (string, error) {
	all := h.Values("Idempotency-Key")
	if len(all) == 0 {
		return "", nil
	}
	if len(all) > 1 || !keyForm.MatchString(all[0]) {
		return "", bad("Idempotency-Key is not one word of 1 to 255 visible ASCII characters")
	}
	return all[0], nil
}

func boundary(h http.Header) (string, error) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err != nil || kind != "multipart/form-data":
		return "", problem.New(problem.UnsupportedMedia, "the body is not multipart/form-data")
	case params["boundary"] == "":
		return "", bad("the Content-Type has no boundary")
	}
	return params["boundary"], nil
}

func (s *Service) tooLarge() *problem.Problem {
	return problem.New(problem.TooLarge, "the body is larger than %d bytes", s.MaxBody)
}

// trace is where a request comes from.
type trace struct {
	request string // drawn; names it in events and in the log
	parent  string // W3C trace context
}

var parentForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

func (s *Service) traceOf(h http.Header) (trace, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return trace{}, fmt.Errorf("drawing an id: %w", err)
	}
	t := trace{request: hex.EncodeToString(b)}
	if p := h.Get("traceparent"); parentForm.MatchString(p) {
		t.parent = p
	}
	return t, nil
}

// problem says an error to the client. What is behind it stays in the log.
func (s *Service) problem(r *http.Request, err error) *problem.Problem {
	p, quiet := s.classify(err)
	if !quiet {
		s.Log.Error("upload not accepted", "client", access.Of(r.Context()).Client, "code", p.Code, "err", err)
	}
	return p
}

// classify finds the code of an error; quiet are those that are the client's doing.
func (s *Service) classify(err error) (p *problem.Problem, quiet bool) {
	if p, ok := problem.Of(err); ok {
		return p, true
	}
	var body *bodyError
	if errors.As(err, &body) {
		return s.badBody(body), true
	}
	var taken *resilience.Taken
	wait := time.Second
	if errors.As(err, &taken) && taken.Decision.For > 0 {
		wait = taken.Decision.For
	}
	switch {
	case errors.Is(err, errBug):
		return problem.New(problem.Internal, "the upload met a bug; it was not accepted"), false
	case errors.Is(err, log.ErrFull), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return problem.New(problem.StorageFull, "the disk is full; nothing was accepted").RetryAfter(time.Minute), false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem.New(problem.Unavailable, "the upload took too long or was given up").RetryAfter(wait), true
	}
	if errors.Is(err, errUnknown) {
		return problem.New(problem.Unavailable, "it is not known whether the upload was accepted; send it again with the same Idempotency-Key").RetryAfter(wait), false
	}
	return problem.New(problem.Unavailable, "nothing was accepted; what is needed is not available at the moment").RetryAfter(wait), false
}

func (s *Service) badBody(err *bodyError) *problem.Problem {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return s.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(problem.BadRequest, "the body stopped coming before its end, or took too long")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problem.New(problem.BadRequest, "the body ends before its end: it is shorter than its length says, or its last boundary is missing")
	}
	return problem.New(problem.BadRequest, "the body cannot be read as multipart/form-data")
}
