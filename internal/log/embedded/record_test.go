package embedded

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bonafide-id/bonafide/internal/log"
)

func TestRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blob := rapid.SliceOf(rapid.Byte())
		in := log.Rec{Key: blob.Draw(t, "key"), Val: blob.Draw(t, "val"), At: time.Unix(0, rapid.Int64().Draw(t, "at")).UTC()}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			in.Head = append(in.Head, log.Header{Key: rapid.String().Draw(t, "name"), Val: blob.Draw(t, "value")})
		}
		k := recordKey(1, 2, 3, rapid.Int64Range(0, 1<<62).Draw(t, "offset"))
		cum := rapid.Int64Range(0, 1<<62).Draw(t, "cum")
		b := encode(k, in, cum)
		out, got, err := decode(k, b)
		same := cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) })
		if d := cmp.Diff(in, out, same); d != "" || got != cum || err != nil {
			t.Fatal(d, got, err)
		}
		bit := rapid.IntRange(0, 8*len(b)-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if _, _, err := decode(k, b); err == nil {
			t.Fatal("a flipped bit passed")
		}
		b[bit/8] ^= 1 << (bit % 8)
		k[len(k)-1]++
		if _, _, err := decode(k, b); err == nil {
			t.Fatal("a record passed in the place of another")
		}
	})
}

// FuzzRecord: no bytes, even with a right checksum, may make decoding panic.
func FuzzRecord(f *testing.F) {
	k := recordKey(1, 2, 3, 4)
	f.Add(encode(k, log.Rec{Key: []byte("k"), Head: []log.Header{{Key: "a", Val: []byte("b")}}, Val: []byte("v")}, 9)[4:])
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _, _ = decode(k, sum(k, body))
		decodeStart(0, body)
	})
}

func TestMark(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := rapid.Uint64Range(0, 1<<62)
		m := mark{Seq: u.Draw(t, "seq"), Batches: u.Draw(t, "batches")}
		for i := range m.Manifest {
			m.Manifest[i] = synced{u.Draw(t, "num"), int64(u.Draw(t, "size"))}
		}
		b := m.encode()
		if got, ok := decodeMark(b); !ok || got != m {
			t.Fatalf("%+v, %v, want %+v", got, ok, m)
		}
		bit := rapid.IntRange(0, 8*len(b)-1).Draw(t, "bit")
		b[bit/8] ^= 1 << (bit % 8)
		if _, ok := decodeMark(b); ok {
			t.Fatal("a flipped bit passed")
		}
	})
}

func TestAfter(t *testing.T) {
	for in, want := range map[string]string{"a": "b", "a\xff": "b", "a\x00": "a\x01", "\xff": ""} {
		if got := after([]byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
