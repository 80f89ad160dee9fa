package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/bonafide-id/bonafide/internal/blob"
)

// When it is swept: first when a start has settled, and the index of what was opened has caught up.
const (
	firstSweep = time.Minute
	sweepEvery = time.Hour
)

// Run sweeps until ctx ends, and returns nil then.
func (s *Service) Run(ctx context.Context) error {
	for wait := firstSweep; ; wait = sweepEvery {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		swept, err := s.Sweep(ctx)
		if swept > 0 {
			s.Log.Info("swept what was left of uploads that were never accepted", "verifications", swept)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Error("not all could be swept; it is tried again", "again", sweepEvery, "err", err)
		}
	}
}

// Sweep removes the blobs and the data key of uploads that were killed before they were accepted, or whose outcome nobody knew: of those
// that are a day old and have no opened fact. It gives how many.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	swept, failed := 0, error(nil)
	for o, err := range s.Blobs.Old() {
		gone := false
		if err == nil {
			gone, err = s.sweep(ctx, o)
		}
		if ctx.Err() != nil {
			return swept, ctx.Err()
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("sweeping: %w", err) // one that cannot be swept does not keep the others
		}
		if gone {
			swept++
		}
	}
	return swept, failed
}

// sweep looks at one verification, in its turn: an upload under the same idempotency key may come back after a day, and be accepted meanwhile.
func (s *Service) sweep(ctx context.Context, o blob.Owner) (bool, error) {
	done, err := s.turns.take(ctx, o.Verification)
	if err != nil {
		return false, err
	}
	defer done()
	if old, err := s.Blobs.IsOld(o); err != nil || !old {
		return false, err
	}
	if known, err := s.Opened.Has(ctx, o.Client, o.Verification); err != nil || known {
		return false, err
	}
	err = s.remove(ctx, o.Client, o.Verification)
	return err == nil, err
}

// remove leaves nothing of a verification that never came to be. Its place goes last: by that the next sweep finds what could not be removed.
func (s *Service) remove(ctx context.Context, client, verification string) error {
	if err := s.Keys.Discard(ctx, client, verification); err != nil {
		return err
	}
	return s.Blobs.Remove(ctx, client, verification)
}
