package video

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fence is a Landlock ruleset: which files a child may open. Without it, a child that runs as our own user could read
// what we can, the keys of every recording among it.
type fence struct{ rules *os.File }

// What the rules speak of: everything that the second version of Landlock (Linux 5.19) knows, and cutting files short
// from the third (6.2) on.
const (
	reads  = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	second = unix.LANDLOCK_ACCESS_FS_REFER<<1 - 1
)

// programs are where a system keeps programs and their libraries.
var programs = []string{"/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/local/bin", "/usr/local/lib", "/usr/share",
	"/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache"}

// newFence allows reading programs and libraries, and nothing else: not our data, not the homes of users. /proc and the
// null device are needed to start a child at all. It fails where the kernel has no Landlock.
func newFence(cfg Config) (*fence, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return nil, fmt.Errorf("asking for Landlock: %w", errno)
	}
	if version < 2 {
		return nil, fmt.Errorf("version %d of Landlock is too old", version)
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: second}
	if version >= 3 {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return nil, fmt.Errorf("creating Landlock rules: %w", errno)
	}
	f := &fence{os.NewFile(fd, "landlock")}
	for _, path := range append(programs, cfg.FFmpeg, cfg.Prlimit) {
		if err := f.allow(path, reads); err != nil {
			return nil, err
		}
	}
	for _, path := range []string{"/proc", os.DevNull} {
		if err := f.allow(path, unix.LANDLOCK_ACCESS_FS_READ_FILE|unix.LANDLOCK_ACCESS_FS_WRITE_FILE); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// allow permits access to a file, or to all beneath a directory; one that does not exist needs no permission.
func (f *fence) allow(path string, access uint64) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	if !info.IsDir() {
		access &^= unix.LANDLOCK_ACCESS_FS_READ_DIR
	}
	at, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	defer unix.Close(at)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(at)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, f.rules.Fd(), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("allowing %s: %w", path, errno)
	}
	return nil
}

// enter fences the calling thread, for good, and whatever it starts.
func (f *fence) enter() error {
	if f == nil {
		return nil
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, f.rules.Fd(), 0, 0); errno != 0 {
		return fmt.Errorf("entering Landlock: %w", errno)
	}
	return nil
}

// start starts the child from a thread of its own, and returns what waits for it. The thread is fenced before, so that
// the child inherits the fence and what calls are refused; it lives as long as the child, because the kernel ties the child's death signal to
// it; and it ends with its goroutine, so that nothing else ever runs behind the fence.
func (s sandbox) start(cmd *exec.Cmd) (wait func() error, err error) {
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if err == nil {
			err = s.fence.enter()
		}
		if err == nil {
			err = refuseCalls()
		}
		if err == nil {
			err = cmd.Start()
		}
		if started <- err; err == nil {
			<-ended
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return func() error { defer close(ended); return cmd.Wait() }, nil
}

// run starts the child and waits for it.
func (s sandbox) run(cmd *exec.Cmd) error {
	wait, err := s.start(cmd)
	if err != nil {
		return err
	}
	return wait()
}
