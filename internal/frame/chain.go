package frame

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gowebpki/jcs"
)

// Genesis is the prev_hash of the first frame of a verification.
const Genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// Body is the event as canonical JSON (RFC 8785): the bytes that are hashed, sealed and sent.
func (e Event) Body() ([]byte, error) {
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding event %s: %w", e.ID, err)
	}
	return jcs.Transform(raw)
}

// Hash chains a body to the frame before it. prev and salt are hexadecimal text and enter as that text; so does the answer leave.
func Hash(prev, salt string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(prev))
	h.Write([]byte(salt))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// Splice makes a frame of a body: one JSON object, the head's members first, the body's bytes untouched behind them.
func Splice(h Head, body []byte) ([]byte, error) {
	if len(body) < 2 || body[0] != '{' || body[len(body)-1] != '}' {
		return nil, fmt.Errorf("body of %d bytes is no JSON object", len(body))
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding the head of a frame: %w", err)
	}
	if len(body) == 2 {
		return head, nil
	}
	return append(append(head[:len(head)-1], ','), body[1:]...), nil
}
