package video

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
)

// inside runs a script where ffmpeg would run, and gives what it said.
func inside(t *testing.T, script string) string {
	t.Helper()
	d := decoder(t)
	cfg := d.cfg
	cfg.FFmpeg = "/bin/sh"
	cmd := d.box.command(context.Background(), cfg, "-c", script)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := d.box.run(cmd); err != nil {
		t.Logf("the child ended with %v", err)
	}
	return out.String()
}

// TestChildIsAlone looks at what a child finds around it.
func TestChildIsAlone(t *testing.T) {
	box := decoder(t).box
	t.Log("isolation:", box)
	text := inside(t, `cat /proc/self/limits; echo env:$(/usr/bin/env | grep -cv -e ^PWD= -e ^SHLVL= -e ^_= ); cat /proc/net/dev; readlink /proc/self/ns/net; cat /proc/self/status; id -u`)
	for _, want := range []string{"Max address space         2147483648", "Max file size             0", "Max open files            64", "env:0", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(text, want) {
			t.Errorf("the child does not have %q:\n%s", want, text)
		}
	}
	ours, _ := os.Readlink("/proc/self/ns/net")
	if strings.Contains(text, ours) || strings.Contains(text, "eth0") || !strings.Contains(text, "net:[") {
		t.Errorf("the child is in our network namespace %s:\n%s", ours, text)
	}
	if box.drop && !strings.HasSuffix(strings.TrimSpace(text), "65534") {
		t.Errorf("the child is not nobody:\n%s", text)
	}
}

// TestChildSeesNoFiles lets the child look at files that everybody may read, and change them.
func TestChildSeesNoFiles(t *testing.T) {
	if decoder(t).box.fence == nil {
		t.Skip("no Landlock")
	}
	dir, err := os.MkdirTemp("/tmp", "video") // all of its parents are open to everybody
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	key := dir + "/master.key"
	os.Chmod(dir, 0o777)
	os.WriteFile(key, []byte("secret"), 0o666)
	os.Chmod(key, 0o666)
	if out, err := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", key).CombinedOutput(); os.Getenv("VIDEO_TEST_AGAIN") == "" && os.Getuid() == 0 && string(out) != "secret" {
		t.Fatalf("nobody cannot read the file in any case: %s, %v", out, err)
	}
	out := inside(t, "cat "+key+"; ls "+dir+"; cat /etc/passwd; echo > "+key+"; rm "+key+"; mkdir "+dir+"/sub; echo done")
	if strings.Contains(out, "secret") || strings.Contains(out, "root:") || !strings.Contains(out, "done") {
		t.Errorf("the child read files:\n%s", out)
	}
	if b, _ := os.ReadFile(key); string(b) != "secret" {
		t.Errorf("the child left %q", b)
	}
	if _, err := os.Stat(dir + "/sub"); err == nil {
		t.Error("the child made a directory")
	}
	if b, err := os.ReadFile(key); err != nil || len(b) == 0 {
		t.Errorf("we are behind the fence ourselves: %v", err)
	}
}

// again runs one test of this program in a process that a command prepares; the program is copied to where everybody may run it.
func again(t *testing.T, test string, prepare ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	dir, err := os.MkdirTemp("/tmp", "video")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	program := dir + "/video.test"
	if err := os.WriteFile(program, b, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(prepare[0], append(prepare[1:], program, "-test.v", "-test.run=^"+test+"$")...)
	cmd.Env = append(os.Environ(), "VIDEO_TEST_AGAIN=1")
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+test) {
		t.Errorf("%v\n%s", err, out)
	}
}

// An ordinary user's child is that user, so the fence alone keeps it from that user's files.
func TestOrdinaryUser(t *testing.T) {
	for _, test := range []string{"TestChildIsAlone", "TestChildSeesNoFiles", "TestChildHasNoSockets"} {
		again(t, test, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
	}
}

// Where no namespace may be made, as in most containers, the child still sees no files and has no sockets.
func TestWithoutNamespaces(t *testing.T) {
	for _, test := range []string{"TestChildSeesNoFiles", "TestChildHasNoSockets"} {
		again(t, test, "unshare", "--user", "--map-root-user", "sh", "-c",
			`echo 0 > /proc/sys/user/max_user_namespaces && echo 0 > /proc/sys/user/max_net_namespaces && exec "$@"`, "sh")
	}
}

// An ordinary user without Landlock has no way to hide files from the child.
func TestRefusesWithoutFence(t *testing.T) {
	if os.Getenv("VIDEO_TEST_AGAIN") == "" {
		again(t, "TestRefusesWithoutFence", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
		return
	}
	if list := candidates(nil); list != nil {
		t.Errorf("%v would do", list)
	}
}

// TestChildHasNoSockets lets the child reach for a socket that is a file, which a network namespace does not stop.
func TestChildHasNoSockets(t *testing.T) {
	if _, err := exec.LookPath("/usr/bin/perl"); err != nil {
		t.Skip("no perl")
	}
	const script = `/usr/bin/perl -e 'use Socket; for my $f (AF_UNIX, AF_INET) { print socket(my $s, $f, SOCK_STREAM, 0) ? "open " : "$! " }'`
	if out, err := exec.Command("/bin/sh", "-c", script).Output(); err != nil || string(out) != "open open " {
		t.Fatalf("outside the sandbox: %q, %v", out, err)
	}
	if out := inside(t, script); strings.Count(out, "Operation not permitted") != 2 {
		t.Errorf("the child has sockets: %s", out)
	}
	if c, err := net.Dial("udp", "127.0.0.1:9"); err != nil {
		t.Errorf("we have none ourselves: %v", err)
	} else {
		c.Close()
	}
}

// TestWritesNothing lets the child try to make a file.
func TestWritesNothing(t *testing.T) {
	path := t.TempDir() + "/out"
	os.WriteFile(path, nil, 0o666)
	os.Chmod(path, 0o666)
	inside(t, "echo gone > "+path)
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
	d, err := New(context.Background(), Config{Dependency: resiliencetest.Refusing(&testing.T{}, "video decoder")})
	if err != nil {
		panic(err)
	}
	cfg := d.cfg
	cfg.FFmpeg = "/bin/sleep"
	cmd := d.box.command(context.Background(), cfg, "60")
	wait, err := d.box.start(cmd)
	if err != nil {
		panic(err)
	}
	fmt.Println("\nchild", cmd.Process.Pid)
	wait()
}
