package embedded

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

// load reads what the log keeps in memory: topics, where each lane begins and ends, the segments.
func (l *Log) load() error {
	if err := l.loadEpoch(); err != nil {
		return err
	}
	t, byID, err := l.loadTopics()
	if err != nil {
		return err
	}
	l.topics.Store(&t)
	if err := l.loadFirst(byID); err != nil {
		return err
	}
	if err := l.loadIndex(byID); err != nil {
		return err
	}
	for _, x := range t {
		for _, ln := range x.lanes {
			if err := l.loadEnd(ln); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadEpoch reads the log's epoch; a new log draws one from the clock, so that it differs from that of
// another log that once stood in the same place.
func (l *Log) loadEpoch() error {
	k := []byte{kindEpoch}
	v, err := l.get(k)
	if err != nil {
		return err
	}
	if v != nil {
		l.epoch = binary.BigEndian.Uint64(v)
		return nil
	}
	if l.store.batches > 0 {
		return damaged(l.store.path("db"), errors.New("the log's epoch is missing"))
	}
	l.epoch = uint64(max(l.Now().UnixMilli(), 1))
	b := l.store.db.NewBatch()
	if err := b.Set(k, sum(k, u64(nil, l.epoch)), nil); err != nil {
		return err
	}
	_, wait, err := l.store.apply(b)
	if err != nil {
		return err
	}
	return wait()
}

func (l *Log) loadTopics() (table, map[uint32]*topic, error) {
	t, byID := table{}, map[uint32]*topic{}
	err := l.scanKeys([]byte{kindTopic}, func(k, v []byte) error {
		var s storedTopic
		if err := json.Unmarshal(v, &s); err != nil {
			return damaged("", err)
		}
		x := newTopic(s)
		t[s.Name], byID[s.ID] = x, x
		return nil
	})
	return t, byID, err
}

// laneOf finds the lane that a key names in 8 bytes from i on.
func laneOf(byID map[uint32]*topic, k []byte) (*lane, error) {
	x := byID[binary.BigEndian.Uint32(k[1:])]
	if n := binary.BigEndian.Uint32(k[5:]); x != nil && int(n) < len(x.lanes) {
		return x.lanes[n], nil
	}
	return nil, damaged("", fmt.Errorf("a lane of topic number %d is there, the topic is not", binary.BigEndian.Uint32(k[1:])))
}

func (l *Log) loadFirst(byID map[uint32]*topic) error {
	return l.scanKeys([]byte{kindFirst}, func(k, v []byte) error {
		ln, err := laneOf(byID, k)
		if err != nil {
			return err
		}
		s := decodeStart(0, v)
		ln.first, ln.trim = s.off, s.cum
		ln.next, ln.bytes, ln.lastAt = s.off, s.cum, s.at
		return nil
	})
}

func (l *Log) loadIndex(byID map[uint32]*topic) error {
	return l.scanKeys([]byte{kindIndex}, func(k, v []byte) error {
		ln, err := laneOf(byID, k)
		if err != nil {
			return err
		}
		s := decodeStart(uint64(offsetOf(k)), v)
		ln.segs = append(ln.segs, s)
		l.segs.cur = max(l.segs.cur, s.seg)
		return nil
	})
}

// loadEnd finds the end of a lane: its last record, or where it was trimmed.
func (l *Log) loadEnd(ln *lane) error {
	if n := len(ln.segs); n > 0 {
		r, cum, err := l.last(ln, ln.segs[n-1])
		if err != nil {
			return ln.damaged(err)
		}
		ln.next, ln.bytes, ln.lastAt = r.Pos.Off+1, cum, r.At
	}
	ln.end, ln.total, ln.latest = ln.next, ln.bytes, ln.lastAt
	return nil
}

// last reads the last record of a lane in a segment.
func (l *Log) last(ln *lane, s start) (r log.Rec, cum int64, err error) {
	lower := laneKey(s.seg, ln.topic.id, ln.n)
	it, err := l.store.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
	if err != nil {
		return r, 0, err
	}
	defer it.Close()
	if !it.Last() {
		return r, 0, errors.Join(errMissing, it.Error())
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return r, 0, err
	}
	if r, cum, err = decode(it.Key(), v); err != nil {
		return r, 0, err
	}
	off := offsetOf(it.Key())
	if off < s.off || off+1 < ln.first {
		return r, 0, errMissing
	}
	return log.Rec{At: r.At, Pos: log.Pos{Off: off}}, cum, nil
}

func (s start) encode() []byte {
	return u64(u64(u64(nil, s.off), s.at.UnixNano()), s.cum)
}

func decodeStart(seg uint64, v []byte) start {
	d := decoder{b: v}
	return start{seg: seg, off: int64(d.uint64()), at: time.Unix(0, int64(d.uint64())).UTC(), cum: int64(d.uint64())}
}

// get reads a checked value; nil where there is none.
func (l *Log) get(k []byte) ([]byte, error) { return l.store.get(k) }

func (s *store) get(k []byte) ([]byte, error) {
	v, closer, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, wrapDamage(err)
	}
	defer closer.Close()
	body, err := unsum(k, v)
	if err != nil {
		return nil, err
	}
	return append([]byte{}, body...), nil
}

// scanKeys calls f with all keys under a prefix and their checked values, which hold during the call.
func (l *Log) scanKeys(prefix []byte, f func(k, v []byte) error) error {
	return l.store.scan(prefix, f)
}

func (s *store) scan(prefix []byte, f func(k, v []byte) error) error {
	return s.scanRange(prefix, after(prefix), f)
}

func (s *store) scanRange(from, to []byte, f func(k, v []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return wrapDamage(err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return wrapDamage(err)
		}
		if v, err = unsum(it.Key(), v); err != nil {
			return err
		}
		if err := f(it.Key(), v); err != nil {
			return err
		}
	}
	return wrapDamage(it.Error())
}
