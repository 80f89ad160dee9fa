package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
)

// keepTime is how long a kept message waits for others of its verification, by the log's clock.
const keepTime = 24 * time.Hour

// kept are the messages of a lane that later messages of the same verification are given: the records as they stand in the log, so sealed.
type kept struct {
	by    map[string][]log.Rec // by verification, in the order of the lane
	order []keptAt             // in the order in which they were added
}

type keptAt struct {
	verification string
	pos          log.Pos
	at           time.Time
}

// add keeps a record and gives the change of state that makes it last.
func (k *kept) add(verification string, rec log.Rec) log.KV {
	k.hold(verification, rec)
	return log.KV{Key: keptKey(verification, rec.Pos), Val: encodeKept(rec)}
}

func (k *kept) hold(verification string, rec log.Rec) {
	if k.by == nil {
		k.by = make(map[string][]log.Rec)
	}
	recs := k.by[verification]
	i, _ := slices.BinarySearchFunc(recs, rec, func(a, b log.Rec) int { return comparePos(a.Pos, b.Pos) })
	if i < len(recs) && recs[i].Pos == rec.Pos {
		return // it was kept before a restart, and was done again
	}
	k.by[verification] = slices.Insert(recs, i, rec)
	k.order = append(k.order, keptAt{verification, rec.Pos, rec.At})
}

func comparePos(a, b log.Pos) int {
	if a.Epoch != b.Epoch {
		return int(int64(a.Epoch) - int64(b.Epoch))
	}
	return int(a.Off - b.Off)
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
	for len(k.order) > 0 && now.Sub(k.order[0].at) > keepTime {
		old := k.order[0]
		k.order = k.order[1:]
		puts = append(puts, log.KV{Key: keptKey(old.verification, old.pos)})
		rest := slices.DeleteFunc(k.by[old.verification], func(r log.Rec) bool { return r.Pos == old.pos })
		if k.by[old.verification] = rest; len(rest) == 0 {
			delete(k.by, old.verification)
		}
	}
	return puts
}

// restore takes up what an earlier owner of the lane kept.
func (k *kept) restore(v log.View) error {
	for key, val := range v.All() {
		rec, err := decodeKept(val)
		if err != nil || len(key) < 17 {
			return fmt.Errorf("restoring kept messages: %w", errors.Join(errEntry, err))
		}
		k.hold(string(key[:len(key)-17]), rec)
	}
	slices.SortStableFunc(k.order, func(a, b keptAt) int { return a.at.Compare(b.at) })
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
