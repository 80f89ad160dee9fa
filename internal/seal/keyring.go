package seal

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// Config of a keyring.
type Config struct {
	Store      Store
	MasterFile string    // made at the first start, mode 0600
	Rand       io.Reader // of data keys; nil: crypto/rand
	CachedKeys int       // data keys held in memory; 0: 4096
	Dependency *resilience.Dependency
}

// Keyring makes, gives and destroys data keys. Safe for concurrent use.
type Keyring struct {
	store  Store
	rand   io.Reader
	dep    *resilience.Dependency
	master tink.AEAD
	mac    []byte
	cache  cache
	locks  [64]gate // by verification: making, reading and erasing one key exclude one another

	making  gate // of clients' keys
	clients map[string]tink.AEAD
}

// macKey is where the wrapped secret of keyed digests stands. It is there from the first start on.
const macKey = "mac"

// Open opens a keyring, and makes its master keyset if there is none yet.
func Open(c Config) (*Keyring, error) {
	if c.Store == nil || c.MasterFile == "" || c.Dependency == nil {
		return nil, errors.New("keyring: store, master file and dependency are needed")
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.CachedKeys == 0 {
		c.CachedKeys = 4096
	}
	used, err := c.Store.Get([]byte(macKey))
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	master, err := openMaster(c.MasterFile, used == nil)
	if err != nil {
		return nil, err
	}
	k := &Keyring{store: c.Store, rand: c.Rand, dep: c.Dependency, master: master, clients: make(map[string]tink.AEAD)}
	k.cache.limit = c.CachedKeys
	k.making = newGate()
	for i := range k.locks {
		k.locks[i] = newGate()
	}
	k.mac, err = k.secret([]byte(macKey), master, []byte(macKey))
	if err != nil {
		return nil, fmt.Errorf("secret of keyed digests: %w", err)
	}
	return k, nil
}

// Dependency is the name of the dependency that is guarded here, as incidents and resilience.Taken have it.
func (k *Keyring) Dependency() string { return k.dep.Name() }

// Create gives the data key of a verification and makes it if there is none; it is durable when Create returns. ErrErased: there was one.
func (k *Keyring) Create(ctx context.Context, client, verification string) (*Key, error) {
	return k.key(ctx, client, verification, true)
}

// Key gives the data key of a verification. ErrErased: it was destroyed; ErrNoKey: there never was one.
func (k *Keyring) Key(ctx context.Context, client, verification string) (*Key, error) {
	return k.key(ctx, client, verification, false)
}

func (k *Keyring) key(ctx context.Context, client, verification string, create bool) (*Key, error) {
	name := string(joined(client, verification))
	if key, ok := k.cache.get(name); ok {
		return key, nil
	}
	return k.ask(ctx, name, func(ctx context.Context) (*Key, error) {
		key, err := k.load(ctx, client, name, create)
		if err == nil {
			k.cache.put(name, key)
		}
		return key, err
	})
}

// ask has the store worked on for one verification, and alone for that one, within the time that the dependency allows. A call that hangs keeps
// its gate until it returns; those who wait for the gate go when their time is over.
func (k *Keyring) ask(ctx context.Context, name string, f func(context.Context) (*Key, error)) (*Key, error) {
	type reply struct {
		key *Key
		no  error // an answer, not a failure of the store
	}
	got, err := resilience.Ask(ctx, k.dep, func(ctx context.Context) (r reply, err error) {
		leave, err := k.gate(name).enter(ctx)
		if err != nil {
			return r, err
		}
		defer leave()
		r.key, err = f(ctx)
		if errors.Is(err, ErrErased) || errors.Is(err, ErrNoKey) {
			r.no, err = err, nil
		}
		return r, err
	})
	if err = errors.Join(err, got.no); err != nil {
		return nil, err
	}
	return got.key, nil
}

func (k *Keyring) load(ctx context.Context, client, name string, create bool) (*Key, error) {
	gone, err := k.store.Get(tombstone(name))
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	if gone != nil {
		return nil, ErrErased
	}
	wrap, err := k.client(ctx, client)
	if err != nil {
		return nil, err
	}
	at := append([]byte("key/"), name...)
	var secret []byte
	if create {
		secret, err = k.secret(at, wrap, []byte(name))
	} else {
		secret, err = k.read(at, wrap, []byte(name))
	}
	if err != nil {
		return nil, err
	}
	if secret == nil {
		return nil, ErrNoKey
	}
	return newKey(secret)
}

// Erase destroys the data key of a verification for good. It is durable when Erase returns, and may be repeated; after an error it must be.
func (k *Keyring) Erase(ctx context.Context, client, verification string) error {
	name := string(joined(client, verification))
	_, err := k.ask(ctx, name, func(context.Context) (*Key, error) {
		defer k.cache.drop(name)
		if err := k.store.Put(tombstone(name), []byte{1}); err != nil {
			return nil, fmt.Errorf("writing the tombstone of a key: %w", err)
		}
		if err := k.store.Delete(append([]byte("key/"), name...)); err != nil {
			return nil, fmt.Errorf("destroying a key: %w", err)
		}
		return nil, nil
	})
	return err
}

func tombstone(name string) []byte { return append([]byte("gone/"), name...) }

// MAC is a keyed SHA-256 digest of the parts, with a key of its own for each purpose.
func (k *Keyring) MAC(purpose string, parts ...[]byte) []byte {
	key, err := hkdf.Key(sha256.New, k.mac, nil, "bonafide/mac/"+purpose, keySize)
	if err != nil {
		panic(err) // only for lengths that are not asked for here
	}
	m := hmac.New(sha256.New, key)
	m.Write(joined(parts...))
	return m.Sum(nil)
}

// client gives the AEAD of a client's keyset, which is made on first use.
func (k *Keyring) client(ctx context.Context, name string) (tink.AEAD, error) {
	leave, err := k.making.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if a, ok := k.clients[name]; ok {
		return a, nil
	}
	a, err := k.openClient([]byte("client/"+name), []byte(name))
	if err != nil {
		return nil, fmt.Errorf("key of a client: %w", err)
	}
	k.clients[name] = a
	return a, nil
}

func (k *Keyring) openClient(at, name []byte) (tink.AEAD, error) {
	wrapped, err := k.store.Get(at)
	if err != nil {
		return nil, err
	}
	if wrapped != nil {
		h, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), k.master, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTampered, err)
		}
		return aead.New(h)
	}
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := h.WriteWithAssociatedData(keyset.NewBinaryWriter(&out), k.master, name); err != nil {
		return nil, err
	}
	if err := k.store.Put(at, out.Bytes()); err != nil {
		return nil, err
	}
	return aead.New(h)
}

// secret reads the wrapped bytes that stand at a key, and makes them if there are none.
func (k *Keyring) secret(at []byte, wrap tink.AEAD, ad []byte) ([]byte, error) {
	if secret, err := k.read(at, wrap, ad); secret != nil || err != nil {
		return secret, err
	}
	secret := make([]byte, keySize)
	if _, err := io.ReadFull(k.rand, secret); err != nil {
		return nil, fmt.Errorf("drawing a key: %w", err)
	}
	wrapped, err := wrap.Encrypt(secret, ad)
	if err != nil {
		return nil, fmt.Errorf("wrapping a key: %w", err)
	}
	if err := k.store.Put(at, wrapped); err != nil {
		return nil, fmt.Errorf("keeping a key: %w", err)
	}
	return secret, nil
}

func (k *Keyring) read(at []byte, wrap tink.AEAD, ad []byte) ([]byte, error) {
	wrapped, err := k.store.Get(at)
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	if wrapped == nil {
		return nil, nil
	}
	secret, err := wrap.Decrypt(wrapped, ad)
	if err != nil {
		return nil, fmt.Errorf("unwrapping a key: %w: %w", ErrTampered, err)
	}
	return secret, nil
}

func (k *Keyring) gate(name string) gate {
	h := fnv.New32a()
	h.Write([]byte(name))
	return k.locks[h.Sum32()%uint32(len(k.locks))]
}
