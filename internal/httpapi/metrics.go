package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of all routes. A route's label is its pattern, never a path: paths name verifications.
type metrics struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	panics   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bonafide_http_requests_total", Help: "Requests that were answered, streams when they ended."},
			[]string{"route", "method", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "bonafide_http_answer_seconds",
			Help: "Time until the answer began; of an upload, until it was durable.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 16)}, []string{"route", "method"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "bonafide_http_panics_total", Help: "Handlers that broke; each is a bug and stands in the log."}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.took, m.panics} {
		if err := reg.Register(c); err != nil {
			return m, err
		}
	}
	return m, nil
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// count notes an answer. What clients make up, methods and paths, must not make up labels.
func (m metrics) count(a *answer, r *http.Request) {
	method, route := r.Method, "none"
	if !slices.Contains(methods, method) {
		method = "other"
	}
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		route = path
	}
	status := a.status
	if status == 0 {
		status = http.StatusInternalServerError // it broke, or said nothing
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	if a.status != 0 {
		m.took.WithLabelValues(route, method).Observe(a.took.Seconds())
	}
}
