package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
)

const fullRequest = `{"declared":{"surname":"Quetzal","given_names":"Zoe","birth_date":"1974-08-12","document_number":"X1"},"minimum_age":18,
	"deadline_ms":20000,"wants":["document"],"consent":{"text":"v3","at":"2026-11-25T10:00:00Z"},"reference":"order 17"}`

func TestAccepted(t *testing.T) {
	d := newDoor(t, t.TempDir())
	a := d.post([]part{{"selfie", mp4()}, {"request", []byte(fullRequest)}, {"document", jpg(t)}})
	if a.status != 202 || a.header.Get("Location") != "/v1/verifications/"+a.Receipt.Verification {
		t.Fatalf("%d %s, Location %q", a.status, a.verbatim, a.header.Get("Location"))
	}
	expires, err := time.Parse(time.RFC3339, a.Receipt.ExpiresAt)
	if a.Receipt.State != "processing" || a.Receipt.Durability != "fsync" || err != nil || !strings.Contains(a.verbatim, `"uploads":{}`) {
		t.Errorf("receipt %s, %v", a.verbatim, err)
	}
	facts := d.facts()
	if len(facts) != 2 || facts[0].Kind != envelopev1.Kind_KIND_OPENED || facts[1].Kind != envelopev1.Kind_KIND_COMPLETE {
		t.Fatalf("facts %v", facts)
	}
	e, o := facts[0].Envelope, facts[0].Payload.(*factv1.Fact).GetOpened()
	if diff := cmp.Diff([]check.Medium{check.Document, check.Selfie}, e.Wants); diff != "" || e.DeadlineMs != 20000 || e.Catalogue != check.Version || !e.ExpiresAt.AsTime().Equal(expires) {
		t.Errorf("opened %v %s", e, diff)
	}
	if o.Reference != "order 17" || o.MinimumAge != 18 || o.Declared.Surname != "Quetzal" || o.Declared.BirthDate != "1974-08-12" || o.Consent.Text != "v3" || len(o.Media) != 2 || len(o.RequestMac) != 32 {
		t.Errorf("opened %v", o)
	}
	got := map[check.Medium]*mediav1.Media{}
	for _, m := range d.medias() {
		got[m.Medium] = m.Payload.(*mediav1.Media)
		if m.DeadlineAt == nil || m.ClientId != "demo" || m.VerificationId != a.Receipt.Verification || m.CorrelationId != e.CorrelationId || m.CorrelationId == "" {
			t.Errorf("medium %v", m.Envelope)
		}
	}
	for kind, want := range map[check.Medium][]byte{check.Document: jpg(t), check.Selfie: mp4()} {
		sum := sha256.Sum256(want)
		m := got[kind]
		if m.GetSha256() != hex.EncodeToString(sum[:]) || m.GetBytes() != uint64(len(want)) {
			t.Errorf("%v: %v", kind, m)
		}
		data, err := d.Blobs.Get(t.Context(), "demo", a.Receipt.Verification, m.GetSha256())
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%v: the blob is another: %v", kind, err)
		}
	}
	if m := got[check.Document]; m.MediaType != "image/jpeg" || m.Width != 64 || m.Height != 48 {
		t.Errorf("document %v", m)
	}
}

// Every accepted format, and none of them at the wrong place.
func TestFormats(t *testing.T) {
	d := newDoor(t, t.TempDir())
	webm := append([]byte("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"), make([]byte, 200)...)
	for _, c := range []struct {
		part   string
		name   string
		data   []byte
		status int
	}{
		{"document", "jpeg", jpg(t), 202}, {"document", "png", pngOf(t), 202}, {"document", "gif", gifOf(t), 415}, {"document", "mp4", mp4(), 415},
		{"document_back", "webm", webm, 415}, {"document_back", "jpeg", jpg(t), 202}, {"selfie", "gif", gifOf(t), 202}, {"selfie", "webm", webm, 202}, {"selfie", "jpeg", jpg(t), 202},
	} {
		if a := d.post([]part{{c.part, c.data}}); a.status != c.status {
			t.Errorf("%s as %s: %d %s", c.name, c.part, a.status, a.verbatim)
		}
	}
}

func TestIdempotency(t *testing.T) {
	dir := t.TempDir()
	d := newDoor(t, dir)
	body := []part{{"document", jpg(t)}, {"request", []byte(`{"minimum_age": 18, "reference": "a"}`)}}
	first := d.post(body, "Idempotency-Key", "k1")
	same := []part{{"request", []byte("{\"reference\":\"a\" ,\n\"minimum_age\":18}")}, body[0]}
	again := d.post(same, "Idempotency-Key", "k1")
	if first.status != 202 || again.status != 200 || first.verbatim != again.verbatim || again.header.Get("Location") == "" {
		t.Errorf("first %d %s, again %d %s", first.status, first.verbatim, again.status, again.verbatim)
	}
	for name, parts := range map[string][]part{
		"another picture":         {{"document", pngOf(t)}, body[1]},
		"another request":         {body[0], {"request", []byte(`{"minimum_age": 21, "reference": "a"}`)}},
		"another part":            {{"selfie", jpg(t)}, body[1]},
		"one part more":           {body[0], {"selfie", jpg(t)}, body[1]},
		"the request left out":    {body[0]},
		"the bytes as other part": {{"document_back", jpg(t)}, body[1]},
	} {
		if a := d.post(parts, "Idempotency-Key", "k1"); a.status != 409 || a.Code != "conflict" {
			t.Errorf("%s: %d %s", name, a.status, a.verbatim)
		}
	}
	if a := d.post(body, "Idempotency-Key", "k1", "Test-Client", "other"); a.status != 202 || a.Receipt.Verification == first.Receipt.Verification {
		t.Errorf("another client's key: %d %s", a.status, a.verbatim)
	}
	if a := d.post(body, "Idempotency-Key", "k2"); a.status != 202 || a.Receipt.Verification == first.Receipt.Verification {
		t.Errorf("another key: %d %s", a.status, a.verbatim)
	}
	d.srv.Close()
	d.Close()
	d = newDoor(t, dir)
	if a := d.post(body, "Idempotency-Key", "k1"); a.status != 200 || a.verbatim != first.verbatim {
		t.Errorf("after a restart: %d %s", a.status, a.verbatim)
	}
	if n := len(d.facts()); n != 6 {
		t.Errorf("%d facts of three verifications", n)
	}
}

func TestSameKeyAtOnce(t *testing.T) {
	d := newDoor(t, t.TempDir())
	var mu sync.Mutex
	count := map[string]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			a := d.post([]part{{"document", jpg(t)}}, "Idempotency-Key", "k")
			mu.Lock()
			defer mu.Unlock()
			count[fmt.Sprint(a.status, " ", a.Receipt.Verification)]++
		})
	}
	all.Wait()
	if got := sorted(count); len(got) != 2 || count[got[0]] != 7 || count[got[1]] != 1 || !strings.HasPrefix(got[1], "202") {
		t.Errorf("answers %v", count)
	}
	if n := len(d.facts()); n != 2 {
		t.Errorf("%d facts", n)
	}
}

// A refused upload does not use up its idempotency key.
func TestKeyAfterRefusal(t *testing.T) {
	d := newDoor(t, t.TempDir())
	if a := d.post([]part{{"document", jpg(t)}, {"selfie", nil}}, "Idempotency-Key", "k"); a.status != 400 {
		t.Fatalf("%d %s", a.status, a.verbatim)
	}
	if left := d.left(); len(left) > 0 {
		t.Errorf("the refusal left %v", left)
	}
	if a := d.post([]part{{"document", jpg(t)}, {"selfie", jpg(t)}}, "Idempotency-Key", "k"); a.status != 202 {
		t.Errorf("%d %s", a.status, a.verbatim)
	}
}

// failing answers publications with an error.
type failing struct{ err error }

func (f failing) Publish(context.Context, stream.Ancestry, ...stream.Output) error { return f.err }

func TestLogTrouble(t *testing.T) {
	for _, c := range []struct {
		err          error
		status       int
		code, detail string
		left         bool
	}{
		{log.ErrFull, 507, "storage_full", "nothing was accepted", false},
		{log.ErrUnknown, 503, "unavailable", "not known", true},
		{log.ErrClosed, 503, "unavailable", "not known", true},
	} {
		d := newDoor(t, t.TempDir(), func(x *Config) { x.Events = failing{fmt.Errorf("publishing: %w", c.err)} })
		a := d.post([]part{{"document", jpg(t)}})
		if a.status != c.status || a.Code != c.code || !has(a.Detail, c.detail) || a.header.Get("Retry-After") == "" || !strings.Contains(a.verbatim, `"retryable":true`) {
			t.Errorf("%v: %d %s", c.err, a.status, a.verbatim)
		}
		if left := d.left(); (len(left) > 0) != c.left {
			t.Errorf("%v left %v", c.err, left)
		}
	}
}

// What was accepted stands nowhere in clear.
func TestNothingInClear(t *testing.T) {
	d := newDoor(t, t.TempDir())
	d.post([]part{{"document", jpg(t)}, {"request", []byte(fullRequest)}}, "Idempotency-Key", "secret-order")
	d.Close()
	picture := jpg(t)
	for _, secret := range []string{"Quetzal", "1974-08-12", "order 17", "secret-order", string(picture[len(picture)/2 : len(picture)/2+32])} {
		for _, path := range grep(t, d.Dir, secret) {
			t.Errorf("%.20q stands in %s", secret, path)
		}
	}
	if len(grep(t, d.Dir, topic.Fact)) == 0 {
		t.Error("the search finds not even the name of a topic")
	}
}

func grep(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
