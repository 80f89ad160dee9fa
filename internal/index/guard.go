package index

import (
	"context"
	"errors"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
)

// KV is where an index is kept; log/embedded's is one. What is lost is only time.
type KV interface {
	Get(key []byte) (val []byte, ok bool, err error)
	Write(changes ...log.KV) error                       // all or nothing; a nil Val removes the key
	Page(prefix, behind []byte, n int) ([]log.KV, error) // the first n pairs behind a key, in order
}

// Store is a KV with what was decided for the time that it is away. Safe for concurrent use.
type Store struct {
	kv  KV
	dep *resilience.Dependency
}

// NewStore guards a KV.
func NewStore(kv KV, dep *resilience.Dependency) (*Store, error) {
	if kv == nil || dep == nil {
		return nil, errors.New("index store: a key-value store and a dependency are needed")
	}
	return &Store{kv, dep}, nil
}

// putOff says that the store is full or away: what is to be written is written later.
func putOff(err error) bool {
	var taken *resilience.Taken
	return errors.Is(err, log.ErrFull) || errors.As(err, &taken)
}

type reply struct {
	pairs []log.KV
	no    error // an answer, not a failure of the store
}

// ask asks the store. Whose work it is is not said: an index is nobody's.
func (s *Store) ask(f func() ([]log.KV, error)) ([]log.KV, error) {
	got, err := resilience.Ask(context.Background(), s.dep, func(context.Context) (r reply, err error) {
		r.pairs, err = f()
		if errors.Is(err, log.ErrFull) || errors.Is(err, log.ErrClosed) {
			r.no, err = err, nil
		}
		return r, err
	})
	if err = errors.Join(err, got.no); err != nil {
		return nil, err
	}
	return got.pairs, nil
}

// get gives nil where there is nothing.
func (s *Store) get(key []byte) ([]byte, error) {
	pairs, err := s.ask(func() ([]log.KV, error) {
		val, ok, err := s.kv.Get(key)
		if err != nil || !ok {
			return nil, err
		}
		return []log.KV{{Val: val}}, nil
	})
	if err != nil || len(pairs) == 0 {
		return nil, err
	}
	return pairs[0].Val, nil
}

func (s *Store) write(changes ...log.KV) error {
	_, err := s.ask(func() ([]log.KV, error) { return nil, s.kv.Write(changes...) })
	return err
}

func (s *Store) page(prefix, behind []byte) ([]log.KV, error) {
	return s.ask(func() ([]log.KV, error) { return s.kv.Page(prefix, behind, pageSize) })
}
