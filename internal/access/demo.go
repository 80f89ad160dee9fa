package access

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Demo is the client of the first start.
const Demo = "demo"

// First makes the client demo with one key if there is no key of anybody yet, keeps the key in dir/demo.key (mode 0600) for local
// tools, and returns it to be shown once; later starts return "".
func (k *Keys) First(ctx context.Context, dir string) (string, error) {
	k.mu.RLock()
	n := len(k.keys)
	k.mu.RUnlock()
	if n > 0 {
		return "", nil
	}
	key, text, err := k.mint(ctx, Demo, false)
	if err != nil {
		return "", err
	}
	// The file first: a key whose text is lost would keep every later start from making another.
	if err := writeFile(filepath.Join(dir, "demo.key"), text+"\n"); err != nil {
		return "", fmt.Errorf("keeping the demo key: %w", err)
	}
	if err := k.keep(key); err != nil {
		return "", err
	}
	return text, nil
}

// writeFile replaces a file whole, readable by its owner only.
func writeFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
