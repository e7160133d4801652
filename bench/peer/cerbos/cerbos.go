// Package cerbos models the institution for Cerbos, whose rule table is evaluated
// in the process: one resource policy with an expression for each operation.
// Cerbos keeps no data, so that the caller does, ready to be sent: whole
// principals, and what a principal may do on an account as an attribute of it.
package cerbos

import (
	"context"
	"fmt"
	"strings"
	"testing/fstest"

	effectv1 "github.com/cerbos/cerbos/api/genpb/cerbos/effect/v1"
	enginev1 "github.com/cerbos/cerbos/api/genpb/cerbos/engine/v1"
	"github.com/cerbos/cerbos/private/ruletable"
	"github.com/cerbos/cerbos/private/ruletable/compile"
	epdpv2 "github.com/cerbos/cloud-api/genpb/cerbos/cloud/epdp/v2"
	"google.golang.org/protobuf/types/known/structpb"

	"mandate/bench/world"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Engine answers from the rule table and what the caller keeps.
type Engine struct {
	table   ruletable.Evaluator
	members map[bank.UserID]*member
	nobody  *enginev1.Principal
	grants  map[entitlement.Settings]*structpb.Value
	nothing *structpb.Value
}

type member struct {
	principal *enginev1.Principal
	accounts  map[bank.AccountID]*structpb.Value
}

// New loads a world.
func New(w *world.World) (*Engine, error) {
	rows, err := compile.Compile(context.Background(), fstest.MapFS{"account.yaml": &fstest.MapFile{Data: []byte(Policy())}})
	if err != nil {
		return nil, fmt.Errorf("compile the policy: %w", err)
	}
	e := &Engine{members: map[bank.UserID]*member{}, grants: map[entitlement.Settings]*structpb.Value{}}
	if e.table, err = ruletable.NewRuleTableFromProto(rows, &epdpv2.Config{}); err != nil {
		return nil, fmt.Errorf("make the rule table: %w", err)
	}
	e.nothing = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{"on": set(0), "limits": limits(entitlement.Limits{}, false)}})
	e.nobody = &enginev1.Principal{Id: "nobody", Roles: []string{"member"}, Attr: map[string]*structpb.Value{"status": structpb.NewStringValue("unknown")}}
	offers := features(w.Institution.Offers)
	for p := range w.Policies {
		has, ceilings := features(p.Organization.Entitlements), limits(p.Organization.Ceilings, false)
		for _, m := range p.Members {
			e.members[m.ID] = e.member(m, offers, has, ceilings)
		}
	}
	return e, nil
}

func (e *Engine) member(m *entitlement.Member, offers, has, ceilings *structpb.Value) *member {
	made := &member{accounts: make(map[bank.AccountID]*structpb.Value, len(m.Accounts))}
	made.principal = &enginev1.Principal{Id: string(m.ID), Roles: []string{"member"}, Attr: map[string]*structpb.Value{
		"status": structpb.NewStringValue(m.Status.String()), "held": structpb.NewBoolValue(m.Held), "role": structpb.NewStringValue(m.Role.String()),
		"edit": structpb.NewNumberValue(float64(m.Settings.EditLevel)), "on": set(m.Settings.On), "limits": limits(m.Settings.Limits, true),
		"offers": offers, "features": has, "ceilings": ceilings,
	}}
	for a, s := range m.Accounts {
		if e.grants[s] == nil {
			e.grants[s] = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{"on": set(s.On), "limits": limits(s.Limits, false)}})
		}
		made.accounts[a] = e.grants[s]
	}
	return made
}

func features(s catalog.EntitlementSet) *structpb.Value {
	in := map[string]*structpb.Value{}
	for _, e := range catalog.EntitlementsIn(s) {
		in[e.ID()] = structpb.NewBoolValue(true)
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: in})
}

func set(s catalog.Set) *structpb.Value {
	in := map[string]*structpb.Value{}
	for p := range s.All {
		in[p.ID()] = structpb.NewBoolValue(true)
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: in})
}

// limits are those that are set, or all of them.
func limits(of entitlement.Limits, all bool) *structpb.Value {
	in := map[string]*structpb.Value{}
	for l := range catalog.LimitCount {
		if amount, set := of.Get(l); set || all {
			in[name(l)] = structpb.NewNumberValue(float64(amount))
		}
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: in})
}

func name(l catalog.Limit) string { return strings.ReplaceAll(l.Permission().ID(), ".", "_") }

// Policy is the text of the policy.
func Policy() string {
	text := &strings.Builder{}
	fmt.Fprint(text, "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  version: default\n  resource: account\n  rules:\n")
	for _, r := range world.Rules() {
		fmt.Fprintf(text, "    - actions: [%q]\n      effect: EFFECT_ALLOW\n      roles: [member]\n      condition:\n        match:\n          expr: >-\n            %s\n",
			r.Operation.ID(), strings.Join(expression(&r), " &&\n            "))
	}
	return text.String()
}

func expression(r *world.Rule) []string {
	terms := []string{`P.attr.status == "active"`, `!P.attr.held`}
	add := func(format string, args ...any) { terms = append(terms, fmt.Sprintf(format, args...)) }
	if len(r.Roles) == 1 {
		add("P.attr.role == %q", r.Roles[0])
	} else if len(r.Roles) > 1 {
		add("P.attr.role in [%q, %q]", r.Roles[0], r.Roles[1])
	}
	if r.Entitlement != catalog.NoEntitlement {
		add("%q in P.attr.offers", r.Entitlement.ID())
		add("%q in P.attr.features", r.Entitlement.ID())
	}
	for p := range r.User.All {
		add("%q in P.attr.on", p.ID())
	}
	if r.Edit != catalog.EditNone {
		add("P.attr.edit >= %d.0", r.Edit)
	}
	for p := range r.Account.All {
		add("%q in R.attr.grant.on", p.ID())
	}
	if r.ToAccount != 0 {
		add("R.attr.other")
	}
	for p := range r.ToAccount.All {
		add("%q in R.attr.to.on", p.ID())
	}
	for _, l := range r.Limits {
		n := name(l.Limit)
		add("R.attr.amount > 0.0")
		add("R.attr.amount <= P.attr.limits.%s", n)
		add("(!has(P.attr.ceilings.%[1]s) || R.attr.amount <= P.attr.ceilings.%[1]s)", n)
		if l.OnAccount {
			add("(!has(R.attr.grant.limits.%[1]s) || R.attr.amount <= R.attr.grant.limits.%[1]s)", n)
		}
	}
	return terms
}

// Decide checks one resource after another.
func (e *Engine) Decide(q *world.Questions, answers []bool) {
	ctx := context.Background()
	for i := range q.Asked {
		out, _, err := e.table.Check(ctx, []*enginev1.CheckInput{e.input(&q.Asked[i])})
		if err != nil {
			panic(err) // no question can be one that Cerbos does not understand
		}
		answers[i] = out[0].Actions[q.Asked[i].Operation.ID()].Effect == effectv1.Effect_EFFECT_ALLOW
	}
}

func (e *Engine) input(q *entitlement.Request) *enginev1.CheckInput {
	in := &enginev1.CheckInput{Principal: e.nobody, Actions: []string{q.Operation.ID()}}
	attributes := make(map[string]*structpb.Value, 4)
	attributes["grant"] = e.nothing
	if m := e.members[q.Member]; m != nil {
		in.Principal = m.principal
		if grant := m.accounts[q.Account]; grant != nil {
			attributes["grant"] = grant
		}
		if q.ToAccount != "" {
			attributes["to"] = e.nothing
			attributes["other"] = structpb.NewBoolValue(q.ToAccount != q.Account)
			if to := m.accounts[q.ToAccount]; to != nil {
				attributes["to"] = to
			}
		}
	}
	if amount, given := q.Amount.Cents(); given {
		attributes["amount"] = structpb.NewNumberValue(float64(amount))
	}
	in.Resource = &enginev1.Resource{Kind: "account", Id: string(q.Account), Attr: attributes}
	return in
}
