package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type shop struct{ server, key string }

// frame is what the shop reads of a feed's frame; what it does not know it ignores.
type frame struct {
	T            string `json:"t"`
	Type         string `json:"type"`
	Verification string `json:"verification"`
	Finding      struct {
		Check, Outcome string
		Value          struct{ Class string }
	} `json:"finding"`
	Summary struct {
		Groups   map[string]string
		Complete bool
	} `json:"summary"`
	Ended struct{ Reason string } `json:"ended"`
	Code  string                  `json:"code"`
}

// play opens the feed, sends the punter's pictures once, and decides each stake as the frames come in.
func (s shop) play(ctx context.Context, document, selfie string) error {
	feed, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer feed.Close()
	punter, err := s.submit(ctx, document, selfie)
	if err != nil {
		return err
	}
	started, open := time.Now(), []*bet{{pounds: 2}, {pounds: 3000}}
	lines := bufio.NewScanner(feed)
	lines.Buffer(nil, 2<<20)
	for len(open) > 0 && lines.Scan() {
		var f frame
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return fmt.Errorf("reading the feed: %w", err)
		}
		if f.T != "msg" || f.Verification != punter {
			continue
		}
		open = slices.DeleteFunc(open, func(b *bet) bool {
			v := b.hear(f)
			if v.final {
				say(b.pounds, time.Since(started), v)
			}
			return v.final
		})
	}
	if len(open) > 0 {
		return fmt.Errorf("the feed ended with %d bets open: %w", len(open), lines.Err())
	}
	return nil
}

func say(pounds int, after time.Duration, v verdict) {
	word := "held"
	if v.through {
		word = "through"
	}
	fmt.Printf("£%-5d %-8s after %5d ms: %s\n", pounds, word, after.Milliseconds(), v.why)
}

// listen opens the feed from now on, before anything is sent, so that nothing is missed.
func (s shop) listen(ctx context.Context) (io.ReadCloser, error) {
	resp, err := s.do(ctx, http.MethodGet, "/v1/feed/stream?from=latest", "", nil)
	if err != nil {
		return nil, fmt.Errorf("opening the feed: %w", err)
	}
	return resp.Body, nil
}

// submit sends one verification and gives its id.
func (s shop) submit(ctx context.Context, document, selfie string) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("request", `{"reference": "punter 17", "minimum_age": 18, "deadline_ms": 20000}`); err != nil {
		return "", err
	}
	for part, path := range map[string]string{"document": document, "selfie": selfie} {
		if err := attach(form, part, path); err != nil {
			return "", err
		}
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	resp, err := s.do(ctx, http.MethodPost, "/v1/verifications", form.FormDataContentType(), &body)
	if err != nil {
		return "", fmt.Errorf("sending the bet: %w", err)
	}
	defer resp.Body.Close()
	var receipt struct{ Verification string }
	err = json.NewDecoder(resp.Body).Decode(&receipt)
	return receipt.Verification, err
}

func attach(form *multipart.Writer, part, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := form.CreateFormFile(part, filepath.Base(path))
	if err == nil {
		_, err = io.Copy(w, f)
	}
	return err
}

// do sends a request with the shop's key; anything but success is an error with the server's own words.
func (s shop) do(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.server+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(s.key))
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode < 300 {
		return resp, err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return nil, fmt.Errorf("%s: %s", resp.Status, text)
}
