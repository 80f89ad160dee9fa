package seal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonafide-id/bonafide/internal/resilience"
)

// hanging is a store of which one key hangs until it is released.
type hanging struct {
	Store
	name    string
	release chan struct{}
}

func (h hanging) Get(key []byte) ([]byte, error) {
	if strings.Contains(string(key), h.name) {
		<-h.release
	}
	return h.Store.Get(key)
}

// A call to the store that hangs holds up nobody beyond the time that was decided: neither who called, nor who comes after, nor who shares the gate.
func TestHangingStore(t *testing.T) {
	for _, what := range []string{"gone/", "client/c"} {
		synctest.Test(t, func(t *testing.T) {
			store := hanging{&memory{kv: map[string][]byte{}}, what, make(chan struct{})}
			k := open(t, store, t.TempDir())
			wait := resilience.Decision{Action: resilience.Wait, After: time.Second, For: 10 * time.Second}
			var err error
			k.dep, err = resilience.New(resilience.Config{Name: "keys", Decisions: resilience.Decisions{Down: wait, Slow: wait, Unreliable: wait},
				Report: func(resilience.Incident) {}})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for n, call := range []func() error{
				func() error { _, err := k.Create(t.Context(), "c", "v"); return err },
				func() error { _, err := k.Key(t.Context(), "c", "v"); return err },
				func() error { return k.Erase(t.Context(), "c", "v") },
			} {
				err := call()
				if took := time.Since(began); !errors.Is(err, resilience.ErrSlow) || errors.Is(err, context.DeadlineExceeded) || took != 10*time.Second*time.Duration(n+1) {
					t.Errorf("%s, call %d: %v after %v", what, n, err, took)
				}
			}
			close(store.release)
			synctest.Wait()
			made, err := k.Create(t.Context(), "c", "v")
			if err != nil {
				t.Fatalf("%s, when it answers again: %v", what, err)
			}
			if key, err := k.Key(t.Context(), "c", "v"); err != nil || string(key.Salt("e")) != string(made.Salt("e")) {
				t.Errorf("%s: %v, or another key", what, err)
			}
		})
	}
}
