package access

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
)

// Sizes in bytes of what is drawn: the id need only be unlike the others, the secret cannot be guessed.
const (
	idSize     = 6
	secretSize = 32
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// draw makes an id and a secret in the letters a to z and 2 to 7.
func draw(r io.Reader) (id, secret string, err error) {
	b := make([]byte, idSize+secretSize)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", "", fmt.Errorf("drawing a key: %w", err)
	}
	return letters.EncodeToString(b[:idSize]), letters.EncodeToString(b[idSize:]), nil
}

func join(id, secret string) string { return "bf_" + id + "_" + secret }

// split takes a key apart. It says nothing about whether the key is known.
func split(key string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(key, "bf_")
	if !ok || len(key) > 128 {
		return "", "", false
	}
	id, secret, ok = strings.Cut(rest, "_")
	return id, secret, ok && id != "" && secret != ""
}

func digest(secret string) []byte {
	d := sha256.Sum256([]byte(secret))
	return d[:]
}
