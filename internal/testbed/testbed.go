// Package testbed builds the libraries that a service stands on, real ones in a temporary directory, for tests of services.
package testbed

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bonafide-id/bonafide/internal/blob"
	"github.com/bonafide-id/bonafide/internal/index"
	"github.com/bonafide-id/bonafide/internal/log/embedded"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/stream"
)

// Bed is one installation without services.
type Bed struct {
	Dir     string
	Log     *embedded.Log
	Index   *index.Store
	Secrets *embedded.KV
	Keys    *seal.Keyring
	Blobs   *blob.Store
	Runtime *stream.Runtime
	close   sync.Once
	kv      *embedded.KV // of the index
}

// New opens an installation in a directory, or makes one; it is closed when the test ends, or by Close.
func New(t testing.TB, dir string) *Bed {
	t.Helper()
	b := &Bed{Dir: dir}
	var err error
	must := func() {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	in := func(name string) embedded.Options {
		return embedded.Options{Dir: filepath.Join(dir, name), Reserve: 1}
	}
	b.Log, err = embedded.Open(in("log"))
	must()
	b.kv, err = embedded.OpenKV(in("index"))
	must()
	b.Index, err = index.NewStore(b.kv, resiliencetest.Refusing(t, "index"))
	must()
	b.Secrets, err = embedded.OpenKV(in("keys"))
	must()
	b.Keys, err = seal.Open(seal.Config{Store: Store{b.Secrets}, MasterFile: filepath.Join(dir, "master.key"), Dependency: resiliencetest.Refusing(t, "keys")})
	must()
	b.Blobs, err = blob.Open(blob.Config{Dir: filepath.Join(dir, "blobs"), Keys: b.Keys, Dependency: resiliencetest.Refusing(t, "blobs")})
	must()
	b.Runtime, err = stream.New(stream.Config{Log: b.Log, Keys: b.Keys, Dependency: resiliencetest.Refusing(t, "log"), Logger: slog.New(slog.DiscardHandler)})
	must()
	err = stream.CreateTopics(t.Context(), b.Log)
	must()
	t.Cleanup(b.Close)
	return b
}

// Close closes everything, once.
func (b *Bed) Close() {
	b.close.Do(func() {
		b.Runtime.Close()
		b.Log.Close()
		b.kv.Close()
		b.Secrets.Close()
	})
}

// Store is a KV as the keyring wants it.
type Store struct{ KV *embedded.KV }

// Get implements seal.Store.
func (s Store) Get(key []byte) ([]byte, error) {
	v, _, err := s.KV.Get(key)
	return v, err
}

// Put implements seal.Store.
func (s Store) Put(key, val []byte) error { return s.KV.Put(key, val) }

// Delete implements seal.Store.
func (s Store) Delete(key []byte) error { return s.KV.Delete(key) }
