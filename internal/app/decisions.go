package app

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/pdp"
	"mandate/internal/usage"
	"mandate/internal/usermgmt"
)

// DecisionSources are where the decision service finds the facts.
func DecisionSources() pdp.Sources {
	return pdp.Sources{
		Policy:          usermgmt.LoadPolicy,
		OrganizationsOf: usermgmt.OrganizationsOf,
		MembersOf:       usermgmt.MembersOf,
		MembersAt:       usermgmt.MembersAt,
		AccountsOf:      usermgmt.AccountsOf,
		Names:           usermgmt.NamesOf,
		Used: func(tx *db.Tx, p *entitlement.Policy, req entitlement.Request) (entitlement.Used, error) {
			return usage.For(tx, p, req)
		},
	}
}

// decisionMeter counts decisions for operators.
type decisionMeter struct{ decided *prometheus.CounterVec }

func newDecisionMeter(r prometheus.Registerer) (*decisionMeter, error) {
	m := &decisionMeter{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mandate_decisions_total", Help: "Decisions by operation and outcome.",
	}, []string{"operation", "outcome"})}
	if err := r.Register(m.decided); err != nil {
		return nil, fmt.Errorf("count decisions: %w", err)
	}
	return m, nil
}

func (m *decisionMeter) Decided(op catalog.Operation, outcome pdp.Outcome) {
	m.decided.WithLabelValues(op.ID(), string(outcome)).Inc()
}
