package stream

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	factv1 "github.com/bonafide-id/bonafide/gen/bonafide/fact/v1"
	mediav1 "github.com/bonafide-id/bonafide/gen/bonafide/media/v1"
	statsv1 "github.com/bonafide-id/bonafide/gen/bonafide/stats/v1"
	"github.com/bonafide-id/bonafide/internal/check"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/resilience"
	"github.com/bonafide-id/bonafide/internal/seal"
	"github.com/bonafide-id/bonafide/internal/topic"
)

func TestDerivedIDs(t *testing.T) {
	if DeriveID("ab", "c") == DeriveID("a", "bc") || DeriveID("a") == DeriveID("a", "") {
		t.Error("different parts have the same id")
	}
	if got := len(DeriveID("a")); got != 32 {
		t.Errorf("an id has %d digits", got)
	}
	a := &Message{Envelope: &envelopev1.Envelope{Id: "a"}}
	b := &Message{Envelope: &envelopev1.Envelope{Id: "b"}}
	if diff := cmp.Diff(inputIDs(a, []*Message{b}), inputIDs(b, []*Message{a, b})); diff != "" {
		t.Error("the order of inputs matters:", diff)
	}
	o := Output{Kind: envelopev1.Kind_KIND_FINDING, Check: "doc.image.focus", Medium: check.Document}
	back := o
	back.Medium = check.Back
	second := o
	second.Ordinal = 1
	ids := map[string]bool{}
	for _, id := range []string{
		idFromInputs([]string{"a"}, "document", 1, o), idFromInputs([]string{"b"}, "document", 1, o), idFromInputs([]string{"a"}, "text", 1, o),
		idFromInputs([]string{"a"}, "document", 2, o), idFromInputs([]string{"a"}, "document", 1, back), idFromInputs([]string{"a"}, "document", 1, second),
	} {
		ids[id] = true
	}
	if len(ids) != 6 {
		t.Errorf("%d ids for 6 different sayings", len(ids))
	}
}

func TestPublishedEnvelope(t *testing.T) {
	e := newEnv(t, nil)
	_, err := e.keys.Create(t.Context(), "acme", "v")
	e.must(err)
	a := Ancestry{Source: "ingest", Version: 1, Client: "acme", Verification: "v", Correlation: "r", Traceparent: "00-1-2-01", DeadlineAt: time.Unix(9, 0)}
	opening := Opening{Wants: []envelopev1.Medium{check.Document, check.Selfie}, Deadline: 10 * time.Second, ExpiresAt: time.Unix(99, 0), Catalogue: 1}
	for range 2 { // said again after an answer that was lost
		e.must(e.rt.Publish(t.Context(), a,
			Output{ID: "00000000000000000000000000000001", Kind: envelopev1.Kind_KIND_OPENED, Opening: &opening,
				Payload: &factv1.Fact{What: &factv1.Fact_Opened{Opened: &factv1.Opened{Declared: &factv1.Declared{Surname: "MUSTERMANN"}}}}},
			Output{Topic: topic.Media, Kind: envelopev1.Kind_KIND_MEDIUM, Medium: check.Document, Payload: &mediav1.Media{Sha256: "feed"}}))
	}
	facts, media := e.all(topic.Fact), e.all(topic.Media)
	if len(distinct(facts)) != 1 || len(distinct(media)) != 1 {
		t.Error("saying it again gave other ids")
	}
	m := facts[0]
	if m.GetId() != "00000000000000000000000000000001" || m.GetDeadlineMs() != 10_000 || len(m.GetWants()) != 2 || m.GetCatalogue() != 1 ||
		m.GetExpiresAt().GetSeconds() != 99 || m.GetDeadlineAt().GetSeconds() != 9 || m.GetTraceparent() == "" || m.GetCorrelationId() != "r" {
		t.Errorf("the envelope is %v", m.Envelope)
	}
	p, err := m.Open(t.Context())
	e.must(err)
	if p.(*factv1.Fact).GetOpened().GetDeclared().GetSurname() != "MUSTERMANN" {
		t.Error("the payload came back otherwise")
	}
	moved := *m
	moved.Envelope = &envelopev1.Envelope{Id: "another", ClientId: "acme", VerificationId: "v", Sealed: m.GetSealed()}
	if _, err := e.rt.open(t.Context(), &moved); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("a payload opens under another event: %v", err)
	}
}

func TestRecordsAreCloudEvents(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	l := log.Lane{Topic: topic.Media, N: log.LaneOf([]byte("v"), 4)}
	for rec, err := range e.log.Read(t.Context(), l, log.Pos{}, log.Pos{}) {
		e.must(err)
		got := make(map[string]string)
		for _, h := range rec.Head {
			got[h.Key] = string(h.Val)
		}
		m, err := e.rt.Decode(rec)
		e.must(err)
		want := map[string]string{"ce_specversion": "1.0", "ce_id": m.GetId(), "ce_type": "bonafide.media.v1.medium", "ce_source": "bonafide/ingest",
			"ce_time": got["ce_time"], "ce_dataschema": "bonafide.envelope.v1.Envelope", "ce_partitionkey": "v", "content-type": "application/protobuf"}
		if diff := cmp.Diff(want, got); diff != "" || got["ce_time"] == "" {
			t.Error(diff)
		}
		return
	}
}

func TestReportedDecisionsBecomeIncidentsAndFacts(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	i := resilience.Incident{Dependency: "blob store", Condition: resilience.Slow, Decision: resilience.Decision{Action: resilience.Wait},
		Client: "acme", Verification: "v", Err: errors.New("with a name in it: MUSTERMANN")}
	e.rt.Report(i)
	i.Client, i.Verification = "", ""
	e.rt.Report(i)
	e.rt.Close()
	if n, f := len(e.all(topic.Incident)), len(e.all(topic.Fact)); n != 2 || f != 1 {
		t.Errorf("%d incidents and %d facts, want 2 and 1", n, f)
	}
}

func TestStatisticsTellWhatWasDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		reg := prometheus.NewRegistry()
		rt, err := New(Config{Log: e.log, Keys: e.keys, Dependency: e.rt.dep, Metrics: reg})
		e.must(err)
		e.media("v", check.Document, 1)
		e.media("v", check.Document, 1)
		time.Sleep(3 * time.Second)
		e.media("v", check.Document, 2)
		stop := e.start(func(ctx context.Context) error { return RunWorker(ctx, rt, looker(sayFocus)) })
		time.Sleep(statsEvery + time.Second)
		stop()
		p, err := e.all(topic.Stats)[0].Open(t.Context())
		e.must(err)
		s := p.(*statsv1.Statistic)
		if s.GetService() != "looker" || s.GetHandled() != 3 || s.GetEmitted() != 2 || s.GetSuppressed() != 1 || s.GetLag() != 0 || s.GetInFlight() != 0 {
			t.Errorf("the statistic says %v", s)
		}
		families, err := reg.Gather()
		e.must(err)
		got := map[string]float64{}
		for _, f := range families {
			if g := f.GetMetric()[0].GetGauge(); g != nil {
				got[f.GetName()] = g.GetValue()
			}
		}
		if ids, ok := got["bonafide_stream_window_ids"]; len(families) < 7 || !ok || ids != 2 || got["bonafide_stream_window_age_seconds"] != 3 {
			t.Errorf("%d families of metrics, gauges %v", len(families), got)
		}
	})
}

// The lag is what lies between the committed position and the end, in all lanes together.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEnv(t, nil)
		for i := range 7 {
			e.media(fmt.Sprintf("v%d", i), check.Document, i)
		}
		stop := e.start(func(ctx context.Context) error {
			return RunWorker(ctx, e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
				if in.GetVerificationId() < "v4" {
					return sayFocus(ctx, in, emit)
				}
				<-ctx.Done()
				return ctx.Err()
			}))
		})
		time.Sleep(statsEvery + time.Second)
		stop()
		p, err := e.all(topic.Stats)[0].Open(t.Context())
		e.must(err)
		lag, err := e.rt.lag(t.Context(), log.Group{Name: "looker.v1", Input: topic.Media})
		e.must(err)
		if s := p.(*statsv1.Statistic); lag < 3 || s.GetLag() != lag || s.GetInFlight() != 3 {
			t.Errorf("a lag of %d: the statistic says %v", lag, s)
		}
	})
}

func TestTheFullDiskIsWaitedFor(t *testing.T) {
	e := newEnv(t, nil)
	full := &fullLog{Log: e.log, times: 3}
	rt, err := New(Config{Log: full, Keys: e.keys, Dependency: e.rt.dep})
	e.must(err)
	e.finding("v", 1)
	e.finding("v", 2)
	e.start(func(ctx context.Context) error { return RunFold(ctx, rt, tallies()) })
	e.until("the summary", func() bool { return len(ofSource(e.all(topic.Fact), "tally")) == 1 })
}

// fullLog is full for some steps.
type fullLog struct {
	log.Log
	times int
}

func (f *fullLog) Join(ctx context.Context, g log.Group) (log.Member, error) {
	m, err := f.Log.Join(ctx, g)
	return &fullMember{m, f}, err
}

type fullMember struct {
	log.Member
	of *fullLog
}

func (m *fullMember) Step(ctx context.Context, steps ...log.Step) error {
	if m.of.times--; m.of.times >= 0 {
		return log.ErrFull
	}
	return m.Member.Step(ctx, steps...)
}

func TestAServiceEndsWithItsLog(t *testing.T) {
	e := newEnv(t, nil)
	e.media("v", check.Document, 1)
	closed := make(chan error, 3)
	go func() { closed <- RunWorker(t.Context(), e.rt, looker(sayFocus)) }()
	go func() { closed <- RunFold(t.Context(), e.rt, tallies()) }()
	go func() { closed <- RunChain(t.Context(), e.rt, numbering()) }()
	e.until("work", func() bool { return len(e.all(topic.Fact)) > 0 })
	e.must(e.log.Close())
	for range 3 {
		select {
		case err := <-closed:
			if !errors.Is(err, log.ErrClosed) {
				t.Errorf("ended with %v", err)
			}
		case <-time.After(patience):
			t.Fatal("a service goes on without its log")
		}
	}
}

// A service whose log goes away while it has messages in hand ends when they do.
func TestAServiceEndsWithItsLogAndItsHandlers(t *testing.T) {
	e := newEnv(t, nil)
	var inHand atomic.Int64
	ended := make(chan error, 1)
	go func() {
		ended <- RunWorker(t.Context(), e.rt, looker(func(ctx context.Context, in Input, emit Emit) error {
			inHand.Add(1)
			defer inHand.Add(-1)
			if in.GetVerificationId() == "quick" {
				return sayFocus(ctx, in, emit)
			}
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond)
			return ctx.Err()
		}))
	}()
	for i := range 3 {
		e.media(fmt.Sprintf("slow%d", i), check.Document, i)
	}
	e.until("all in hand", func() bool { return inHand.Load() == 3 })
	e.must(e.log.Close())
	if err := <-ended; !errors.Is(err, log.ErrClosed) || inHand.Load() != 0 {
		t.Errorf("ended with %v, %d handlers at work", err, inHand.Load())
	}
}

func TestWindowIsBoundedAndExact(t *testing.T) {
	var w window
	at := time.Unix(1000, 0)
	evicted := 0
	for i := range 3 * leastIDs {
		evicted += w.add(DeriveID("id", string(rune(i))), at, 0)
	}
	if len(w.order) != leastIDs || evicted != 2*leastIDs || len(w.count) != leastIDs {
		t.Errorf("%d ids held, %d evicted young", len(w.order), evicted)
	}
	w = window{}
	for i := range 3 * leastIDs {
		evicted = w.add(DeriveID("id", string(rune(i))), at, 100)
	}
	if len(w.order) != 3*leastIDs || evicted != 0 {
		t.Errorf("at a hundred a second %d ids are held", len(w.order))
	}
	if w.add("later", at.Add(time.Hour), 100); len(w.order) != leastIDs || !w.has("later") {
		t.Errorf("an hour later %d ids are held", len(w.order))
	}
}
