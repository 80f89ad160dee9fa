package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a bonafide in a process of its own, as the benchmark measures it and the crash tests kill it.
type child struct {
	cmd   *exec.Cmd
	dir   string
	url   string
	ready time.Duration // from start to the ready line
	wait  func() error  // waits for its end; may be called more than once
}

// startChild runs `up` on a data directory with this same program and waits until it is ready.
func startChild(ctx context.Context, program, dir string, more ...string) (*child, error) {
	cmd := exec.CommandContext(ctx, program, append([]string{"up", "--data", dir, "--listen", "127.0.0.1:0"}, more...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	logs, err := os.OpenFile(dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer logs.Close()
	cmd.Stderr = logs
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, dir: dir, wait: sync.OnceValue(cmd.Wait)}
	for s := bufio.NewScanner(out); s.Scan(); {
		if url, ok := strings.CutPrefix(s.Text(), "ready "); ok {
			c.url, c.ready = url, time.Since(began)
			return c, nil
		}
	}
	err = c.wait()
	said, _ := os.ReadFile(dir + ".log")
	return nil, fmt.Errorf("up stopped before it was ready: %w\n%s", err, tail(string(said), 2000))
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// client speaks to the child as the demo client.
func (c *child) client() (*client, error) {
	key, err := os.ReadFile(filepath.Join(c.dir, "demo.key"))
	return &client{c.url, string(key), http.DefaultClient}, err
}

// stop asks it to drain and waits.
func (c *child) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return c.wait()
}

// kill ends it without any warning, as a power cut would.
func (c *child) kill() { _ = c.cmd.Process.Kill(); _ = c.wait() }

var errNoPeak = errors.New("no VmHWM in the process's status")

// peakMB is the largest resident memory so far, in megabytes (Linux: VmHWM).
func (c *child) peakMB() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1000, err
		}
	}
	return 0, errNoPeak
}
