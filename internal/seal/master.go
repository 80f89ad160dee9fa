package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// openMaster reads the master keyset, or makes it at the first start. The file is all the key service there is without a KMS, so it
// stands in clear, readable by its owner only. Once keys were wrapped by it, it is not made again.
func openMaster(path string, first bool) (tink.AEAD, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !first {
		return nil, fmt.Errorf("master keyset %s is gone, and keys are there that only it opens: restore it from where you keep it safe", path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeMaster(path)
	}
	if err != nil {
		return nil, fmt.Errorf("master keyset: %w", err)
	}
	if err := private(path); err != nil {
		return nil, err
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("master keyset %s is damaged: restore it from where you keep it safe: %w", path, err)
	}
	return aead.New(h)
}

func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("master keyset: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("master keyset %s can be read by others: chmod 600 it", path)
	}
	return nil
}

// makeMaster writes a new keyset beside its place and moves it there, so that a crash leaves a whole one or none.
func makeMaster(path string) ([]byte, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&text)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, err
	}
	return text.Bytes(), syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
