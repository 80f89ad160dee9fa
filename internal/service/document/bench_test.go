package document_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	derivedv1 "github.com/bonafide-id/bonafide/gen/bonafide/derived/v1"
	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	"github.com/bonafide-id/bonafide/internal/models"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/resilience/resiliencetest"
	"github.com/bonafide-id/bonafide/internal/service/document"
	"github.com/bonafide-id/bonafide/internal/stream"
	"github.com/bonafide-id/bonafide/internal/topic"
	"github.com/bonafide-id/bonafide/internal/vision/picture"
	"github.com/bonafide-id/bonafide/internal/vision/pix"
)

// blobs keeps pictures in memory.
type blobs map[string][]byte

func (b blobs) Get(_ context.Context, _ *envelopev1.Envelope, sha string) ([]byte, error) {
	data, ok := b[sha]
	if !ok {
		return nil, stream.Poison("blob_gone", errors.New("no such blob"))
	}
	return data, nil
}

func (b blobs) Keep(_ context.Context, _ *envelopev1.Envelope, data []byte, _ *pix.RGB) (string, error) {
	sum := sha256.Sum256(data)
	sha := hex.EncodeToString(sum[:])
	b[sha] = data
	return sha, nil
}

// bench is the service between a table of blobs and a list of what it said.
type bench struct {
	service *document.Service
	blobs   blobs
}

func newBench(t testing.TB) *bench { return newBenchOn(t, resiliencetest.Refusing(t, "models")) }

func newBenchOn(t testing.TB, networks *resilience.Dependency) *bench {
	set, err := models.Open(models.Config{Dir: models.Find(), Dependency: networks})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{blobs: blobs{}}
	b.service, err = document.New(document.Config{Models: set, Blobs: b.blobs, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// said is what one run said, in order.
type said struct {
	outs []stream.Output
	at   []time.Duration
}

// run hands a file to the service and holds that every answer owed was given once.
func (b *bench) run(t testing.TB, data []byte, medium envelopev1.Medium) *said {
	t.Helper()
	sha, _ := b.blobs.Keep(t.Context(), nil, data, nil)
	env := &envelopev1.Envelope{VerificationId: "v", Kind: envelopev1.Kind_KIND_MEDIUM, Medium: medium}
	in := stream.Input{Message: &stream.Message{Envelope: env, Payload: &mediav1.Media{Sha256: sha, Bytes: uint64(len(data))}}}
	s, start := &said{}, time.Now()
	err := b.service.Worker().Handle(t.Context(), in, func(_ context.Context, o stream.Output) error {
		s.outs, s.at = append(s.outs, o), append(s.at, time.Since(start))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, o := range s.outs {
		if o.Kind == envelopev1.Kind_KIND_FINDING {
			count[o.Check]++
			if o.Outcome != stream.Pass && o.Reason == "" {
				t.Errorf("%s: %v without a reason", o.Check, o.Outcome)
			}
		}
	}
	for _, k := range b.service.Worker().Owes(in) {
		if count[k.Check] != 1 {
			t.Errorf("%s was answered %d times", k.Check, count[k.Check])
		}
		delete(count, k.Check)
	}
	for c := range count {
		t.Errorf("%s is not this service's to answer", c)
	}
	return s
}

func (s *said) outcome(check string) (envelopev1.Outcome, string) {
	for _, o := range s.outs {
		if o.Check == check {
			return o.Outcome, o.Reason
		}
	}
	return 0, ""
}

func (s *said) derived(name string) *derivedv1.Derived {
	for _, o := range s.outs {
		if o.Topic == topic.Derived && o.Name == name {
			return o.Payload.(*derivedv1.Derived)
		}
	}
	return nil
}

// page decodes the page that was handed on.
func (b *bench) page(t testing.TB, s *said) (*derivedv1.Page, *pix.RGB) {
	t.Helper()
	d := s.derived("page").GetPage()
	if d == nil {
		t.Fatal("no page")
	}
	p, err := picture.Decode(b.blobs[d.GetBlob().GetSha256()], picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d, p.RGB
}
