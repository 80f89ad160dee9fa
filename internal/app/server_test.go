package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonafide-id/bonafide/internal/access"
	"github.com/bonafide-id/bonafide/internal/httpapi"
	"github.com/bonafide-id/bonafide/internal/httpapi/openapitest"
)

// judged reads an answer and holds it against openapi.json.
func judged(t *testing.T, s *openapitest.Spec, req *http.Request) []byte {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	pieces := [][]byte{body}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/x-ndjson") {
		pieces = nil
		for line := range strings.Lines(string(body)) {
			pieces = append(pieces, []byte(line))
		}
	}
	for _, p := range pieces {
		if err := s.Judge(req.Method, req.URL.Path, resp.StatusCode, resp.Header, p); err != nil {
			t.Error(err)
		}
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %s", req.URL.Path, resp.StatusCode, body)
	}
	return body
}

// What the whole system answers is what openapi.json says, down to every finding, and it is ready when it says so.
func TestTheInterfaceIsAsDescribed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	spec, err := openapitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	web := webOf(t, program(t, ctx, dir))
	get := func(path, accept string) []byte {
		t.Helper()
		req, err := web.request(ctx, http.MethodGet, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		return judged(t, spec, req)
	}
	get("/readyz", "*/*")
	r, _, err := web.submit(ctx, pictures{Document: smallDocument(t), Selfie: still(t)}, []byte(`{"deadline_ms": 60000, "reference": "r"}`))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(get("/v1/verifications/"+r.Verification+"/events", "application/x-ndjson")), "\n"); n < 50 {
		t.Errorf("%d lines", n)
	}
	for _, path := range []string{"/v1/verifications/" + r.Verification, "/v1/verifications/" + r.Verification + "/events", "/v1/durability", "/healthz", "/metrics", "/openapi.json", "/readyz"} {
		get(path, "*/*")
	}
	get("/v1/feed/stream?max_age_s=1", "*/*")
	strangers(t, ctx, dir, web, r.Verification)
}

// strangers are an unknown key, another client, and the first client once its key is revoked; none of them sees a verification of the first.
func strangers(t *testing.T, ctx context.Context, dir string, web *client, verification string) {
	t.Helper()
	admin := access.NewAdminClient(socketOf(dir))
	another, err := admin.Create(ctx, "another", false)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(key, code string) {
		t.Helper()
		c := client{web.base, key, web.http}
		for _, rest := range []string{"", "/events"} {
			_, err := c.do(ctx, http.MethodGet, "/v1/verifications/"+verification+rest, "", nil)
			var p *answer
			if !errors.As(err, &p) || p.Code != code {
				t.Errorf("%s%s: %v, want %s", verification, rest, err, code)
			}
		}
	}
	refused("bf_aaaaaaaaaa_"+strings.Repeat("a", 52), "unauthenticated")
	refused(another.Text, "not_found")
	keys, err := admin.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if err := admin.Revoke(ctx, k.ID); err != nil {
			t.Error(err)
		}
	}
	refused(web.key, "unauthenticated")
}

// Without its services, its blobs, its log or its keys a process is not ready, and says which of them are missing.
func TestNotReady(t *testing.T) {
	dir := t.TempDir()
	sys, err := open(t.Context(), config{Data: dir}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sys.close() }() // what is open still
	web, err := sys.outside(services())
	if err != nil {
		t.Fatal(err)
	}
	missing := func() string {
		p := web.Ready(t.Context())
		if p == nil {
			return ""
		}
		return fmt.Sprint(p.More["not_ready"])
	}
	workers := "service document service video service text service tamper service face service liveness service consistency service summary service ledger"
	if got := missing(); got != "["+workers+"]" {
		t.Errorf("without services: %s", got)
	}
	if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
		t.Fatal(err)
	}
	if got := missing(); got != "[blobs "+workers+"]" {
		t.Errorf("without a place for blobs: %s", got)
	}
	if err := sys.log.Close(); err != nil {
		t.Fatal(err)
	}
	if got := missing(); got != "[log blobs "+workers+"]" {
		t.Errorf("without the log: %s", got)
	}
	_ = sys.close()
	if got := missing(); got != "[log keys blobs "+workers+"]" {
		t.Errorf("without the keys: %s", got)
	}
}

// A start waits until the process is ready, and no longer than there is one.
func TestStartWaitsUntilReady(t *testing.T) {
	ready := make(chan struct{})
	need := httpapi.Need{Name: "service slow", Ready: func(context.Context) error {
		select {
		case <-ready:
			return nil
		default:
			return errors.New("not yet")
		}
	}}
	web, err := httpapi.New(httpapi.Config{Keys: &access.Keys{}, Needs: []httpapi.Need{need}, Durability: durability, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{outside: web, ended: make(chan error, 1)}
	done := make(chan error, 1)
	go func() { done <- p.whenReady(t.Context()) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(10 * readyStep):
	}
	p.ended <- errors.New("the disk is gone")
	if err := <-done; !errors.Is(err, errEarly) || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("stopped before it was ready: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.ended <- nil
	if err := p.whenReady(ctx); !errors.Is(err, errEarly) {
		t.Errorf("told to stop before it was ready: %v", err)
	}
	close(ready)
	if err := p.whenReady(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
}

// From the moment of a stop nobody is sent here any more, streams end with `drain`, and the process goes with exit 0.
func TestDrain(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	up := program(t, ctx, filepath.Join(t.TempDir(), "data"))
	web := webOf(t, up)
	const streams = 16 // each ends at a moment of its own within a second
	last := make(chan string, streams)
	for range streams {
		resp, err := web.do(ctx, http.MethodGet, "/v1/feed/stream", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(resp.Body)
		s.Scan()
		go func() {
			defer resp.Body.Close()
			line := ""
			for s.Scan() {
				line = s.Text()
			}
			last <- line
		}()
	}
	if err := up.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := readyCode(ctx, web); code != "draining" {
		t.Errorf("/readyz says %q", code)
	}
	for range streams {
		if line := <-last; !strings.Contains(line, `"code":"drain","reconnect":true`) {
			t.Errorf("a stream ends with %s", line)
		}
	}
	if err := up.wait(); err != nil {
		t.Error(err)
	}
}

// readyCode asks until the answer is no longer 200: a signal takes its time.
func readyCode(ctx context.Context, web *client) string {
	for ctx.Err() == nil {
		resp, err := http.Get(web.base + "/readyz")
		if err != nil {
			return err.Error()
		}
		var p struct{ Code string }
		err = json.NewDecoder(resp.Body).Decode(&p)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return p.Code
		}
	}
	return "nothing else than 200"
}
