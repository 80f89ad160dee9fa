package stream

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// keepTime is how long a kept message waits for others of its verification after the deadline of that, by the log's clock: by then summary has
// answered what it was kept for.
const keepTime = 5 * time.Minute

// kept are the messages of a lane that later messages of the same verification are given: the records as they stand in the log, so sealed.
type kept struct {
	by    map[string][]log.Rec // by verification, in the order of the lane
	wakes wakes                // when what is kept of a verification goes
}

// settle takes over what a finished message says is kept of its verification, and gives the changes of state that make it last. Only what the
// message was given is dropped: others may have been kept by a former owner that came further.
func (k *kept) settle(t *task, keep []*Message) (puts []log.KV) {
	at := func(p log.Pos) bool {
		return slices.ContainsFunc(keep, func(m *Message) bool { return m.Pos == p })
	}
	for _, r := range k.before(t) {
		if !at(r.Pos) {
			puts = append(puts, k.drop(t.line, r.Pos))
		}
	}
	if at(t.rec.Pos) {
		puts = append(puts, k.add(t.msg, t.rec))
	}
	return puts
}

// add keeps a record, and gives the change of state that makes it last.
func (k *kept) add(m *Message, rec log.Rec) log.KV {
	k.hold(m, rec)
	return log.KV{Key: keptKey(m.GetVerificationId(), rec.Pos), Val: encodeKept(rec)}
}

func (k *kept) hold(m *Message, rec log.Rec) {
	if k.by == nil {
		k.by = make(map[string][]log.Rec)
	}
	v := m.GetVerificationId()
	recs := k.by[v]
	i, found := slices.BinarySearchFunc(recs, rec, func(a, b log.Rec) int { return comparePos(a.Pos, b.Pos) })
	if found {
		return // it was kept before a restart, and was done again
	}
	k.by[v] = slices.Insert(recs, i, rec)
	k.wakes.set(v, later(k.wakes.when(v), later(rec.At, moment(m.GetDeadlineAt())).Add(keepTime)))
}

func (k *kept) drop(verification string, p log.Pos) log.KV {
	rest := slices.DeleteFunc(k.by[verification], func(r log.Rec) bool { return r.Pos == p })
	if k.by[verification] = rest; len(rest) == 0 {
		delete(k.by, verification)
		k.wakes.set(verification, time.Time{})
	}
	return log.KV{Key: keptKey(verification, p)}
}

func comparePos(a, b log.Pos) int {
	return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Off, b.Off))
}

// before gives the records kept of a task's verification that stand before it.
func (k *kept) before(t *task) []log.Rec {
	var out []log.Rec
	for _, r := range k.by[t.line] {
		if comparePos(r.Pos, t.rec.Pos) < 0 {
			out = append(out, r)
		}
	}
	return out
}

// expire drops what has waited too long, and gives the changes of state.
func (k *kept) expire(now time.Time) (puts []log.KV) {
	for {
		v, when, ok := k.wakes.first()
		if !ok || when.After(now) {
			return puts
		}
		for _, r := range slices.Clone(k.by[v]) {
			puts = append(puts, k.drop(v, r.Pos))
		}
	}
}

// restore takes up what an earlier owner of the lane kept.
func (k *kept) restore(v log.View, decode func(log.Rec) (*Message, error)) error {
	for _, val := range v.All() {
		rec, err := decodeKept(val)
		if err != nil {
			return fmt.Errorf("restoring kept messages: %w", err)
		}
		m, err := decode(rec)
		if err != nil {
			return fmt.Errorf("restoring kept messages: %w", err)
		}
		k.hold(m, rec)
	}
	return nil
}

func keptKey(verification string, p log.Pos) []byte {
	key := append([]byte(verification), 0)
	key = binary.BigEndian.AppendUint64(key, p.Epoch)
	return binary.BigEndian.AppendUint64(key, uint64(p.Off))
}

func encodeKept(r log.Rec) []byte {
	b := []byte{entryVersion}
	b = binary.BigEndian.AppendUint64(b, r.Pos.Epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Pos.Off))
	b = binary.BigEndian.AppendUint64(b, nanos(r.At))
	b = binary.BigEndian.AppendUint32(b, uint32(r.Lane.N))
	b = appendBytes(b, []byte(r.Lane.Topic))
	b = appendBytes(b, r.Key)
	b = appendBytes(b, r.Val)
	for _, h := range r.Head {
		b = appendBytes(appendBytes(b, []byte(h.Key)), h.Val)
	}
	return b
}

func decodeKept(b []byte) (r log.Rec, err error) {
	if len(b) < 29 || b[0] != entryVersion {
		return r, errEntry
	}
	r.Pos = log.Pos{Epoch: binary.BigEndian.Uint64(b[1:]), Off: int64(binary.BigEndian.Uint64(b[9:]))}
	r.At, r.Lane.N = fromNanos(binary.BigEndian.Uint64(b[17:])), int32(binary.BigEndian.Uint32(b[25:]))
	var fields [][]byte
	for rest := b[29:]; len(rest) > 0; {
		n, w := binary.Uvarint(rest)
		if w <= 0 || n > uint64(len(rest)-w) {
			return r, errEntry
		}
		fields = append(fields, rest[w:w+int(n)])
		rest = rest[w+int(n):]
	}
	if len(fields) < 3 || len(fields)%2 == 0 {
		return r, errEntry
	}
	r.Lane.Topic, r.Key, r.Val = string(fields[0]), fields[1], fields[2]
	for h := range slices.Chunk(fields[3:], 2) {
		r.Head = append(r.Head, log.Header{Key: string(h[0]), Val: h[1]})
	}
	return r, nil
}

func appendBytes(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}
