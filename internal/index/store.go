package index

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Keys in the store: the topic, a zero, the lane (4 bytes), then either nothing (the position) or a slash and the key.
func (x *Index) at(lane int32) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(x.Topic), 0), uint32(lane))
}

func (x *Index) entry(lane int32, key string) []byte {
	return append(append(x.at(lane), '/'), key...)
}

// restore finds where reading goes on. A position that the log does not have, because it is another log now, drops all that was indexed.
func (x *Index) restore(ctx context.Context, l *lane) error {
	bounds, err := x.Log.Bounds(ctx, log.Lane{Topic: x.Topic, N: l.n})
	if err != nil {
		return err
	}
	b, err := x.Store.get(x.at(l.n))
	if err != nil {
		return fmt.Errorf("reading the index: %w", err)
	}
	l.next = bounds[0].First
	if len(b) != 16 {
		return nil
	}
	saved := log.Pos{Epoch: binary.BigEndian.Uint64(b), Off: int64(binary.BigEndian.Uint64(b[8:]))}
	switch {
	case saved.Epoch != bounds[0].End.Epoch || saved.Off > bounds[0].End.Off:
		return x.drop(l)
	case saved.Off >= bounds[0].First.Off:
		l.next, l.written = saved, saved
	}
	return nil
}

// drop forgets everything about a lane, a piece at a time and its position last: broken off, it is begun again.
func (x *Index) drop(l *lane) error {
	for {
		pairs, err := x.Store.page(x.entry(l.n, ""), nil)
		if err != nil {
			return fmt.Errorf("reading the index: %w", err)
		}
		if len(pairs) == 0 {
			return x.Store.write(log.KV{Key: x.at(l.n)})
		}
		for i := range pairs {
			pairs[i].Val = nil
		}
		if err := x.Store.write(pairs...); err != nil {
			return err
		}
	}
}

// write brings the store up to what was read.
func (x *Index) write() error {
	x.flush.Lock()
	defer x.flush.Unlock()
	var changes []log.KV
	var after []func()
	for _, l := range x.lanes {
		more, done, err := x.changes(l)
		if err != nil {
			return fmt.Errorf("writing the index of %s: %w", x.Topic, err)
		}
		if done != nil {
			changes, after = append(changes, more...), append(after, done)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := x.Store.write(changes...); err != nil {
		return fmt.Errorf("writing the index of %s: %w", x.Topic, err)
	}
	for _, f := range after {
		f()
	}
	return nil
}

// changes lists what the store does not have yet of a lane; done is called once it has, and is nil where there is nothing.
func (x *Index) changes(l *lane) (out []log.KV, done func(), err error) {
	l.mu.Lock()
	next, news := l.next, make(map[string][]int64, len(l.pending))
	for k, offs := range l.pending {
		news[k] = offs[:len(offs):len(offs)]
	}
	unchanged := next == l.written
	l.mu.Unlock()
	if unchanged {
		return nil, nil, nil
	}
	for k, offs := range news {
		old, err := x.stored(l.n, k)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, log.KV{Key: x.entry(l.n, k), Val: encode(x.merge(old, offs))})
	}
	pos := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, next.Epoch), uint64(next.Off))
	return append(out, log.KV{Key: x.at(l.n), Val: pos}), func() { l.forget(news, next) }, nil
}

// forget drops what the store has now.
func (l *lane) forget(news map[string][]int64, written log.Pos) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = written
	for k, offs := range news {
		rest := l.pending[k][len(offs):]
		l.size -= len(offs)
		if len(rest) == 0 {
			delete(l.pending, k)
		} else {
			l.pending[k] = rest
		}
	}
}

func (x *Index) stored(lane int32, key string) ([]int64, error) {
	b, err := x.Store.get(x.entry(lane, key))
	if err != nil {
		return nil, err
	}
	return decode(b), nil
}

// merge adds rising offsets behind those that are stored; what is stored already is not added again.
func (x *Index) merge(old, more []int64) []int64 {
	for _, o := range more {
		if len(old) == 0 || !x.First && o > old[len(old)-1] {
			old = append(old, o)
		}
	}
	return old
}

// encode writes rising offsets as differences.
func encode(offs []int64) []byte {
	var b []byte
	last := int64(0)
	for _, o := range offs {
		b = binary.AppendUvarint(b, uint64(o-last))
		last = o
	}
	return b
}

func decode(b []byte) []int64 {
	var offs []int64
	last := int64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return offs
		}
		last += int64(d)
		offs, b = append(offs, last), b[n:]
	}
	return offs
}
