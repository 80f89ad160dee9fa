package app

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// From the moment of a stop no upload is begun, and one that is in hand is accepted.
func TestNoUploadBeginsAfterAStop(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := program(t, ctx, filepath.Join(t.TempDir(), "data"))
	web := webOf(t, c)
	for range 40 { // of which the last goes about a second after the stop
		resp, err := web.do(ctx, "GET", "/v1/feed/stream", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	document := smallDocument(t)
	finish := beginUpload(t, ctx, web, document)
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for said := (*answer)(nil); said == nil || said.Code != "draining"; time.Sleep(time.Millisecond) {
		resp, err := web.do(ctx, "GET", "/readyz", "", nil)
		if err == nil {
			resp.Body.Close()
		} else if !errors.As(err, &said) {
			t.Fatalf("it stopped listening before it said that it drains: %v", err)
		}
	}
	_, _, err := web.submit(ctx, pictures{Document: document}, nil)
	if said := (*answer)(nil); err == nil || errors.As(err, &said) && said.Code != "draining" {
		t.Errorf("an upload after the stop: %v", err)
	}
	if status := finish(); status != http.StatusAccepted {
		t.Errorf("the upload in hand: %d", status)
	}
	if err := c.wait(); err != nil {
		t.Error(err)
	}
}

// beginUpload sends half of an upload and returns when the server has it in hand; finish sends the rest and gives the answer's status.
func beginUpload(t *testing.T, ctx context.Context, web *client, document string) (finish func() int) {
	t.Helper()
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	req, err := web.request(ctx, http.MethodPost, "/v1/verifications", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	status := make(chan int, 1)
	go func() {
		resp, err := web.http.Do(req)
		if err != nil {
			t.Errorf("the upload in hand: %v", err)
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	if err := form.WriteField("request", "{}"); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(metrics(t, ctx, web), "bonafide_ingest_uploads 1") {
		time.Sleep(time.Millisecond)
	}
	return func() int {
		pw.CloseWithError(writeForm(form, pictures{Document: document}, nil))
		return <-status
	}
}

func metrics(t *testing.T, ctx context.Context, web *client) string {
	t.Helper()
	resp, err := web.do(ctx, "GET", "/metrics", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
