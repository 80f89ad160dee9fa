package embedded

import (
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/bonafide-id/bonafide/internal/log"
)

// txn is one batch in the making. Until it is handed over only the writer sees it, then only settle.
type txn struct {
	log   *Log
	b     *pebble.Batch
	now   time.Time
	reqs  []*request
	lanes []*lane // with new records, in the order of their first
	recs  map[*lane][]tagged
	then  []func() // to be done when it is durable, in order
	wait  func() error
}

type tagged struct {
	rec log.Rec
	cum int64
}

// segments is where the writer stands in the key space.
type segments struct {
	cur  uint64
	used int
}

func (l *Log) begin() *txn {
	return &txn{log: l, b: l.store.db.NewBatch(), now: l.Now().UTC().Round(0), recs: map[*lane][]tagged{}}
}

// set writes a checked value. Errors of a Pebble batch are about its use, never about the disk.
func (t *txn) set(k, v []byte) { t.must(t.b.Set(k, sum(k, v), nil)) }

func (t *txn) delete(k []byte) { t.must(t.b.Delete(k, nil)) }

func (t *txn) deleteRange(from, to []byte) { t.must(t.b.DeleteRange(from, to, nil)) }

func (t *txn) must(err error) {
	if err != nil {
		t.log.store.fail(err)
	}
}

// append gives a record its lane, position and time, and puts it into the batch.
func (t *txn) append(tp *topic, r log.Rec) log.Rec {
	ln := tp.lanes[log.LaneOf(r.Key, int32(len(tp.lanes)))]
	if t.now.After(ln.lastAt) {
		ln.lastAt = t.now
	}
	r.Lane, r.At = ln.name(), ln.lastAt
	r.Pos = log.Pos{Epoch: t.log.epoch, Off: ln.next}
	t.place(ln)
	ln.next++
	ln.bytes += int64(payload(r))
	k := recordKey(t.log.segs.cur, tp.id, ln.n, r.Pos.Off)
	v := encode(k, r, ln.bytes)
	t.must(t.b.Set(k, v, nil))
	t.log.segs.used += len(v)
	own, _, err := parse(v[4:]) // what followers get: not the caller's slices
	t.must(err)
	own.Lane, own.Pos = r.Lane, r.Pos
	if t.recs[ln] == nil {
		t.lanes = append(t.lanes, ln)
	}
	t.recs[ln] = append(t.recs[ln], tagged{own, ln.bytes})
	return r
}

// place moves on to a new segment when this one is full, and notes where the lane begins in it.
func (t *txn) place(ln *lane) {
	s := &t.log.segs
	if s.used >= t.log.segment {
		s.cur, s.used = s.cur+1, 0
	}
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if n := len(ln.segs); n > 0 && ln.segs[n-1].seg == s.cur {
		return
	}
	st := start{seg: s.cur, off: ln.next, at: ln.lastAt, cum: ln.bytes}
	ln.segs = append(ln.segs, st)
	t.set(indexKey(ln.topic.id, ln.n, st.seg), st.encode())
}

// hand gives the batch to Pebble. An empty one is not written, but waits its turn like any other.
func (t *txn) hand() (err error) {
	if t.b.Empty() {
		return t.b.Close()
	}
	_, t.wait, err = t.log.store.apply(t.b)
	return err
}

// expose shows the records of a durable batch to the readers.
func (t *txn) expose(tail *tail) {
	for _, ln := range t.lanes {
		recs := make([]log.Rec, len(t.recs[ln]))
		for i, r := range t.recs[ln] {
			recs[i] = r.rec
		}
		ln.expose(recs, t.recs[ln][len(recs)-1].cum)
		for _, r := range recs {
			tail.add(ln, payload(r)+200)
		}
	}
	for _, f := range t.then {
		f()
	}
}
