package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// client speaks the public HTTP API, as any program of a client would.
type client struct {
	base, key string
	http      *http.Client
}

// pictures are the media of one verification by the name of their part; empty paths are not sent.
type pictures struct{ Document, Back, Selfie string }

func (p pictures) parts() []part {
	var out []part
	for _, x := range []part{{"document", p.Document}, {"document_back", p.Back}, {"selfie", p.Selfie}} {
		if x.path != "" {
			out = append(out, x)
		}
	}
	return out
}

type part struct{ name, path string }

// receipt is the answer to an accepted verification.
type receipt struct {
	Verification string `json:"verification"`
	State        string `json:"state"`
	Durability   string `json:"durability"`
}

// answer is what the server says when it refuses: problem+json.
type answer struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func (p *answer) Error() string { return fmt.Sprintf("%s (%s)", p.Detail, p.Code) }

// submit uploads the pictures and the request, streaming; uploaded is when the last byte was handed to the network.
func (c *client) submit(ctx context.Context, p pictures, request []byte) (r receipt, uploaded time.Time, err error) {
	return c.submitAs(ctx, "", p, request)
}

// submitAs does the same under an idempotency key, so that it can be sent again when its outcome is unknown.
func (c *client) submitAs(ctx context.Context, key string, p pictures, request []byte) (r receipt, uploaded time.Time, err error) {
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	sent := make(chan time.Time, 1)
	go func() {
		err := writeForm(form, p, request)
		sent <- time.Now()
		pw.CloseWithError(err)
	}()
	req, err := c.request(ctx, http.MethodPost, "/v1/verifications", pr)
	if err != nil {
		return r, uploaded, err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.send(req)
	if err != nil {
		pr.CloseWithError(err)
		return r, uploaded, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&r)
	return r, <-sent, err
}

func writeForm(form *multipart.Writer, p pictures, request []byte) error {
	if len(request) > 0 {
		if err := form.WriteField("request", string(request)); err != nil {
			return err
		}
	}
	for _, x := range p.parts() {
		if err := writeFile(form, x); err != nil {
			return err
		}
	}
	return form.Close()
}

func writeFile(form *multipart.Writer, x part) error {
	f, err := os.Open(x.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s: %w", x.path, errNoFile), err)
	}
	w, err := form.CreateFormFile(x.name, filepath.Base(x.path))
	if err == nil {
		_, err = io.Copy(w, f)
	}
	return err
}

// errNoFile says that something else than a picture's file was named.
var errNoFile = errors.New("not a file")

// errBroken says that a stream stopped without an end frame.
var errBroken = errors.New("the stream broke off without an end frame")

// events calls hear with each frame of a verification as it comes, as the bytes of one line, until the server ends the stream.
func (c *client) events(ctx context.Context, id string, hear func(line []byte) error) error {
	req, err := c.request(ctx, http.MethodGet, "/v1/verifications/"+id+"/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/x-ndjson")
	resp, err := c.send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return lines(resp.Body, hear)
}

// lines passes on the msg frames of a stream and returns nil at an end frame.
func lines(r io.Reader, hear func(line []byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 2<<20)
	for s.Scan() {
		var f struct {
			T    string `json:"t"`
			Code string `json:"code"`
		}
		if err := json.Unmarshal(s.Bytes(), &f); err != nil {
			return fmt.Errorf("reading a frame: %w", err)
		}
		switch {
		case f.T == "end" && f.Code == "complete":
			return nil
		case f.T == "end":
			return fmt.Errorf("the server ended the stream: %s", f.Code)
		case f.T != "msg":
			continue
		}
		if err := hear(s.Bytes()); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return errBroken
}

func (c *client) do(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return c.send(req)
}

func (c *client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(c.key))
	}
	return req, err
}

// send gives an answer of success, or the server's problem as an error.
func (c *client) send(req *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil || resp.StatusCode < 300 {
		return resp, err
	}
	defer resp.Body.Close()
	var p answer
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&p); err != nil || p.Code == "" {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	return nil, &p
}
