// Package blob keeps what is too large for messages: claim checks, sealed, addressed by verification and digest.
//
// A blob belongs to one verification and is sealed under its key; nothing is shared between verifications, so erasing one harms no other. Its
// name is the SHA-256 of its plain bytes, and what is read back is compared with it. The store is a directory:
//
//	blobs/<client>/<verification>/<digest>
//	tmp/<random>
//
// A blob is written beside its place and moved there whole. Written durably, it survives a power cut once Commit has returned; what can be made
// again (a page, a portrait) is written without waiting for the disk.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
)

// Errors that callers branch on.
var (
	ErrNotFound = errors.New("no such blob")
	ErrDamaged  = errors.New("blob is damaged on disk") // cut, changed, or not what its name says
	ErrBadName  = errors.New("not a legal name of a client, verification or digest")
)

// Config of a store.
type Config struct {
	Dir        string
	Keys       *seal.Keyring
	Dependency *resilience.Dependency
	PixelBytes int64            // decoded pixels held in memory; 0: 64 MiB
	Clock      func() time.Time // nil: time.Now
}

// Store is a directory of sealed blobs. Safe for concurrent use.
type Store struct {
	dir    string
	keys   *seal.Keyring
	dep    *resilience.Dependency
	clock  func() time.Time
	pixels *pixels
	flush  func(*os.File) error // to the disk

	mu      sync.Mutex
	clients map[string]bool // whose directories are known to be durable
}

// Open opens a store and sweeps what earlier runs left half written.
func Open(c Config) (*Store, error) {
	if c.Dir == "" || c.Keys == nil || c.Dependency == nil {
		return nil, errors.New("blob store: directory, keys and dependency are needed")
	}
	if c.PixelBytes == 0 {
		c.PixelBytes = 64 << 20
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	s := &Store{dir: c.Dir, keys: c.Keys, dep: c.Dependency, clock: c.Clock, pixels: newPixels(c.PixelBytes),
		flush: (*os.File).Sync, clients: make(map[string]bool)}
	if err := os.RemoveAll(s.temp()); err != nil {
		return nil, fmt.Errorf("blob store: %w", err)
	}
	for _, d := range []string{s.temp(), s.root()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("blob store: %w", err)
		}
	}
	return s, s.syncDir(s.dir)
}

func (s *Store) temp() string { return filepath.Join(s.dir, "tmp") }
func (s *Store) root() string { return filepath.Join(s.dir, "blobs") }

// legal is what may stand in a path; it starts with no dot, so no name climbs out of the directory.
var legal = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

func (s *Store) path(parts ...string) (string, error) {
	for _, p := range parts {
		if !legal.MatchString(p) {
			return "", fmt.Errorf("%w: %.40q", ErrBadName, p)
		}
	}
	return filepath.Join(append([]string{s.root()}, parts...)...), nil
}

// file is where a blob lies. Its name is no digest that others could compute: whoever reads the disk learns neither that a picture they hold was sent, nor
// that two verifications share one.
func (s *Store) file(client, verification, sha string) (string, error) {
	if _, err := s.path(sha); err != nil {
		return "", err
	}
	return s.path(client, verification, hex.EncodeToString(s.keys.MAC("blob name", []byte(client), []byte(verification), []byte(sha))))
}

// place binds a blob to its verification; its digest is compared when it is read.
func place(client, verification string) seal.Place {
	return seal.Place{Client: client, Verification: verification, Topic: "blob"}
}

// Put keeps data and gives its digest. With durable it is on the disk when Put returns.
func (s *Store) Put(ctx context.Context, client, verification string, data []byte, durable bool) (sha string, err error) {
	w, err := s.Writer(ctx, client, verification)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(data); err != nil {
		return "", errors.Join(err, w.Abort())
	}
	sha, _, err = w.Commit(durable)
	return sha, err
}

// Get reads a blob whole. ErrNotFound; ErrDamaged; seal.ErrErased where the verification's key is destroyed.
func (s *Store) Get(ctx context.Context, client, verification, sha string) ([]byte, error) {
	path, err := s.file(client, verification, sha)
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Key(ctx, client, verification)
	if err != nil {
		return nil, fmt.Errorf("reading a blob: %w", err)
	}
	type reply struct {
		data []byte
		no   error // an answer, not a failure of the disk
	}
	got, err := resilience.Ask(ctx, s.dep, func(context.Context) (r reply, err error) {
		r.data, err = read(path, key, place(client, verification))
		if errors.Is(err, fs.ErrNotExist) {
			r.no, err = ErrNotFound, nil
		} else if errors.Is(err, seal.ErrTampered) {
			r.no, err = fmt.Errorf("%w: %w", ErrDamaged, err), nil
		}
		return r, err
	})
	if err = errors.Join(err, got.no); err != nil {
		return nil, fmt.Errorf("reading a blob: %w", err)
	}
	if digest := sha256.Sum256(got.data); hex.EncodeToString(digest[:]) != sha {
		return nil, fmt.Errorf("reading a blob: %w: its bytes are not those its name says", ErrDamaged)
	}
	return got.data, nil
}

func read(path string, key *seal.Key, p seal.Place) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r, err := key.Reader(f, p)
	if err != nil {
		return nil, err
	}
	data := make([]byte, info.Size()) // the plain bytes are fewer
	n, err := io.ReadFull(r, data)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return data[:n], err
}

// Remove deletes all blobs of a verification, and its decoded pixels.
func (s *Store) Remove(ctx context.Context, client, verification string) error {
	path, err := s.path(client, verification)
	if err != nil {
		return err
	}
	s.pixels.drop(client, verification)
	return s.disk(ctx, func() error {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("removing blobs: %w", err)
		}
		if err := s.syncDir(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing blobs: %w", err)
		}
		return nil
	})
}

// disk does what the disk may let hang: then the caller is told so, and f goes on by itself.
func (s *Store) disk(ctx context.Context, f func() error) error {
	_, err := resilience.Ask(ctx, s.dep, func(context.Context) (struct{}, error) { return struct{}{}, f() })
	return err
}

func (s *Store) syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(s.flush(d), d.Close())
}
