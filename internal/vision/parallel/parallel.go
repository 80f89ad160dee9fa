// Package parallel runs pieces of one task side by side and waits for all of them.
//
// A panic in a piece is raised again in the caller: whoever guards the task guards its pieces too, and one broken
// picture does not take the process with it.
package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Do calls each of fs at the same time and returns the first error in their order.
func Do(fs ...func() error) error {
	return Each(len(fs), len(fs), func(i int) error { return fs[i]() })
}

// Each calls f with 0 … n−1, at most limit at a time, and returns the first error in that order. After an error no
// further call begins.
func Each(limit, n int, f func(i int) error) error {
	p := &pieces{f: f, errs: make([]error, n)}
	var wg sync.WaitGroup
	for range min(limit, n) {
		wg.Go(p.work)
	}
	wg.Wait()
	if p.panicked != nil {
		panic(p.panicked)
	}
	for _, err := range p.errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// pieces are handed out one by one.
type pieces struct {
	f    func(int) error
	errs []error

	mu       sync.Mutex
	next     int
	stop     bool
	panicked error
}

func (p *pieces) work() {
	for i, ok := p.take(); ok; i, ok = p.take() {
		if p.errs[i] = p.try(i); p.errs[i] != nil {
			p.halt(nil)
		}
	}
}

func (p *pieces) take() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop || p.next == len(p.errs) {
		return 0, false
	}
	p.next++
	return p.next - 1, true
}

func (p *pieces) halt(panicked error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop = true
	if p.panicked == nil {
		p.panicked = panicked
	}
}

func (p *pieces) try(i int) error {
	defer func() {
		if v := recover(); v != nil {
			p.halt(fmt.Errorf("%v\n%s", v, debug.Stack()))
		}
	}()
	return p.f(i)
}
