package stream

import (
	"context"
	"testing"
)

func TestConsuming(t *testing.T) {
	e := newEnv(t, nil)
	if e.rt.Consuming("looker") {
		t.Error("it consumes before it runs")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- RunWorker(ctx, e.rt, looker(sayFocus)) }()
	e.until("it consumes", func() bool { return e.rt.Consuming("looker") })
	if e.rt.Consuming("another") {
		t.Error("another consumes, which does not run")
	}
	cancel()
	if err := <-done; err != nil || e.rt.Consuming("looker") {
		t.Errorf("it consumes when it has stopped (%v)", err)
	}
}
