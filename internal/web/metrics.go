package web

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests and their time, per app, route and status. A nil
// Metrics counts nothing.
type Metrics struct {
	seconds *prometheus.HistogramVec
}

// NewMetrics registers the metrics of all web apps of a process.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "mandate_http_request_seconds",
		Help:    "Time to answer a web request.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"app", "route", "method", "status"})}
	return m, r.Register(m.seconds)
}

func (m *Metrics) count(app, route, method string, status int, took time.Duration) {
	if m == nil {
		return
	}
	m.seconds.WithLabelValues(app, route, knownMethod(method), strconv.Itoa(status)).Observe(took.Seconds())
}

// knownMethod keeps strangers from inventing label values.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST":
		return m
	}
	return "other"
}
