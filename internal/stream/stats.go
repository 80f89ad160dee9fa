package stream

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	envelopev1 "github.com/bonafide-id/bonafide/gen/bonafide/envelope/v1"
	statsv1 "github.com/bonafide-id/bonafide/gen/bonafide/stats/v1"
	"github.com/bonafide-id/bonafide/internal/log"
	"github.com/bonafide-id/bonafide/internal/topic"
)

// statsEvery is how often a service says how it is doing.
const statsEvery = 5 * time.Second

// metrics are those of all services of a process, told apart by the label service.
type metrics struct {
	handled, failed, emitted, suppressed, evictedYoung, dead *prometheus.CounterVec
	inFlight, lag, windowIDs, windowAge                      *prometheus.GaugeVec
	took                                                     *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "bonafide", Subsystem: "stream", Name: name, Help: help}, []string{"service"})
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "bonafide", Subsystem: "stream", Name: name, Help: help}, []string{"service"})
	}
	m := &metrics{
		handled:      counter("handled_total", "Messages that were finished."),
		failed:       counter("failed_total", "Attempts that ended with an error."),
		emitted:      counter("emitted_total", "Events said."),
		suppressed:   counter("suppressed_total", "Messages dropped because their id had been seen."),
		evictedYoung: counter("evicted_young_total", "Ids that left the window of seen ids before their time, for want of room."),
		dead:         counter("dead_total", "Dead letters."),
		inFlight:     gauge("in_flight", "Messages in hand."),
		lag:          gauge("lag", "Records between what is committed and the stable end of the input."),
		windowIDs:    gauge("window_ids", "Ids in the windows of seen ids, of all lanes together."),
		windowAge:    gauge("window_age_seconds", "How far back the windows of seen ids reach, in the lane where that is furthest."),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "bonafide", Subsystem: "stream", Name: "took_seconds",
			Help: "Time to handle one message.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{"service"}),
	}
	if reg == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{m.handled, m.failed, m.emitted, m.suppressed, m.evictedYoung, m.dead, m.inFlight, m.lag,
		m.windowIDs, m.windowAge, m.took} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// meter counts for one service, for the metrics and for stats.v1.
type meter struct {
	service string
	all     *metrics

	mu    sync.Mutex
	since statsv1.Statistic // since the last statistic
	total time.Duration
	calls int
	now   int
}

func (m *metrics) of(service string) *meter { return &meter{service: service, all: m} }

func (m *meter) count(c *prometheus.CounterVec, field *uint64, n int) {
	if n == 0 {
		return
	}
	c.WithLabelValues(m.service).Add(float64(n))
	m.mu.Lock()
	*field += uint64(n)
	m.mu.Unlock()
}

func (m *meter) handled(n int)    { m.count(m.all.handled, &m.since.Handled, n) }
func (m *meter) failed()          { m.count(m.all.failed, &m.since.Failed, 1) }
func (m *meter) emitted(n int)    { m.count(m.all.emitted, &m.since.Emitted, n) }
func (m *meter) suppressed(n int) { m.count(m.all.suppressed, &m.since.Suppressed, n) }
func (m *meter) dead()            { m.all.dead.WithLabelValues(m.service).Inc() }
func (m *meter) evicted(n int)    { m.all.evictedYoung.WithLabelValues(m.service).Add(float64(n)) }

// window tells the size of the windows of seen ids, and how far back they reach.
func (m *meter) window(ids int, age time.Duration) {
	m.all.windowIDs.WithLabelValues(m.service).Set(float64(ids))
	m.all.windowAge.WithLabelValues(m.service).Set(age.Seconds())
}

// began counts a message in hand; what it returns is called when it no longer is.
func (m *meter) began() (ended func()) {
	start := time.Now()
	m.inFlight(1)
	return func() {
		took := time.Since(start)
		m.inFlight(-1)
		m.took(took, 1)
	}
}

func (m *meter) inFlight(n int) {
	m.all.inFlight.WithLabelValues(m.service).Add(float64(n))
	m.mu.Lock()
	m.now += n
	m.mu.Unlock()
}

// took counts n messages that took a time together.
func (m *meter) took(t time.Duration, n int) {
	if n == 0 {
		return
	}
	m.all.took.WithLabelValues(m.service).Observe(t.Seconds() / float64(n))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total += t
	m.calls += n
	m.since.MaxMs = max(m.since.MaxMs, float64(t)/float64(time.Millisecond)/float64(n))
}

// take gives the statistic since the last one.
func (m *meter) take() *statsv1.Statistic {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &statsv1.Statistic{Service: m.service, Handled: m.since.Handled, Failed: m.since.Failed, Emitted: m.since.Emitted,
		Suppressed: m.since.Suppressed, MaxMs: m.since.MaxMs, InFlight: uint32(m.now)}
	if m.calls > 0 {
		s.MeanMs = float64(m.total) / float64(time.Millisecond) / float64(m.calls)
	}
	m.since, m.total, m.calls = statsv1.Statistic{}, 0, 0
	return s
}

// statistics publishes how a service is doing, at most once each, until ctx ends.
func (r *Runtime) statistics(ctx context.Context, m *meter, g log.Group) {
	tick := time.NewTicker(statsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s := m.take()
		if lag, err := r.lag(ctx, g); err == nil {
			s.Lag = lag
			r.metrics.lag.WithLabelValues(m.service).Set(float64(lag))
		}
		o := Output{Topic: topic.Stats, Kind: envelopev1.Kind_KIND_STATISTIC, Payload: s}
		id := DeriveID("stats", m.service, strconv.FormatInt(r.now().UnixNano(), 10))
		if rec, err := r.record(ctx, Ancestry{Source: m.service}, id, o, false); err == nil {
			r.log.Send(rec)
		}
	}
}

// lag counts the records between what a group has committed and the end of its input.
func (r *Runtime) lag(ctx context.Context, g log.Group) (uint64, error) {
	n, err := r.log.Lanes(ctx, g.Input)
	if err != nil {
		return 0, err
	}
	lanes := make([]log.Lane, n)
	for i := range lanes {
		lanes[i] = log.Lane{Topic: g.Input, N: int32(i)}
	}
	bounds, err := r.log.Bounds(ctx, lanes...)
	if err != nil {
		return 0, err
	}
	committed, err := r.log.Committed(ctx, g.Name, lanes...)
	if err != nil {
		return 0, err
	}
	var lag int64
	for i, b := range bounds {
		lag += b.End.Off - max(b.First.Off, committed[i].Off)
	}
	return uint64(max(lag, 0)), nil
}
