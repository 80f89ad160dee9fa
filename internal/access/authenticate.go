package access

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// Authenticate says who makes a request, from its Authorization header; ErrRefused otherwise, and why stands in the log, without the
// secret.
func (k *Keys) Authenticate(r *http.Request) (Principal, error) {
	p, why := k.check(r.Header.Values("Authorization"))
	if why == "" {
		return p, nil
	}
	k.Log.Warn("access refused", "audit", true, "why", why, "key", p.Key, "client", p.Client, "remote", r.RemoteAddr, "method", r.Method, "path", r.URL.Path)
	return Principal{}, ErrRefused
}

// check gives the principal, or why there is none; then the principal holds no more than what is known of the key.
func (k *Keys) check(headers []string) (p Principal, why string) {
	if len(headers) == 0 {
		return p, "no key"
	}
	scheme, key, _ := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return p, "not one bearer token"
	}
	id, secret, ok := split(strings.TrimSpace(key))
	if !ok {
		return p, "not of the form of a key"
	}
	k.mu.RLock()
	s, known := k.keys[id]
	k.mu.RUnlock()
	// A key that is not known takes as long as one that is: its hash is compared with nothing.
	right := subtle.ConstantTimeCompare(digest(secret), s.Hash) == 1
	switch {
	case !known:
		return p, "unknown key"
	case !right:
		return Principal{Client: s.Client, Key: id}, "wrong secret"
	case !s.Revoked.IsZero():
		return Principal{Client: s.Client, Key: id}, "revoked key"
	}
	return Principal{Client: s.Client, Key: id, Sandbox: s.Sandbox}, ""
}
