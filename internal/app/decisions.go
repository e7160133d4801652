package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mandate/internal/catalog"
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
)

// loadDecisions reads everything that decisions are made of, behind the first
// questions: whoever asks meanwhile does not wait for it.
func (a *App) loadDecisions(ctx context.Context) {
	began := time.Now()
	said := began
	err := a.Memory.Load(ctx, func(done, total int) {
		if time.Since(said) >= time.Second {
			said = time.Now()
			a.Log.Info("reading what decisions are made of", "organizations", done, "of", total)
		}
	})
	if err != nil {
		if ctx.Err() == nil {
			a.Log.Error("what decisions are made of was not read; it is when it is asked for", "error", err)
		}
		return
	}
	status := a.Memory.Status()
	a.Log.Info("decisions are answered from memory", "organizations", status.Organizations, "bytes", status.Bytes, "took", time.Since(began))
}

// A memoryMeter tells operators how the memory of decisions is doing.
type memoryMeter struct {
	memory *memory.Memory
	told   map[*prometheus.Desc]func(memory.Status) float64
	counts map[*prometheus.Desc]func(memory.Status) float64
}

func newMemoryMeter(m *memory.Memory) *memoryMeter {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("mandate_decision_memory_"+name, help, nil, nil)
	}
	return &memoryMeter{m, map[*prometheus.Desc]func(memory.Status) float64{
		describe("organizations", "Organizations that are in memory."):    func(s memory.Status) float64 { return float64(s.Organizations) },
		describe("bytes", "Bytes that what decisions are made of takes."): func(s memory.Status) float64 { return float64(s.Bytes) },
		describe("budget_bytes", "Bytes that it may take."):               func(s memory.Status) float64 { return float64(s.Budget) },
	}, map[*prometheus.Desc]func(memory.Status) float64{
		describe("refreshed_total", "Organizations that were brought up to date."):                                   func(s memory.Status) float64 { return float64(s.Refreshed) },
		describe("read_total", "Organizations that were read as a whole."):                                           func(s memory.Status) float64 { return float64(s.Wholes) },
		describe("gaps_total", "Histories that did not go on from where they were known, and were read as a whole."): func(s memory.Status) float64 { return float64(s.Gaps) },
		describe("evicted_total", "Organizations that had to go because the budget was used up."):                    func(s memory.Status) float64 { return float64(s.Evicted) },
	}}
}

// Describe names the metrics, for prometheus.
func (m *memoryMeter) Describe(out chan<- *prometheus.Desc) {
	for d := range m.told {
		out <- d
	}
	for d := range m.counts {
		out <- d
	}
}

// Collect asks the memory, for prometheus.
func (m *memoryMeter) Collect(out chan<- prometheus.Metric) {
	status := m.memory.Status()
	for d, value := range m.told {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value(status))
	}
	for d, value := range m.counts {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value(status))
	}
}

// decisionMeter counts decisions for operators: a counter for each operation and
// outcome, so that counting looks nothing up.
type decisionMeter [catalog.OperationCount]map[pdp.Outcome]prometheus.Counter

func newDecisionMeter(r prometheus.Registerer) (*decisionMeter, error) {
	decided := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mandate_decisions_total", Help: "Decisions by operation and outcome.",
	}, []string{"operation", "outcome"})
	if err := r.Register(decided); err != nil {
		return nil, fmt.Errorf("count decisions: %w", err)
	}
	m := &decisionMeter{}
	for op := range m {
		m[op] = map[pdp.Outcome]prometheus.Counter{}
		for _, outcome := range []pdp.Outcome{pdp.Allowed, pdp.NeedsApproval, pdp.Denied} {
			m[op][outcome] = decided.WithLabelValues(catalog.Operation(op).ID(), string(outcome))
		}
	}
	return m, nil
}

func (m *decisionMeter) Decided(op catalog.Operation, outcome pdp.Outcome) { m[op][outcome].Inc() }
