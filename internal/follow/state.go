package follow

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Lag is how long ago the last moment was of which nothing is missing. It is
// the age of the process where there was none.
func (f *Follower) Lag() time.Duration {
	if asOf := f.seen.Load(); asOf != nil {
		return time.Since(*asOf)
	}
	return time.Since(f.made)
}

// State says how the copy does now.
func (f *Follower) State() State {
	switch {
	case !f.loaded.Load():
		return Loading
	case f.stopped.Load():
		return Stopped
	case f.Lag() > f.Bound:
		return Behind
	}
	return Following
}

// metrics is what operators see of a follower, read when somebody looks.
type metrics struct {
	f                                *Follower
	lag, state, chains, organization *prometheus.Desc
	bytes, looks, odd                *prometheus.Desc
}

// Metrics are the follower's, to be registered.
func (f *Follower) Metrics() prometheus.Collector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mandate_follow_"+name, help, labels, nil)
	}
	return metrics{
		f:            f,
		lag:          describe("lag_seconds", "How old answers are at most: since the last moment of the database of which nothing is missing."),
		state:        describe("state", "1 for the state that the copy is in.", "state"),
		chains:       describe("chains", "Chains of the history that are followed."),
		organization: describe("organizations", "Organizations in memory."),
		bytes:        describe("bytes", "What they take."),
		looks:        describe("looks_total", "Looks at the database.", "outcome"),
		odd:          describe("odd_total", "Histories that did not go on from where they were known, changes that were not told, and loading everything.", "what"),
	}
}

// Describe is of prometheus.Collector.
func (m metrics) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, to) }

// Collect is of prometheus.Collector.
func (m metrics) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, value int64, label string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), label)
	}
	gauge(m.lag, m.f.Lag().Seconds())
	now := m.f.State()
	for _, state := range []State{Loading, Following, Behind, Stopped} {
		in := 0.0
		if state == now {
			in = 1
		}
		gauge(m.state, in, string(state))
	}
	organizations, bytes := m.f.Memory.Size()
	gauge(m.chains, float64(m.f.chains.Load()))
	gauge(m.organization, float64(organizations))
	gauge(m.bytes, float64(bytes))
	count(m.looks, m.f.looks.Load(), "done")
	count(m.looks, m.f.failures.Load(), "failed")
	count(m.odd, m.f.gaps.Load(), "gap")
	count(m.odd, m.f.missed.Load(), "untold")
	count(m.odd, m.f.loads.Load(), "load")
}
