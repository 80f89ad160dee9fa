package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the user that the child becomes where we are root and may choose.
const nobody = 65534

// sandbox is the isolation of a child. Beside it the child has no environment, no sockets, no way to gain privileges, hard limits on
// memory, processor time, written bytes and open files, and dies with us.
type sandbox struct {
	flags uintptr // CLONE_NEW… namespaces, the network's among them
	drop  bool    // become nobody
	fence *fence  // files that may be opened; nil: those of nobody
}

// candidates from best to worst. Namespaces need either root or a user namespace; containers often allow neither, and then it is the filter of
// system calls alone that keeps the child from having sockets. Without a fence the child must not be who we are.
func candidates(files *fence) []sandbox {
	rest := uintptr(unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC)
	if os.Getuid() == 0 {
		list := []sandbox{{unix.CLONE_NEWUSER | rest, true, files}, {rest, true, files}, {0, true, files}}
		if files != nil {
			list = append(list, sandbox{0, false, files})
		}
		return list
	}
	if files == nil {
		return nil
	}
	return []sandbox{{unix.CLONE_NEWUSER | rest, false, files}, {0, false, files}}
}

// errUnsafe says what a machine must allow before it may decode what strangers recorded.
var errUnsafe = errors.New("ffmpeg cannot be kept from our files on this machine: it takes Landlock (Linux 5.19 or newer, and in a container " +
	"a seccomp profile that permits it), or root, who can make it somebody else")

// probe runs the decoder's own version switch under each candidate and keeps the first that works.
func probe(ctx context.Context, cfg Config) (sandbox, error) {
	files, err := newFence(cfg)
	if err != nil {
		cfg.Log.Warn("no file of the system is hidden from the video decoder by Landlock", "err", err)
	}
	for _, box := range candidates(files) {
		err := box.run(box.command(ctx, cfg, "-hide_banner", "-version"))
		if err == nil && box.flags == 0 {
			cfg.Log.Warn("this machine allows no namespaces: a filter of system calls alone keeps the video decoder off the network")
		}
		if err == nil {
			return box, nil
		}
		cfg.Log.Debug("video sandbox refused", "isolation", box.String(), "err", err)
	}
	return sandbox{}, errUnsafe
}

// String lists what is in force.
func (s sandbox) String() string {
	var names []string
	for _, n := range []struct {
		flag uintptr
		name string
	}{{unix.CLONE_NEWUSER, "user"}, {unix.CLONE_NEWNET, "net"}, {unix.CLONE_NEWPID, "pid"}, {unix.CLONE_NEWIPC, "ipc"}} {
		if s.flags&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	if s.drop {
		names = append(names, "nobody")
	}
	if s.fence != nil {
		names = append(names, "landlock")
	}
	return strings.Join(append(names, "seccomp"), ", ")
}

// command is ffmpeg under the limits: prlimit sets them on itself and then becomes ffmpeg.
func (s sandbox) command(ctx context.Context, cfg Config, args ...string) *exec.Cmd {
	limits := []string{
		"--as=" + strconv.FormatUint(cfg.Memory, 10),
		"--cpu=" + strconv.Itoa(2*int(math.Ceil(cfg.Timeout.Seconds()))),
		"--fsize=0", "--core=0", "--nofile=64",
		"--", cfg.FFmpeg,
	}
	cmd := exec.CommandContext(ctx, cfg.Prlimit, append(limits, args...)...)
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.SysProcAttr = s.attr()
	return cmd
}

func (s sandbox) attr() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: s.flags, Pdeathsig: syscall.SIGKILL}
	uid, gid := os.Getuid(), os.Getgid()
	if s.drop {
		uid, gid = nobody, nobody
		a.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if s.flags&unix.CLONE_NEWUSER != 0 {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		if s.drop {
			a.Credential.NoSetGroups = true
		}
	}
	return a
}

// unlinked copies src into memory that has a file descriptor but no name: MP4 must be seekable (phones write the
// index last), and a recording in clear must not lie on a disk.
func unlinked(src io.Reader) (*os.File, error) {
	fd, err := unix.MemfdCreate("recording", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating memory file: %w", err)
	}
	f := os.NewFile(uintptr(fd), "recording")
	if _, err := io.Copy(f, src); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// program finds an executable, or says what to install.
func program(path, name string) (string, error) {
	if path == "" {
		path = name
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", fmt.Errorf("%s not found, run `make setup`: %w", name, err)
	}
	return found, nil
}
