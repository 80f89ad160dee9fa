package app

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/access"
)

// Keys manages API keys through the admin socket of the running system.
type Keys struct {
	Create CreateKey  `cmd:"" help:"Create a key for a client and print it, once."`
	List   ListKeys   `cmd:"" help:"List the keys."`
	Revoke RevokeKeys `cmd:"" help:"Make a key worthless."`
}

// Help gives an example.
func (Keys) Help() string {
	return "Example:\n  bonafide keys create music-shop --data data\n  bonafide keys list --data data\n  bonafide keys revoke 3fa9c1 --data data"
}

// socketOf is where a running system listens for its operator.
func socketOf(dir string) string { return filepath.Join(dir, "admin.sock") }

// CreateKey makes a key.
type CreateKey struct {
	Client  string `arg:"" help:"Name of the client: a-z, 0-9 and dashes."`
	Sandbox bool   `help:"Mark the key as one for trying things out. The list of keys shows the mark; nothing else is different yet."`
	Data    string `default:"bonafide-data" type:"path" help:"Data directory of the running system."`
}

// Help gives an example.
func (CreateKey) Help() string { return "Example:\n  bonafide keys create music-shop --data data" }

// Run prints the new key.
func (c *CreateKey) Run(ctx context.Context, s streams) error {
	made, err := access.NewAdminClient(socketOf(c.Data)).Create(ctx, c.Client, c.Sandbox)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.err, "This is the only time the key is shown:")
	_, err = fmt.Fprintln(s.out, made.Text)
	return err
}

// ListKeys lists the keys.
type ListKeys struct {
	Data string `default:"bonafide-data" type:"path" help:"Data directory of the running system."`
}

// Help gives an example.
func (ListKeys) Help() string { return "Example:\n  bonafide keys list --data data" }

// Run prints the table of keys.
func (c *ListKeys) Run(ctx context.Context, s streams) error {
	keys, err := access.NewAdminClient(socketOf(c.Data)).List(ctx)
	if err != nil {
		return err
	}
	return table(s.out, "ID\tCLIENT\tKEY\tSANDBOX\tCREATED\tREVOKED", func(row func(...any)) {
		for _, k := range keys {
			revoked := "-"
			if !k.Revoked.IsZero() {
				revoked = k.Revoked.Format(time.RFC3339)
			}
			row(k.ID, k.Client, k.Prefix()+"…", k.Sandbox, k.Created.Format(time.RFC3339), revoked)
		}
	})
}

// RevokeKeys makes a key worthless.
type RevokeKeys struct {
	ID   string `arg:"" help:"Id of the key, as list prints it."`
	Data string `default:"bonafide-data" type:"path" help:"Data directory of the running system."`
}

// Help gives an example.
func (RevokeKeys) Help() string { return "Example:\n  bonafide keys revoke 3fa9c1 --data data" }

// Run revokes it.
func (c *RevokeKeys) Run(ctx context.Context) error {
	return access.NewAdminClient(socketOf(c.Data)).Revoke(ctx, c.ID)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
