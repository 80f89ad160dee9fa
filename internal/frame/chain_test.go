package frame

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
)

// member gives one member of an object within an object, as its bytes.
func member(t *testing.T, body []byte, outer, inner string) string {
	t.Helper()
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil {
		t.Fatal(err)
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal(top[outer], &in); err != nil {
		t.Fatal(err)
	}
	return string(in[inner])
}

// chained makes the frames of a verification of n events whose names are drawn.
func chained(t *rapid.T, n int) [][]byte {
	prev, lines := Genesis, [][]byte{}
	for i := range n {
		e := envelope(envelopev1.Kind_KIND_FINDING)
		e.Id, e.Check = fmt.Sprintf("%032x", i), "doc.text.field.surname"
		text := rapid.String().Draw(t, "text")
		score := rapid.Float64().Draw(t, "score")
		ev := New(e, &factv1.Fact{What: &factv1.Fact_Finding{Finding: &factv1.Finding{
			Value: &factv1.Value{What: &factv1.Value_Text{Text: text}}, Score: &factv1.Score{Raw: score}}}}, at)
		ev.Seq = uint64(i + 1)
		body, err := ev.Body()
		if err != nil {
			t.Fatal(err)
		}
		salt := fmt.Sprintf("%064x", i*7919)
		hash := Hash(prev, salt, body)
		line, err := Splice(Head{T: "msg", Offset: int64(i), Cursor: "c1.x", Attempt: 1, PrevHash: prev, Hash: hash, Salt: salt}, body)
		if err != nil {
			t.Fatal(err)
		}
		lines, prev = append(lines, line), hash
	}
	return lines
}

func TestVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := chained(t, rapid.IntRange(1, 6).Draw(t, "n"))
		if err := Verify(lines); err != nil {
			t.Fatal(err)
		}
		again := append([][]byte{lines[0]}, lines...)
		if err := Verify(again); err != nil {
			t.Fatalf("a frame sent twice: %v", err)
		}
		var plain map[string]any // another writer's spelling of the same frame
		if err := json.Unmarshal(lines[0], &plain); err != nil {
			t.Fatal(err)
		}
		respelled, _ := json.MarshalIndent(plain, "", "  ")
		if err := Verify(append([][]byte{respelled}, lines[1:]...)); err != nil {
			t.Fatalf("re-encoded: %v", err)
		}
	})
}

func TestVerifyNotices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := chained(t, rapid.IntRange(3, 6).Draw(t, "n"))
		i := rapid.IntRange(0, len(lines)-2).Draw(t, "i")
		var bad [][]byte
		switch rapid.SampledFrom([]string{"missing", "swapped", "changed", "late", "other verification"}).Draw(t, "harm") {
		case "missing":
			bad = append(append(bad, lines[:i]...), lines[i+1:]...)
		case "swapped":
			bad = append(bad, lines...)
			bad[i], bad[i+1] = bad[i+1], bad[i]
		case "changed":
			bad = append(bad, lines...)
			bad[i] = bytes.Replace(lines[i], []byte("doc.text"), []byte("doc.test"), 1)
		case "late":
			bad = append(bad, lines...)
			bad[i] = append(lines[i][:len(lines[i])-1:len(lines[i])-1], []byte(`,"late":true}`)...)
		case "other verification":
			bad = append(bad, lines...)
			bad[i] = bytes.Replace(lines[i], []byte("v_1"), []byte("v_2"), 1)
		}
		if Verify(bad) == nil {
			t.Fatal("not noticed")
		}
	})
}

// forged makes a frame whose own hash holds, whatever it claims to be.
func forged(t *testing.T, verification string, seq uint64, prev, salt string) (line []byte, hash string) {
	t.Helper()
	e := envelope(envelopev1.Kind_KIND_COMPLETE)
	e.VerificationId = verification
	ev := New(e, nil, at)
	ev.Seq = seq
	body, err := ev.Body()
	if err != nil {
		t.Fatal(err)
	}
	hash = Hash(prev, salt, body)
	line, err = Splice(Head{T: "msg", Attempt: 1, PrevHash: prev, Hash: hash, Salt: salt}, body)
	if err != nil {
		t.Fatal(err)
	}
	return line, hash
}

// Who forges a frame with its hash is caught by what holds frames together, each part of it by itself.
func TestEachLinkHolds(t *testing.T) {
	first, hash := forged(t, "v_1", 1, Genesis, "00")
	for name, c := range map[string]struct {
		verification string
		seq          uint64
		prev         string
		want         string
	}{
		"as it should be":            {"v_1", 2, hash, ""},
		"a number left out":          {"v_1", 3, hash, "frame 3 follows frame 1"},
		"the first number again":     {"v_1", 1, hash, "frame 1 follows frame 1"},
		"no number":                  {"v_1", 0, hash, "frame 0 follows frame 1"},
		"a link to somewhere else":   {"v_1", 2, Genesis, "prev_hash is another"},
		"of a verification besides":  {"v_2", 2, hash, "in the chain of v_1"},
		"another first frame behind": {"v_1", 1, Genesis, "frame 1 follows frame 1"},
	} {
		next, _ := forged(t, c.verification, c.seq, c.prev, "11")
		err := Verify([][]byte{first, next})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for seq, prev := range map[uint64]string{0: Genesis, 2: Genesis, 1: hash} {
		if line, _ := forged(t, "v_1", seq, prev, "00"); Verify([][]byte{line}) == nil {
			t.Errorf("a chain begins with frame %d behind %.4s…", seq, prev)
		}
	}
	for _, bad := range []string{`{"t":"hb"}`, `{`, `{"t":"msg","t":"msg"}`} {
		if Verify([][]byte{first, []byte(bad)}) == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// The recipe of the documentation, followed without this package's code.
func TestHashByHand(t *testing.T) {
	body := []byte(`{"a":1}`)
	line, err := Splice(Head{T: "msg", PrevHash: Genesis, Hash: Hash(Genesis, "00ff", body), Salt: "00ff"}, body)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(strings.Repeat("0", 64) + "00ff" + `{"a":1}`))
	var f struct{ Hash string }
	if err := json.Unmarshal(line, &f); err != nil {
		t.Fatal(err)
	}
	if want := hex.EncodeToString(sum[:]); f.Hash != want {
		t.Errorf("hash %s, want %s", f.Hash, want)
	}
	if !bytes.HasSuffix(line, []byte(`,"a":1}`)) {
		t.Errorf("the body was written anew: %s", line)
	}
}

func TestStripRefuses(t *testing.T) {
	for _, bad := range []string{``, `[]`, `1`, `{"a":1,"a":2}`, `{"finding":{"check":"x","check":"y"}}`, `{"a":1}{}`, `{"a":0x10}`, `{"a":"\ud800"}`,
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000)} {
		if got, err := Strip([]byte(bad)); err == nil {
			t.Errorf("Strip(%.40s) = %s", bad, got)
		}
	}
}

func FuzzChecker(f *testing.F) {
	f.Add([]byte(`{"t":"msg","l":3,"o":75,"c":"c1.x","id":"a","verification":"v","seq":1,"prev_hash":"","hash":"","salt":"","type":"finding","time":"","finding":{}}`))
	f.Add([]byte(`{"t":"hb"}`))
	f.Add([]byte(`{"t":"msg","a":"\u2028<&>","n":1e400}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var c Checker
		if c.Add(line) == nil && c.seq != 1 {
			t.Fatalf("the first frame was taken with seq %d", c.seq)
		}
		body, err := Strip(line)
		if err != nil {
			return
		}
		whole, err := Splice(Head{T: "msg", Attempt: 1}, body)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Strip(whole)
		if err != nil || !bytes.Equal(body, again) {
			t.Fatalf("stripped %q, spliced and stripped again %q (%v)", body, again, err)
		}
	})
}
