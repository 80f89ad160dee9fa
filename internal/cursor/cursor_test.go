package cursor

import (
	"bytes"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var positions = rapid.Custom(func(t *rapid.T) Position {
	p := Position{Epoch: rapid.Uint64().Draw(t, "epoch")}
	lanes := rapid.MapOfN(rapid.Int32Range(0, 1<<30), rapid.Int64Min(0), 0, MaxLanes).Draw(t, "lanes")
	for _, l := range slices.Sorted(maps.Keys(lanes)) {
		p.Lanes = append(p.Lanes, At{l, lanes[l]})
	}
	return p
})

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New(rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "key"))
		feed := rapid.String().Draw(t, "feed")
		want := positions.Draw(t, "position")
		got, err := c.Parse(feed, c.Format(feed, want))
		if err != nil || !cmp.Equal(got, want) {
			t.Fatalf("%v, %s", err, cmp.Diff(want, got))
		}
	})
}

// Whatever byte is changed, and however: the cursor is refused.
func TestTampered(t *testing.T) {
	c := New([]byte("key"))
	rapid.Check(t, func(t *rapid.T) {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(c.Format("feed.v1.a", positions.Draw(t, "position")), version))
		if err != nil {
			t.Fatal(err)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, err := c.Parse("feed.v1.a", version+base64.RawURLEncoding.EncodeToString(b)); !errors.Is(err, ErrMalformed) {
			t.Fatalf("accepted, or refused with %v", err)
		}
	})
}

func TestForeign(t *testing.T) {
	p := Position{Epoch: 7, Lanes: []At{{0, 75}}}
	mine := New([]byte("key")).Format("feed.v1.a", p)
	if _, err := New([]byte("key")).Parse("feed.v1.b", mine); !errors.Is(err, ErrForeign) {
		t.Errorf("of another feed: %v", err)
	}
	if _, err := New([]byte("other")).Parse("feed.v1.a", mine); !errors.Is(err, ErrMalformed) {
		t.Errorf("of another installation: %v", err)
	}
}

func TestNothingReadable(t *testing.T) {
	text := New([]byte("key")).Format("feed.v1.somebody", Position{Epoch: 1, Lanes: []At{{0, 1}}})
	raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, version))
	if strings.Contains(string(raw), "somebody") {
		t.Error("the client's name stands in the cursor")
	}
}

func TestMalformed(t *testing.T) {
	c := New([]byte("key"))
	good := c.Format("f", Position{Epoch: 1, Lanes: []At{{0, 1}}})
	for _, text := range []string{"", "c1.", "c1.AAAA", "c2" + good[2:], good + "=", good + "\n", " " + good, good[:len(good)-1], version + strings.Repeat("A", 4000)} {
		if _, err := c.Parse("f", text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// There is one way to write a cursor: bits that say nothing must not make another.
func TestOneText(t *testing.T) {
	c := New([]byte("key"))
	good := c.Format("f", Position{Epoch: 1, Lanes: []At{{0, 1}}}) // 28 bytes: the last letter holds two bits of them
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(good) - 1
	other := good[:last] + string(letters[strings.IndexByte(letters, good[last])^1])
	if _, err := c.Parse("f", other); !errors.Is(err, ErrMalformed) {
		t.Errorf("%s is honoured as well as %s (%v)", other, good, err)
	}
}

// What another version may have put behind the MAC.
func TestBehindTheMAC(t *testing.T) {
	many := append([]byte{1, MaxLanes + 1}, bytes.Repeat([]byte{0}, 2*(MaxLanes+1))...)
	for i := range MaxLanes + 1 {
		many[2+2*i] = byte(i)
	}
	for name, b := range map[string][]byte{"nothing": {}, "no lanes": {1}, "half a lane": {1, 1, 0}, "more behind it": {1, 1, 0, 5, 0}, "falling lanes": {1, 2, 1, 5, 0, 5},
		"a lane twice": {1, 2, 0, 5, 0, 5}, "an endless number": bytes.Repeat([]byte{0xff}, 20), "65 lanes": many} {
		if p, err := parse(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
	if p, err := parse([]byte{1, 2, 0, 5, 1, 6}); err != nil || !cmp.Equal(p, Position{1, []At{{0, 5}, {1, 6}}}) {
		t.Errorf("%v %v", p, err)
	}
}

func FuzzParse(f *testing.F) {
	c := New([]byte("key"))
	f.Add(c.Format("f", Position{Epoch: 1, Lanes: []At{{0, 1}}}), []byte{1, 1, 0, 5})
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		if p, err := c.Parse("f", text); err == nil && c.Format("f", p) != text {
			t.Errorf("%q reads as %v, which is written otherwise", text, p)
		}
		// Behind the MAC, too, nothing may break.
		if p, err := parse(body); err == nil {
			if again, err := c.Parse("f", c.Format("f", p)); err != nil || !cmp.Equal(p, again) {
				t.Errorf("%v becomes %v (%v)", p, again, err)
			}
		}
	})
}
