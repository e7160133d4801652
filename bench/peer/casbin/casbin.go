// Package casbin models the institution for Casbin: an enforcer for each
// organization, a policy type for each level, which are asked one after another:
// every one of them, or until one refuses. What an operation needs at a level is folded when the
// policies are loaded, so that one line answers for all its switches.
package casbin

import (
	"fmt"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Engine has the enforcers by their members, as the caller has to keep them.
type Engine struct {
	of    map[bank.UserID]*casbin.Enforcer
	rules [catalog.OperationCount]world.Rule
}

// The levels: what is offered and what is had, who is active, what somebody may,
// on which account, and up to how much. Amounts are texts of one length, because
// policies are texts.
const text = `
[request_definition]
r = feature
r2 = feature
r3 = sub
r4 = sub, act
r5 = sub, obj, act
r6 = sub, act, amount
r7 = sub, obj, act, amount

[policy_definition]
p = feature
p2 = feature
p3 = sub
p4 = sub, act
p5 = sub, obj, act
p6 = sub, act, most
p7 = sub, obj, act, most, eft

[policy_effect]
e = some(where (p.eft == allow))
e2 = some(where (p.eft == allow))
e3 = some(where (p.eft == allow))
e4 = some(where (p.eft == allow))
e5 = some(where (p.eft == allow))
e6 = some(where (p.eft == allow))
e7 = !some(where (p.eft == deny))

[matchers]
m = r.feature == p.feature
m2 = r2.feature == p2.feature
m3 = r3.sub == p3.sub
m4 = r4.sub == p4.sub && r4.act == p4.act
m5 = r5.obj == p5.obj && r5.sub == p5.sub && r5.act == p5.act
m6 = r6.sub == p6.sub && r6.act == p6.act && r6.amount <= p6.most
m7 = r7.obj == p7.obj && r7.sub == p7.sub && r7.act == p7.act && r7.amount > p7.most
`

// The contexts of the policy types.
var offered, had, active, may, account, within, own = casbin.EnforceContext{RType: "r", PType: "p", EType: "e", MType: "m"},
	casbin.NewEnforceContext("2"), casbin.NewEnforceContext("3"), casbin.NewEnforceContext("4"), casbin.NewEnforceContext("5"), casbin.NewEnforceContext("6"), casbin.NewEnforceContext("7")

// New loads a world.
func New(w *world.World) (*Engine, error) {
	e := &Engine{of: map[bank.UserID]*casbin.Enforcer{}}
	for _, r := range world.Rules() {
		e.rules[r.Operation] = r
	}
	for p := range w.Policies {
		if err := e.organization(p); err != nil {
			return nil, fmt.Errorf("load an organization: %w", err)
		}
	}
	return e, nil
}

func (e *Engine) organization(p *entitlement.Policy) error {
	m, err := model.NewModelFromString(text)
	if err != nil {
		return err
	}
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return err
	}
	lines := map[string][][]string{"p": features(p.Institution.Offers), "p2": features(p.Organization.Entitlements)}
	for _, m := range p.Members {
		e.of[m.ID] = enforcer
		e.member(lines, p, m)
	}
	for kind, of := range lines {
		if _, err := enforcer.AddNamedPolicies(kind, of); err != nil {
			return err
		}
	}
	return nil
}

func features(s catalog.EntitlementSet) (lines [][]string) {
	for _, f := range catalog.EntitlementsIn(s) {
		lines = append(lines, []string{f.ID()})
	}
	return lines
}

func (e *Engine) member(lines map[string][][]string, p *entitlement.Policy, m *entitlement.Member) {
	add := func(kind string, line ...string) { lines[kind] = append(lines[kind], line) }
	if m.Status == bank.StatusActive && !m.Held {
		add("p3", string(m.ID))
	}
	for i := range e.rules {
		r := &e.rules[i]
		if r.Operation == catalog.UnknownOperation || r.User&^m.Settings.On != 0 || m.Settings.EditLevel < r.Edit || !hasRole(r, m.Role) {
			continue
		}
		act := r.Operation.ID()
		add("p4", string(m.ID), act)
		if most := most(p, m, r); len(r.Limits) > 0 && most > 0 {
			add("p6", string(m.ID), act, padded(most))
		}
		for a, s := range m.Accounts {
			if r.Account != 0 && r.Account&^s.On == 0 {
				add("p5", string(m.ID), string(a), act)
			}
			if r.ToAccount != 0 && r.ToAccount&^s.On == 0 {
				add("p5", string(m.ID), string(a), act+".to")
			}
			for _, l := range r.Limits {
				if most, set := s.Limits.Get(l.Limit); set && l.OnAccount {
					add("p7", string(m.ID), string(a), act, padded(most), "deny")
				}
			}
		}
	}
}

func hasRole(r *world.Rule, role bank.Role) bool {
	for _, may := range r.Roles {
		if may == role {
			return true
		}
	}
	return r.Roles == nil
}

// most is the smallest limit of a member and of the organization.
func most(p *entitlement.Policy, m *entitlement.Member, r *world.Rule) bank.Cents {
	least := bank.MaxAmount
	for _, l := range r.Limits {
		own, _ := m.Settings.Limits.Get(l.Limit)
		least = min(least, own)
		if ceiling, set := p.Organization.Ceilings.Get(l.Limit); set {
			least = min(least, ceiling)
		}
	}
	return least
}

func padded(amount bank.Cents) string { return fmt.Sprintf("%012d", int64(amount)) }

// Decide asks level after level until one refuses.
func (e *Engine) Decide(q *world.Questions, answers []bool) {
	for i := range q.Asked {
		answers[i] = e.decide(&q.Asked[i], false)
	}
}

// DecideEvery asks every level, whatever the others say.
func (e *Engine) DecideEvery(q *world.Questions, answers []bool) {
	for i := range q.Asked {
		answers[i] = e.decide(&q.Asked[i], true)
	}
}

func (e *Engine) decide(q *entitlement.Request, every bool) bool {
	enforcer := e.of[q.Member]
	if enforcer == nil {
		return false
	}
	yes := true
	enough := func(is bool) bool { // that no other level need be asked
		yes = yes && is
		return !yes && !every
	}
	ask := func(rvals ...any) bool {
		is, err := enforcer.Enforce(rvals...)
		if err != nil {
			panic(err) // no question can be one that Casbin does not understand
		}
		return enough(is)
	}
	r, sub, obj, act := &e.rules[q.Operation], string(q.Member), string(q.Account), q.Operation.ID()
	if r.Entitlement != catalog.NoEntitlement && (ask(offered, r.Entitlement.ID()) || ask(had, r.Entitlement.ID())) {
		return false
	}
	if ask(active, sub) || ask(may, sub, act) {
		return false
	}
	if len(r.Limits) > 0 {
		cents, valid := q.Amount.Cents()
		amount := padded(cents)
		if enough(valid) || ask(within, sub, act, amount) || r.Account != 0 && ask(own, sub, obj, act, amount) {
			return false
		}
	}
	if r.ToAccount != 0 && (enough(q.ToAccount != q.Account) || ask(account, sub, string(q.ToAccount), act+".to")) {
		return false
	}
	return (r.Account == 0 || !ask(account, sub, obj, act)) && yes
}
