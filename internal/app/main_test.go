package app

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// asProgram makes the test binary behave as bonafide itself, so that tests can start it, kill it and read what it prints.
const asProgram = "BONAFIDE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Setenv(asProgram, "1")
	testscript.Main(m, map[string]func(){"bonafide": func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }})
}

// program starts `up` on a data directory.
func program(t *testing.T, ctx context.Context, dir string) *child {
	t.Helper()
	c, err := startChild(ctx, self(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func webOf(t *testing.T, c *child) *client {
	t.Helper()
	web, err := c.client()
	if err != nil {
		t.Fatal(err)
	}
	web.http = &http.Client{Timeout: 5 * time.Minute}
	return web
}

// waitForLine reads until a line begins with the prefix, and lets go on reading in the background.
func waitForLine(t *testing.T, r io.Reader, prefix string) {
	t.Helper()
	s := bufio.NewScanner(r)
	for s.Scan() {
		if strings.HasPrefix(s.Text(), prefix) {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return
		}
	}
	t.Fatalf("no line begins with %q", prefix)
}

// bonafide runs a command of the program to its end and gives what it printed.
func bonafide(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), self(t), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// specimen draws a document into the test's own directory.
func specimenFile(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "document.jpg")
	if said, code := bonafide(t, append([]string{"specimen", "--out", out}, args...)...); code != done {
		t.Fatalf("drawing a specimen: exit %d: %s", code, said)
	}
	return out
}

func smallDocument(t *testing.T) string { return specimenFile(t, "--kind", "passport", "--seed", "3") }

// still is the portrait that set-up made, sent as a face picture.
func still(t *testing.T) string { return demoFile(t, "portrait.jpg") }

// replay is a face video made from one photograph.
func replay(t *testing.T) string { return demoFile(t, "face.mp4") }

func demoFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "models", "demo", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	return path
}
