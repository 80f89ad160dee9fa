package resilience

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Ask is Do for a call that does not know contexts, as to a disk: f works in a goroutine of its own. When the time that slow allows is over the
// caller goes on, and f is left behind until it returns; what it gives then is dropped, so f must own all that it touches and undo what nobody
// will use. A caller who is cancelled is no reason to leave f behind: it is local work, mostly done in less than a millisecond.
func Ask[T any](ctx context.Context, d *Dependency, f func(context.Context) (T, error)) (T, error) {
	var got T
	err := d.Do(context.WithoutCancel(ctx), func(ctx context.Context) error {
		answers := make(chan answer[T], 1)
		go func() { answers <- call(ctx, f) }()
		select {
		case a := <-answers:
			if a.panicked != nil {
				panic(a.panicked) // where the caller's own guard meets it
			}
			got = a.val
			return a.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	return got, err
}

type answer[T any] struct {
	val      T
	err      error
	panicked *panicked
}

// panicked is the panic of a call, with where it was. It is a runtime.Error because it quotes only what Go itself says: any other value may hold
// what was on a document.
type panicked struct {
	cause any
	stack []byte
}

func (p *panicked) RuntimeError() {}

func (p *panicked) Error() string {
	what := fmt.Sprintf("a value of type %T", p.cause)
	if err, ok := p.cause.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Sprintf("%s\n%s", what, p.stack)
}

func call[T any](ctx context.Context, f func(context.Context) (T, error)) (a answer[T]) {
	defer func() {
		if p := recover(); p != nil {
			a.panicked = &panicked{p, debug.Stack()}
		}
	}()
	a.val, a.err = f(ctx)
	return a
}
