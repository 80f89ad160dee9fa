package seal

import (
	"context"
	"fmt"
)

// Discard forgets the data key of a verification that never came to be, because its upload was refused. Unlike Erase it leaves no tombstone: an id
// that derives from an idempotency key may be used again. Nothing that was sealed under the key may have been published.
func (k *Keyring) Discard(ctx context.Context, client, verification string) error {
	name := string(joined(client, verification))
	_, err := k.ask(ctx, name, func(context.Context) (*Key, error) {
		defer k.cache.drop(name)
		if err := k.store.Delete(append([]byte("key/"), name...)); err != nil {
			return nil, fmt.Errorf("discarding a key: %w", err)
		}
		return nil, nil
	})
	return err
}
