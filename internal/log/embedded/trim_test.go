package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/log/logtest"
)

func big(topic string, i int) log.Rec {
	v := make([]byte, 2000)
	for j := range v {
		v[j] = byte(i*j*7919>>3 ^ j>>2)
	}
	return log.Rec{Lane: log.Lane{Topic: topic}, Key: fmt.Append(nil, i), Val: v}
}

// TestRetention lets a topic grow old beside one that is kept: its records go, the disk gets their space
// back, what is young stays, and the other topic is untouched.
func TestRetention(t *testing.T) {
	c := logtest.NewClock()
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10, Now: c.Now, segment: 256 << 10, retainEvery: time.Hour}
	l := open(t, o)
	check(t, l.Create(t.Context(), log.Topic{Name: "old.v1", Lanes: 4, Retention: time.Hour}, log.Topic{Name: "kept.v1", Lanes: 4}))
	for i := range 2000 {
		recs := []log.Rec{big("old.v1", i)}
		if i%10 == 0 {
			recs = append(recs, big("kept.v1", i))
		}
		_, err := l.Publish(t.Context(), recs...)
		check(t, err)
		c.Add(2 * time.Second)
	}
	check(t, l.store.db.Flush())
	before := diskBytes(t, o.Dir)
	check(t, l.do(t.Context(), l.expire))
	n := count(t, l, "old.v1")
	if n < 1800 || n == 2000 { // 1,800 are younger than an hour; a segment more may stay
		t.Errorf("%d of the ageing topic are there", n)
	}
	c.Add(2 * time.Hour)
	check(t, l.do(t.Context(), l.expire))
	if n := count(t, l, "old.v1"); n != 0 {
		t.Errorf("%d are there that are too old", n)
	}
	if n := count(t, l, "kept.v1"); n != 200 {
		t.Errorf("%d of the kept topic are there", n)
	}
	freed := func() bool { return diskBytes(t, o.Dir) < before/3 }
	check(t, l.store.db.Flush())
	for end := time.Now().Add(10 * time.Second); !freed(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes before, %d after", before, diskBytes(t, o.Dir))
		}
	}
	check(t, l.Close())
	l = open(t, o)
	if n := count(t, l, "kept.v1"); n != 200 {
		t.Errorf("%d of the kept topic are there after a start", n)
	}
	got, err := l.Publish(t.Context(), big("old.v1", 0))
	check(t, err)
	if b, err := l.Bounds(t.Context(), got[0].Lane); err != nil || b[0].First.Off == 0 || b[0].First != got[0].Pos {
		t.Errorf("goes on at %v of %v, %v", got[0].Pos, b, err)
	}
}

func diskBytes(t *testing.T, dir string) (n int64) {
	for _, name := range listFiles(t, dir) {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && filepath.Ext(name) == ".sst" {
			n += st.Size()
		}
	}
	return n
}

func count(t *testing.T, l *Log, topic string) (n int) {
	for lane := range int32(4) {
		b, err := l.Bounds(t.Context(), log.Lane{Topic: topic, N: lane})
		check(t, err)
		for _, err := range l.Read(t.Context(), b[0].Lane, log.Pos{}, b[0].End) {
			check(t, err)
			n++
		}
	}
	return n
}

// TestDamageStopsTheTopic removes one record behind the log's back: reading meets the hole, says which
// lane it is in, and nothing of that topic is served or accepted any more; another topic goes on.
func TestDamageStopsTheTopic(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10}
	l := open(t, o)
	check(t, l.Create(t.Context(), log.Topic{Name: "a.v1", Lanes: 1}, log.Topic{Name: "b.v1", Lanes: 1}))
	for i := range 10 {
		_, err := l.Publish(t.Context(), big("a.v1", i), big("b.v1", i))
		check(t, err)
	}
	check(t, l.store.db.Delete(recordKey(0, l.table()["a.v1"].id, 0, 5), nil))
	check(t, l.Close())
	l = open(t, o)
	var d *log.DamagedError
	for _, err := range l.Read(t.Context(), log.Lane{Topic: "a.v1"}, log.Pos{}, log.Pos{}) {
		if err != nil && !errors.As(err, &d) {
			t.Fatal(err)
		}
	}
	if d == nil || d.Topic != "a.v1" || d.Lane != 0 {
		t.Fatalf("%+v", d)
	}
	if _, err := l.Publish(t.Context(), big("a.v1", 11)); !errors.Is(err, log.ErrDamaged) {
		t.Errorf("publishing: %v", err)
	}
	m, err := l.Join(t.Context(), log.Group{Name: "g", Input: "a.v1", Mode: log.AtLeastOnce})
	if !errors.Is(err, log.ErrDamaged) {
		t.Errorf("joining: %v, %v", m, err)
	}
	if _, err := l.Publish(t.Context(), big("b.v1", 11)); err != nil {
		t.Errorf("the other topic: %v", err)
	}
}

// TestHolesAreNoticed takes one record away while the log is open, beside others of which a chunk holds few:
// nothing that stands behind the hole is given out in its place.
func TestHolesAreNoticed(t *testing.T) {
	for _, hole := range []int64{0, 3, 19} {
		l := open(t, Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10, ring: 1})
		check(t, l.Create(t.Context(), log.Topic{Name: "a.v1", Lanes: 1}))
		for i := range 20 {
			r := big("a.v1", i)
			r.Val = append(r.Val, make([]byte, chunkBytes/8)...)
			_, err := l.Publish(t.Context(), r)
			check(t, err)
		}
		_, err := l.Publish(t.Context(), big("a.v1", 20)) // which the ring holds
		check(t, err)
		check(t, l.store.db.Delete(recordKey(0, l.table()["a.v1"].id, 0, hole), nil))
		var n int64
		var last error
		for r, err := range l.Read(t.Context(), log.Lane{Topic: "a.v1"}, log.Pos{}, log.Pos{Off: 21}) {
			if last = err; err != nil {
				break
			}
			if string(r.Key) != fmt.Sprint(n) {
				t.Fatalf("a hole at %d: offset %d holds record %s", hole, n, r.Key)
			}
			n++
		}
		if !errors.Is(last, log.ErrDamaged) || n > hole {
			t.Errorf("a hole at %d: %d records, %v", hole, n, last)
		}
	}
}

// TestTheEpochIsMissed: without its epoch a log that was written to would take up old positions as new ones.
func TestTheEpochIsMissed(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10}
	l := open(t, o)
	check(t, l.Create(t.Context(), log.Topic{Name: "a.v1", Lanes: 1}))
	check(t, l.store.db.Delete([]byte{kindEpoch}, nil))
	check(t, l.Close())
	if l, err := Open(o); !errors.Is(err, log.ErrDamaged) {
		t.Errorf("%v, %v", l, err)
	}
}

// TestAnotherManifest: the MANIFEST in use must be one that the mark knows, and as long as it was.
func TestAnotherManifest(t *testing.T) {
	l := open(t, Options{Dir: filepath.Join(t.TempDir(), "log"), Reserve: 1 << 10})
	s := l.store
	m, exists, err := s.verify()
	check(t, err)
	name, err := currentManifest(s.fs, s.path("db"))
	check(t, err)
	if !exists || scrubManifest(s.fs, s.path("db"), name, m) != nil {
		t.Fatal("the present one is refused")
	}
	if err := scrubManifest(s.fs, s.path("db"), "MANIFEST-000999", m); !errors.Is(err, log.ErrDamaged) {
		t.Errorf("another name: %v", err)
	}
	for i := range m.Manifest {
		m.Manifest[i].Size++
	}
	if err := scrubManifest(s.fs, s.path("db"), name, m); !errors.Is(err, log.ErrDamaged) {
		t.Errorf("a byte is missing: %v", err)
	}
}
