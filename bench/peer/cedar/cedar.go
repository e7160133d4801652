// Package cedar models the institution for cedar-go: entities with attributes,
// and what a member may do on an account as a tag of the account under the
// member's name. Sets that are equal are one.
package cedar

import (
	"fmt"
	"iter"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Engine answers from entities.
type Engine struct {
	entities types.EntityMap
	actions  [catalog.OperationCount]types.EntityUID
	one      [catalog.OperationCount]single // the policy of each operation
	all      *cedar.PolicySet
	sets     map[catalog.Set]types.Set
	grants   map[entitlement.Settings]types.Record
}

// single is a policy that the caller has chosen.
type single struct{ policy *cedar.Policy }

// All implements cedar.PolicyIterator.
func (s single) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) { yield("policy", s.policy) }
}

// New loads a world.
func New(w *world.World) (*Engine, error) {
	e := &Engine{entities: types.EntityMap{}, all: cedar.NewPolicySet(), sets: map[catalog.Set]types.Set{}, grants: map[entitlement.Settings]types.Record{}}
	for _, r := range world.Rules() {
		var p cedar.Policy
		if err := p.UnmarshalCedar([]byte(Policy(&r))); err != nil {
			return nil, fmt.Errorf("read the policy of %s: %w", r.Operation, err)
		}
		e.one[r.Operation] = single{&p}
		e.all.Add(cedar.PolicyID(r.Operation.ID()), &p)
		e.actions[r.Operation] = types.NewEntityUID("Action", types.String(r.Operation.ID()))
	}
	institution := types.NewEntityUID("Institution", types.String(w.Institution.ID))
	e.add(institution, types.RecordMap{"offers": features(w.Institution.Offers)}, nil)
	for p := range w.Policies {
		e.organization(institution, p)
	}
	return e, nil
}

func (e *Engine) add(id types.EntityUID, attributes, tags types.RecordMap) {
	e.entities[id] = types.Entity{UID: id, Attributes: types.NewRecord(attributes), Tags: types.NewRecord(tags)}
}

func features(s catalog.EntitlementSet) types.Set {
	var in []types.Value
	for _, f := range catalog.EntitlementsIn(s) {
		in = append(in, types.String(f.ID()))
	}
	return types.NewSet(in...)
}

func (e *Engine) set(s catalog.Set) types.Set {
	if known, ok := e.sets[s]; ok {
		return known
	}
	var in []types.Value
	for p := range s.All {
		in = append(in, types.String(p.ID()))
	}
	e.sets[s] = types.NewSet(in...)
	return e.sets[s]
}

func (e *Engine) organization(institution types.EntityUID, p *entitlement.Policy) {
	o := types.NewEntityUID("Organization", types.String(p.Organization.ID))
	attributes := types.RecordMap{"institution": institution, "features": features(p.Organization.Entitlements)}
	e.limits(attributes, p.Organization.Ceilings)
	e.add(o, attributes, nil)
	tags := map[bank.AccountID]types.RecordMap{}
	for _, m := range p.Members {
		attributes := types.RecordMap{
			"organization": o, "id": types.String(m.ID), "status": types.String(m.Status.String()), "held": types.Boolean(m.Held), "role": types.String(m.Role.String()),
			"edit": types.Long(m.Settings.EditLevel), "on": e.set(m.Settings.On),
		}
		for l := range catalog.LimitCount {
			amount, _ := m.Settings.Limits.Get(l)
			attributes[types.String(limit(l))] = types.Long(amount)
		}
		e.add(types.NewEntityUID("User", types.String(m.ID)), attributes, nil)
		for a, s := range m.Accounts {
			if tags[a] == nil {
				tags[a] = types.RecordMap{}
			}
			if s.On != 0 { // who may nothing needs no tag
				tags[a][types.String(m.ID)] = e.grant(s)
			}
		}
	}
	for a := range p.Accounts {
		e.add(types.NewEntityUID("Account", types.String(a)), types.RecordMap{"organization": o}, tags[a])
	}
}

func (e *Engine) grant(s entitlement.Settings) types.Record {
	if known, ok := e.grants[s]; ok {
		return known
	}
	attributes := types.RecordMap{"on": e.set(s.On)}
	e.limits(attributes, s.Limits)
	e.grants[s] = types.NewRecord(attributes)
	return e.grants[s]
}

// limits are those that are set.
func (e *Engine) limits(into types.RecordMap, limits entitlement.Limits) {
	for l := range catalog.LimitCount {
		if amount, set := limits.Get(l); set {
			into[types.String(limit(l))] = types.Long(amount)
		}
	}
}

func limit(l catalog.Limit) string { return strings.ReplaceAll(l.Permission().ID(), ".", "_") }

// Policy is the text of an operation's policy.
func Policy(r *world.Rule) string {
	when := []string{`principal.status == "active"`, `!principal.held`}
	if len(r.Roles) == 1 {
		when = append(when, fmt.Sprintf("principal.role == %q", r.Roles[0]))
	} else if len(r.Roles) > 1 {
		when = append(when, fmt.Sprintf("(principal.role == %q || principal.role == %q)", r.Roles[0], r.Roles[1]))
	}
	if r.Entitlement != catalog.NoEntitlement {
		when = append(when,
			fmt.Sprintf("principal.organization.institution.offers.contains(%q)", r.Entitlement.ID()),
			fmt.Sprintf("principal.organization.features.contains(%q)", r.Entitlement.ID()))
	}
	if r.User != 0 {
		when = append(when, "principal.on.containsAll("+list(r.User)+")")
	}
	if r.Edit != catalog.EditNone {
		when = append(when, fmt.Sprintf("principal.edit >= %d", r.Edit))
	}
	for _, l := range r.Limits {
		name := limit(l.Limit)
		when = append(when, fmt.Sprintf("context.amount > 0 && context.amount <= principal.%s", name),
			fmt.Sprintf("(!(principal.organization has %[1]s) || context.amount <= principal.organization.%[1]s)", name))
	}
	if r.Account != 0 {
		const tag = "resource.getTag(principal.id)"
		when = append(when, "resource.hasTag(principal.id)", tag+".on.containsAll("+list(r.Account)+")")
		for _, l := range r.Limits {
			if l.OnAccount {
				when = append(when, fmt.Sprintf("(!(%[1]s has %[2]s) || context.amount <= %[1]s.%[2]s)", tag, limit(l.Limit)))
			}
		}
	}
	if r.ToAccount != 0 {
		when = append(when, "context.to != resource", "context.to.hasTag(principal.id)", "context.to.getTag(principal.id).on.containsAll("+list(r.ToAccount)+")")
	}
	return fmt.Sprintf("permit (principal, action == Action::%q, resource) when {\n  %s\n};", r.Operation.ID(), strings.Join(when, " &&\n  "))
}

func list(s catalog.Set) string {
	var in []string
	for p := range s.All {
		in = append(in, fmt.Sprintf("%q", p.ID()))
	}
	return "[" + strings.Join(in, ", ") + "]"
}

// Decide asks the one policy of each question's operation.
func (e *Engine) Decide(q *world.Questions, answers []bool) {
	for i := range q.Asked {
		d, _ := cedar.Authorize(e.one[q.Asked[i].Operation], e.entities, e.request(&q.Asked[i]))
		answers[i] = d == cedar.Allow
	}
}

// DecideAmongAll asks all policies.
func (e *Engine) DecideAmongAll(q *world.Questions, answers []bool) {
	for i := range q.Asked {
		d, _ := cedar.Authorize(e.all, e.entities, e.request(&q.Asked[i]))
		answers[i] = d == cedar.Allow
	}
}

func (e *Engine) request(q *entitlement.Request) cedar.Request {
	req := cedar.Request{
		Principal: types.NewEntityUID("User", types.String(q.Member)),
		Action:    e.actions[q.Operation],
		Resource:  types.NewEntityUID("Account", types.String(q.Account)),
	}
	amount, given := q.Amount.Cents()
	switch {
	case q.ToAccount != "":
		req.Context = types.NewRecord(types.RecordMap{"amount": types.Long(amount), "to": types.NewEntityUID("Account", types.String(q.ToAccount))})
	case given:
		req.Context = types.NewRecord(types.RecordMap{"amount": types.Long(amount)})
	}
	return req
}
