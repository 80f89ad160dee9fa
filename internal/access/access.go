// Package access knows who may do what: clients, their API keys, and the refusals.
//
// A client is a name of [a-z0-9-]{1,64}. It has any number of API keys, valid side by side, so that they can be changed without a pause. A key is
// bf_<id>_<secret>: the id is public and names the key in lists and logs; of the secret (256 random bits) only the SHA-256 is kept. A slow
// hash would add nothing: nobody guesses 256 bits. Whose data is seen follows from the key alone, never from the request.
package access

import (
	"context"
	"errors"
	"iter"
	"regexp"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Errors that callers branch on.
var (
	ErrRefused   = errors.New("access refused")                                                      // no key, or not a valid one
	ErrBadClient = errors.New("a client's name is 1 to 64 of lower case letters, digits and dashes") // of Create
	ErrNoKey     = errors.New("no such key")                                                         // of Revoke
)

// Principal is who makes a request.
type Principal struct {
	Client  string
	Key     string // id of the key
	Sandbox bool
}

// Store keeps keys durably; log/embedded's KV is one.
type Store interface {
	Put(key, val []byte) error // durable when it returns nil
	Iterate(prefix []byte) iter.Seq2[log.KV, error]
}

var clientName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// CheckClient refuses what is not a client's name, with ErrBadClient.
func CheckClient(name string) error {
	if !clientName.MatchString(name) {
		return ErrBadClient
	}
	return nil
}

type principalKey struct{}

// With marks a context as a request of p.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// Of is who makes the request of a context; the zero Principal where nobody authenticated.
func Of(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
