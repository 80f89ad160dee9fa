package access

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// longestAddress is how many bytes the address of a Unix socket can have: a terminating zero takes one of them.
const longestAddress = len(syscall.RawSockaddrUnix{}.Path) - 1

// address gives an address for the path of a socket. A path that is too long is named through its directory, which stays open as long as the
// address is used; otherwise dir is nil.
func address(path string) (short string, dir *os.File, err error) {
	if len(path) <= longestAddress {
		return path, nil, nil
	}
	if dir, err = os.Open(filepath.Dir(path)); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), dir, nil
}

// listener is a socket that is named through its directory.
type listener struct {
	net.Listener
	dir *os.File
}

// Close removes the socket, too.
func (l listener) Close() error { return errors.Join(l.Listener.Close(), l.dir.Close()) }

// ListenAdmin listens on a socket that only its owner can open. One that an earlier process left behind is replaced.
func ListenAdmin(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the old admin socket: %w", err)
	}
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("opening the admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func listen(path string) (net.Listener, error) {
	short, dir, err := address(path)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", short)
	switch {
	case dir == nil:
		return l, err
	case err != nil:
		return nil, errors.Join(err, dir.Close())
	}
	return listener{l, dir}, nil
}

// dial connects to the socket at a path.
func dial(ctx context.Context, path string) (net.Conn, error) {
	short, dir, err := address(path)
	if err != nil {
		return nil, err
	}
	if dir != nil {
		defer dir.Close()
	}
	return new(net.Dialer).DialContext(ctx, "unix", short)
}
