package embedded

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bonafide-id/bonafide/internal/log"
)

// Publish implements log.Log. The records of one call are one batch.
func (l *Log) Publish(ctx context.Context, recs ...log.Rec) ([]log.Rec, error) {
	if err := l.room(); err != nil {
		return nil, err
	}
	out := make([]log.Rec, len(recs))
	err := l.do(ctx, func(t *txn) error {
		topics, err := l.targets(recs)
		if err != nil {
			return err
		}
		for i, r := range recs {
			out[i] = t.append(topics[i], r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("publishing: %w", err)
	}
	return out, nil
}

// Send implements log.Log.
func (l *Log) Send(recs ...log.Rec) {
	if l.room() != nil || l.alive() != nil {
		return
	}
	own := make([]log.Rec, len(recs))
	for i, r := range recs {
		own[i] = clone(r)
	}
	_ = l.queue.add(&request{done: make(chan error, 1), build: func(t *txn) error {
		topics, err := l.targets(own)
		for i := 0; err == nil && i < len(own); i++ {
			t.append(topics[i], own[i])
		}
		return err
	}}, maxUnsent)
}

func clone(r log.Rec) log.Rec {
	c := log.Rec{Lane: r.Lane, Key: append([]byte(nil), r.Key...), Val: append([]byte(nil), r.Val...)}
	for _, h := range r.Head {
		c.Head = append(c.Head, log.Header{Key: h.Key, Val: append([]byte(nil), h.Val...)})
	}
	return c
}

// targets finds the topics of records, and refuses what cannot be appended.
func (l *Log) targets(recs []log.Rec) ([]*topic, error) {
	table := l.table()
	topics := make([]*topic, len(recs))
	for i, r := range recs {
		t, err := table.topic(r.Lane.Topic)
		if err != nil {
			return nil, err
		}
		if n := payload(r); n > log.MaxRecord {
			return nil, fmt.Errorf("%w: %d bytes for %s", log.ErrTooLarge, n, t.name)
		}
		topics[i] = t
	}
	return topics, nil
}

func (l *Log) room() error {
	if l.store.room.full.Load() {
		return log.ErrFull
	}
	return nil
}

// Create implements log.Log.
func (l *Log) Create(ctx context.Context, topics ...log.Topic) error {
	for _, t := range topics {
		if err := log.CheckTopic(t); err != nil {
			return err
		}
	}
	if err := l.room(); err != nil {
		return err
	}
	return l.do(ctx, func(x *txn) error { return x.create(topics) })
}

func (t *txn) create(topics []log.Topic) error {
	now := t.log.table()
	for _, d := range topics {
		if have := now[d.Name]; have != nil && len(have.lanes) != int(d.Lanes) {
			return fmt.Errorf("%w: %s has %d, asked for %d", log.ErrLanes, d.Name, len(have.lanes), d.Lanes)
		}
	}
	for _, d := range topics {
		have := now[d.Name]
		if have == nil {
			have = newTopic(storedTopic{d, now.nextID()})
			now = now.with(have)
		} else if *have.desc.Load() == d {
			continue
		}
		b, err := json.Marshal(storedTopic{d, have.id})
		t.must(err)
		t.set(topicKey(have.id), b)
		t.then = append(t.then, func() { have.desc.Store(&d) })
	}
	t.log.topics.Store(&now)
	return nil
}
