// Package opa models the institution for OPA: one document in the store, kept
// as OPA's own values, sets as objects; a rule for each operation, which OPA
// finds by its index; questions as parsed input.
package opa

import (
	"context"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Engine answers by a prepared query.
type Engine struct {
	query rego.PreparedEvalQuery
	keys  keys
	// Operations do not change, so that their terms are made once.
	operations [catalog.OperationCount]*ast.Term
}

type keys struct{ action, user, account, to, amount *ast.Term }

// New loads a world.
func New(w *world.World) (*Engine, error) {
	e := &Engine{keys: keys{ast.StringTerm("action"), ast.StringTerm("user"), ast.StringTerm("account"), ast.StringTerm("to"), ast.StringTerm("amount")}}
	for _, op := range catalog.Operations() {
		e.operations[op] = ast.StringTerm(op.ID())
	}
	users, organizations := map[string]any{}, map[string]any{}
	for p := range w.Policies {
		organizations[string(p.Organization.ID)] = map[string]any{"features": features(p.Organization.Entitlements), "ceilings": limits(p.Organization.Ceilings, bank.MaxAmount)}
		for _, m := range p.Members {
			users[string(m.ID)] = user(p, m)
		}
	}
	data := map[string]any{"users": users, "organizations": organizations, "institution": map[string]any{"offers": features(w.Institution.Offers)}}
	var err error
	e.query, err = rego.New(
		rego.Query("data.bank.allow"), rego.Module("bank.rego", Module()),
		rego.Store(inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))),
	).PrepareForEval(context.Background())
	if err != nil {
		return nil, fmt.Errorf("prepare the query: %w", err)
	}
	return e, nil
}

func features(s catalog.EntitlementSet) map[string]any {
	in := map[string]any{}
	for _, e := range catalog.EntitlementsIn(s) {
		in[e.ID()] = true
	}
	return in
}

func user(p *entitlement.Policy, m *entitlement.Member) map[string]any {
	accounts := map[string]any{}
	for a, s := range m.Accounts {
		if s.On != 0 { // where nothing is on nothing need be known
			accounts[string(a)] = map[string]any{"on": set(s.On), "limits": limits(s.Limits, bank.MaxAmount)}
		}
	}
	return map[string]any{
		"organization": string(p.Organization.ID), "status": m.Status.String(), "held": m.Held, "role": m.Role.String(), "edit": int(m.Settings.EditLevel),
		"on": set(m.Settings.On), "limits": limits(m.Settings.Limits, 0), "accounts": accounts,
	}
}

func set(s catalog.Set) map[string]any {
	in := map[string]any{}
	for p := range s.All {
		in[p.ID()] = true
	}
	return in
}

// limits are all limits; one that is not set is something else.
func limits(of entitlement.Limits, otherwise bank.Cents) map[string]any {
	in := map[string]any{}
	for l := range catalog.LimitCount {
		amount, set := of.Get(l)
		if !set {
			amount = otherwise
		}
		in[l.Permission().ID()] = int64(amount)
	}
	return in
}

// Module is the policy.
func Module() string {
	text := &strings.Builder{}
	fmt.Fprint(text, "package bank\n\ndefault allow := false\n")
	for _, r := range world.Rules() {
		fmt.Fprintf(text, "\nallow if {\n\t%s\n}\n", strings.Join(body(&r), "\n\t"))
	}
	return text.String()
}

func body(r *world.Rule) []string {
	lines := []string{
		fmt.Sprintf("input.action == %q", r.Operation.ID()),
		"u := data.users[input.user]",
		`u.status == "active"`,
		"u.held == false",
	}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if len(r.Roles) == 1 {
		add("u.role == %q", r.Roles[0])
	} else if len(r.Roles) > 1 {
		add("u.role in {%q, %q}", r.Roles[0], r.Roles[1])
	}
	if r.Entitlement != catalog.NoEntitlement || len(r.Limits) > 0 {
		add("o := data.organizations[u.organization]")
	}
	if r.Entitlement != catalog.NoEntitlement {
		add("data.institution.offers[%q]", r.Entitlement.ID())
		add("o.features[%q]", r.Entitlement.ID())
	}
	for p := range r.User.All {
		add("u.on[%q]", p.ID())
	}
	if r.Edit != catalog.EditNone {
		add("u.edit >= %d", r.Edit)
	}
	if r.Account != 0 {
		add("a := u.accounts[input.account]")
	}
	for p := range r.Account.All {
		add("a.on[%q]", p.ID())
	}
	if r.ToAccount != 0 {
		add("input.to != input.account")
		add("b := u.accounts[input.to]")
	}
	for p := range r.ToAccount.All {
		add("b.on[%q]", p.ID())
	}
	for _, l := range r.Limits {
		name := l.Permission().ID()
		add("input.amount > 0")
		add("input.amount <= u.limits[%q]", name)
		add("input.amount <= o.ceilings[%q]", name)
		if l.OnAccount {
			add("input.amount <= a.limits[%q]", name)
		}
	}
	return lines
}

// Decide asks the prepared query.
func (e *Engine) Decide(q *world.Questions, answers []bool) {
	ctx := context.Background()
	for i := range q.Asked {
		rs, err := e.query.Eval(ctx, rego.EvalParsedInput(e.input(&q.Asked[i])))
		if err != nil {
			panic(err) // no question can be one that OPA does not understand
		}
		answers[i] = rs.Allowed()
	}
}

func (e *Engine) input(q *entitlement.Request) ast.Value {
	in := [5][2]*ast.Term{
		{e.keys.action, e.operations[q.Operation]},
		{e.keys.user, ast.StringTerm(string(q.Member))},
		{e.keys.account, ast.StringTerm(string(q.Account))},
	}
	n := 3
	if q.ToAccount != "" {
		in[n] = [2]*ast.Term{e.keys.to, ast.StringTerm(string(q.ToAccount))}
		n++
	}
	if amount, given := q.Amount.Cents(); given {
		in[n] = [2]*ast.Term{e.keys.amount, ast.IntNumberTerm(int(amount))}
		n++
	}
	return ast.NewObject(in[:n]...)
}
