package video

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusedCalls are system calls that a decoder has no use for, and whoever takes it over has: sockets of any kind, because a
// network namespace does not stop those that are files; other processes; and corners of the kernel with a history.
var refusedCalls = []uint32{
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_IO_URING_SETUP,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD,
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
}

// Where the kernel's struct seccomp_data has what the filter looks at, and the first call of x32, which would go round it.
const (
	callAt, machineAt = 0, 4
	x32               = 0x40000000
)

// refuseCalls puts a seccomp filter on the calling thread, for good, and on whatever it starts: those calls fail, as if
// not permitted. The thread must have given up new privileges before.
func refuseCalls() error {
	machine, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return fmt.Errorf("no seccomp filter is written for %s", runtime.GOARCH)
	}
	const load, equal, atLeast, end = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	n := uint8(len(refusedCalls))
	filter := []unix.SockFilter{
		{Code: load, K: machineAt},
		{Code: equal, K: machine, Jt: 1},
		{Code: end, K: unix.SECCOMP_RET_KILL},
		{Code: load, K: callAt},
		{Code: atLeast, K: x32, Jt: n + 1},
	}
	for i, call := range refusedCalls {
		filter = append(filter, unix.SockFilter{Code: equal, K: call, Jt: n - uint8(i)})
	}
	filter = append(filter, unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ALLOW}, unix.SockFilter{Code: end, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("entering seccomp: %w", err)
	}
	return nil
}
