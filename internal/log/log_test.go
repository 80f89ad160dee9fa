package log

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMurmur2 has the values that Kafka's own tests have for its Utils.murmur2.
func TestMurmur2(t *testing.T) {
	for in, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(in))); got != want {
			t.Errorf("%s: %d, want %d", in, got, want)
		}
	}
}

// TestLaneOf: every key has a lane, and half as many lanes halve it: a client's feed may so have any
// divisor of 64 lanes.
func TestLaneOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOf(rapid.Byte()).Draw(t, "key")
		n := rapid.Int32Range(1, MaxLanes/2).Draw(t, "lanes")
		a, b := LaneOf(key, n), LaneOf(key, 2*n)
		if a < 0 || a >= n || b%n != a {
			t.Fatalf("lane %d of %d, %d of %d", a, n, b, 2*n)
		}
	})
}

// TestCheckName: what passes is legal in Kafka.
func TestCheckName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9._/-]{0,12}(\.v[0-9]{0,2})?[a-z0-9._/-]{0,12}`).Draw(t, "name")
		if CheckName(name) != nil {
			return
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || name == "." || name == ".." || !strings.Contains(name, ".v") {
			t.Fatalf("%q is legal", name)
		}
	})
}

func TestDamagedError(t *testing.T) {
	err := error(&DamagedError{Topic: "fact.v1", Lane: 3, File: "000012.sst", Err: errors.New("checksum")})
	if !errors.Is(err, ErrDamaged) || errors.Is(err, ErrClosed) {
		t.Error("it is not what it is")
	}
	if want := "damaged on disk, topic fact.v1 lane 3, file 000012.sst: checksum"; err.Error() != want {
		t.Errorf("%s, want %s", err, want)
	}
}
