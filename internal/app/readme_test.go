package app

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var fenced = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")

// readmeBlocks gives the fenced blocks of README.md of a language.
func readmeBlocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			out = append(out, m[2])
		}
	}
	return out
}

// The shell of the README works when it is typed in as it stands: the first block starts the system, the others use it.
func TestReadmeShell(t *testing.T) {
	blocks := readmeBlocks(t, "sh")
	if len(blocks) < 2 {
		t.Fatalf("the README has %d blocks of shell", len(blocks))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := shellDir(t)
	up := shell(ctx, dir, "exec "+strings.TrimSpace(blocks[0]))
	up.Stderr = os.Stderr
	out, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = up.Process.Signal(os.Interrupt); _ = up.Wait() }()
	waitForLine(t, out, "ready ")
	for _, b := range blocks[1:] {
		said, err := shell(ctx, dir, "set -e\n"+b).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\n%s", err, b, said)
		}
		if !strings.Contains(string(said), `"type":"ended"`) && strings.Contains(b, "feed/stream") {
			t.Errorf("the feed does not show the end of the verification:\n%s", said)
		}
	}
}

// The two commands of the README are targets of the Makefile, and CI runs the second.
func TestReadmeTwoCommands(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	ci, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^make (\w+)`).FindAllStringSubmatch(strings.Join(readmeBlocks(t, ""), "\n"), -1)
	if len(commands) != 2 {
		t.Fatalf("the README names %d commands of make, not two", len(commands))
	}
	for _, c := range commands {
		if !regexp.MustCompile(`(?m)^` + c[1] + `:`).Match(makefile) {
			t.Errorf("make %s is not a target", c[1])
		}
	}
	if !strings.Contains(string(ci), "make test") {
		t.Error("CI does not call make test")
	}
}

// shellDir is a directory in which `bonafide` is this test's own program, and which has the models where the program looks for them.
func shellDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	models, err := filepath.Abs("../../models")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(models, filepath.Join(dir, "models")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self(t), filepath.Join(dir, "bonafide")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func shell(ctx context.Context, dir, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	return cmd
}
