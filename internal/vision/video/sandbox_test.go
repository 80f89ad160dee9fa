package video

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestChildIsAlone looks at what a child finds around it.
func TestChildIsAlone(t *testing.T) {
	d := decoder(t)
	t.Log("isolation:", d.Isolation())
	cfg := d.cfg
	cfg.FFmpeg = "/bin/sh"
	script := `cat /proc/self/limits; echo env:$(/usr/bin/env | grep -cv -e ^PWD= -e ^SHLVL= -e ^_= ); echo net:$(ls /sys/class/net 2>/dev/null | tr '\n' ' '); readlink /proc/self/ns/net; id -u`
	out, err := d.box.command(context.Background(), cfg, "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := string(out)
	for _, want := range []string{"Max address space         2147483648", "Max file size             0", "Max open files            64", "env:0"} {
		if !strings.Contains(text, want) {
			t.Errorf("the child does not have %q:\n%s", want, text)
		}
	}
	ours, _ := os.Readlink("/proc/self/ns/net")
	if strings.Contains(d.Isolation(), "net") && strings.Contains(text, ours) {
		t.Errorf("the child is in our network namespace %s", ours)
	}
	if os.Getuid() == 0 && d.box.drop && !strings.HasSuffix(strings.TrimSpace(text), "65534") {
		t.Errorf("the child is not nobody:\n%s", text)
	}
}

// TestWritesNothing lets the child try to make a file.
func TestWritesNothing(t *testing.T) {
	d := decoder(t)
	cfg := d.cfg
	cfg.FFmpeg = "/bin/sh"
	path := t.TempDir() + "/out"
	os.WriteFile(path, nil, 0o666)
	os.Chmod(path, 0o666)
	d.box.command(context.Background(), cfg, "-c", "echo gone > "+path).Run()
	if b, _ := os.ReadFile(path); len(b) > 0 {
		t.Errorf("the child wrote %q", b)
	}
}

// TestDiesWithParent kills a parent that waits for a child and looks whether the child is gone.
func TestDiesWithParent(t *testing.T) {
	if os.Getenv("VIDEO_TEST_PARENT") != "" {
		parent()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestDiesWithParent$", "-test.v")
	cmd.Env = append(os.Environ(), "VIDEO_TEST_PARENT=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var word string
	pid := 0
	for word != "child" {
		if _, err := fmt.Fscan(out, &word); err != nil {
			t.Fatal("parent said no child:", err)
		}
	}
	fmt.Fscan(out, &pid)
	if syscall.Kill(pid, 0) != nil {
		t.Fatalf("child %d does not run", pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for range 100 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	syscall.Kill(pid, syscall.SIGKILL)
	t.Errorf("child %d outlived its parent", pid)
}

func parent() {
	d, err := New(context.Background(), Config{})
	if err != nil {
		panic(err)
	}
	cfg := d.cfg
	cfg.FFmpeg = "/bin/sleep"
	cmd := d.box.command(context.Background(), cfg, "60")
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	fmt.Println("\nchild", cmd.Process.Pid)
	cmd.Wait()
}
