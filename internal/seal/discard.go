package seal

import (
	"context"
	"fmt"
)

// Discard forgets the data key of a verification that never came to be, because its upload was refused. Unlike Erase it leaves no tombstone: an id
// that derives from an idempotency key may be used again. Nothing that was sealed under the key may have been published.
func (k *Keyring) Discard(ctx context.Context, client, verification string) error {
	name := string(joined(client, verification))
	defer k.lock(name)()
	defer k.cache.drop(name)
	return k.dep.Do(ctx, func(context.Context) error {
		if err := k.store.Delete(append([]byte("key/"), name...)); err != nil {
			return fmt.Errorf("discarding a key: %w", err)
		}
		return nil
	})
}
