package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"

	aeadsubtle "github.com/tink-crypto/tink-go/v2/aead/subtle"
	streamsubtle "github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keySize is that of data keys and sub-keys, in bytes.
const keySize = 32

// segment is the size of a sealed piece of a blob. Tink's own templates have 4 KiB and 1 MiB; a blob is a few KiB to some MiB and every
// reader and writer holds one segment.
const segment = 64 << 10

// Key is the data key of one verification. Safe for concurrent use.
type Key struct {
	payloads tink.AEAD
	blobs    tink.StreamingAEAD
	salts    []byte
}

func newKey(secret []byte) (*Key, error) {
	sub := make(map[string][]byte)
	for _, use := range []string{"payload", "blob", "salt"} {
		k, err := hkdf.Key(sha256.New, secret, nil, "bonafide/"+use, keySize)
		if err != nil {
			return nil, fmt.Errorf("deriving the key for %ss: %w", use, err)
		}
		sub[use] = k
	}
	payloads, err := aeadsubtle.NewAESGCM(sub["payload"])
	if err != nil {
		return nil, err
	}
	blobs, err := streamsubtle.NewAESGCMHKDF(sub["blob"], "SHA256", keySize, segment, 0)
	if err != nil {
		return nil, err
	}
	return &Key{payloads, blobs, sub["salt"]}, nil
}

// Seal encrypts a payload so that it opens only at p.
func (k *Key) Seal(plain []byte, p Place) ([]byte, error) {
	return k.payloads.Encrypt(plain, p.bytes())
}

// Open decrypts what Seal made, or says ErrTampered.
func (k *Key) Open(sealed []byte, p Place) ([]byte, error) {
	plain, err := k.payloads.Decrypt(sealed, p.bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return plain, nil
}

// Salt is the HMAC-SHA-256 of an event's id: it hides what a hash of the event would betray, and goes with the key.
func (k *Key) Salt(eventID string) []byte {
	m := hmac.New(sha256.New, k.salts)
	m.Write([]byte(eventID))
	return m.Sum(nil)
}

// Writer seals what is written to it on the way to w. Nothing is whole before Close, which does not close w.
func (k *Key) Writer(w io.Writer, p Place) (io.WriteCloser, error) {
	return k.blobs.NewEncryptingWriter(w, p.bytes())
}

// Reader opens what Writer made. It hands out no byte that was not authenticated; changed, cut or misplaced bytes give ErrTampered, while an error
// of r itself comes back as it is: that it cannot be read now says nothing about what stands there.
func (k *Key) Reader(r io.Reader, p Place) (io.Reader, error) {
	sealed := &source{r: r}
	plain, err := k.blobs.NewDecryptingReader(sealed, p.bytes())
	if err != nil {
		return nil, sealed.judge(err)
	}
	return opened{plain, sealed}, nil
}

// source remembers the error of what it reads from.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// judge tells why sealed bytes did not open: they could not be read, or they are not what was written.
func (s *source) judge(err error) error {
	if s.err != nil {
		return fmt.Errorf("reading sealed bytes: %w", s.err)
	}
	return fmt.Errorf("%w: %w", ErrTampered, err)
}

type opened struct {
	plain  io.Reader
	sealed *source
}

func (o opened) Read(b []byte) (int, error) {
	n, err := o.plain.Read(b)
	if err != nil && err != io.EOF {
		err = o.sealed.judge(err)
	}
	return n, err
}
