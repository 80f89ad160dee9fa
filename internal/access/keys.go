package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// Key is what is known of an API key; the secret is not.
type Key struct {
	ID      string    `json:"id"`
	Client  string    `json:"client"`
	Sandbox bool      `json:"sandbox"`
	Created time.Time `json:"created"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// Prefix is what may be shown of the key itself.
func (k Key) Prefix() string { return "bf_" + k.ID }

type stored struct {
	Key
	Hash []byte `json:"hash"` // SHA-256 of the secret
}

// Config of the keys.
type Config struct {
	Store Store
	// Prepare is called before the first key of a client is kept, and makes what the client needs, such as its feed. It may be repeated.
	Prepare func(ctx context.Context, client string) error
	Clock   func() time.Time // nil: time.Now
	Rand    io.Reader        // nil: crypto/rand
	Log     *slog.Logger     // of refused accesses
}

// Keys are all API keys. Safe for concurrent use.
type Keys struct {
	Config
	mu   sync.RWMutex
	keys map[string]stored // by id
}

const storePrefix = "apikey/"

// Open reads all keys.
func Open(c Config) (*Keys, error) {
	if c.Store == nil || c.Prepare == nil || c.Log == nil {
		return nil, errors.New("access: store, prepare and log are needed")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	k := &Keys{Config: c, keys: map[string]stored{}}
	for kv, err := range c.Store.Iterate([]byte(storePrefix)) {
		if err != nil {
			return nil, fmt.Errorf("reading API keys: %w", err)
		}
		var s stored
		if err := json.Unmarshal(kv.Val, &s); err != nil {
			return nil, fmt.Errorf("reading API keys: %w", err)
		}
		k.keys[s.ID] = s
	}
	return k, nil
}

// Create makes a key for a client and returns it together with its text, which is not kept and cannot be shown again.
func (k *Keys) Create(ctx context.Context, client string, sandbox bool) (Key, string, error) {
	s, text, err := k.mint(ctx, client, sandbox)
	if err == nil {
		err = k.keep(s)
	}
	if err != nil {
		return Key{}, "", err
	}
	return s.Key, text, nil
}

// mint makes a key that is worth nothing until it is kept.
func (k *Keys) mint(ctx context.Context, client string, sandbox bool) (stored, string, error) {
	if err := CheckClient(client); err != nil {
		return stored{}, "", err
	}
	if err := k.Prepare(ctx, client); err != nil {
		return stored{}, "", fmt.Errorf("preparing client %s: %w", client, err)
	}
	id, secret, err := draw(k.Rand)
	if err != nil {
		return stored{}, "", err
	}
	return stored{Key{ID: id, Client: client, Sandbox: sandbox, Created: k.Clock().UTC()}, digest(secret)}, join(id, secret), nil
}

func (k *Keys) keep(s stored) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.Store.Put([]byte(storePrefix+s.ID), b); err != nil {
		return fmt.Errorf("keeping an API key: %w", err)
	}
	k.keys[s.ID] = s
	return nil
}

// List gives every key, revoked ones too, by client and age.
func (k *Keys) List() []Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var out []Key
	for _, s := range k.keys {
		out = append(out, s.Key)
	}
	slices.SortFunc(out, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Clients lists every client that ever had a key, by name.
func (k *Keys) Clients() []string {
	names := map[string]bool{}
	for _, key := range k.List() {
		names[key.Client] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Revoke makes a key worthless from now on; a key that was revoked stays so. ErrNoKey.
func (k *Keys) Revoke(id string) error {
	k.mu.RLock()
	s, ok := k.keys[id]
	k.mu.RUnlock()
	if !ok {
		return ErrNoKey
	}
	if !s.Revoked.IsZero() {
		return nil
	}
	s.Revoked = k.Clock().UTC()
	return k.keep(s)
}

// Valid says whether a principal's key is still good.
func (k *Keys) Valid(p Principal) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	s, ok := k.keys[p.Key]
	return ok && s.Revoked.IsZero()
}
