package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/pdp"
	"mandate/internal/pdp/memory"
	"mandate/internal/usermgmt"
)

// A run is one vector under way: its world in the database, its clock, and the
// product's own way to each verb.
type run struct {
	*place
	ctx            context.Context
	db             *db.DB
	clock          *Clock
	authorizations *authorization.Service
	memory         *memory.Memory
}

func newRun(ctx context.Context, d *db.DB, c *Clock, m *memory.Memory) *run {
	door := guard.New(d, usermgmt.LoadPolicy, nil, nil)
	return &run{ctx: ctx, db: d, clock: c, authorizations: authorization.New(d, door, 0), memory: m}
}

// begin puts the clock and the world in place.
func (r *run) begin(w *World) error {
	r.clock.set(w.Now)
	return r.db.Write(r.ctx, func(tx *db.Tx) (err error) {
		r.place, err = load(tx, w)
		return err
	})
}

// step asks or changes what the step says, and returns what came out; nothing
// comes of a change of the world.
func (r *run) step(s *Step) (*answer, error) {
	switch s.Verb {
	case "decide":
		return r.decide(s)
	case "authorize", "approve", "confirm", "void":
		return r.authorization(s)
	case "edit":
		return r.edit(s)
	case "organization":
		return nil, r.organizationTurn(&s.World)
	case "member":
		return nil, r.memberTurn(bank.UserID(s.Member), &s.World)
	case "advance":
		r.clock.advance(s.World.Advance)
		return nil, nil
	}
	return nil, fmt.Errorf("there is no verb %q", s.Verb)
}

func (a *Ask) asked() authorization.Asked {
	return authorization.Asked{Member: bank.UserID(a.Member), Operation: a.Operation, Account: bank.AccountID(a.Account),
		ToAccount: bank.AccountID(a.ToAccount), Amount: entitlement.ReadAmount(a.Amount), Context: a.Context}
}

func (r *run) decide(s *Step) (*answer, error) {
	var d entitlement.Decision
	asked := s.Ask.asked()
	err := r.db.Read(r.ctx, func(tx *db.Tx) error {
		p, err := usermgmt.LoadPolicy(tx, r.institution, r.organization, asked.Scope())
		if err != nil {
			return err
		}
		d, err = authorization.Decide(tx, p, asked)
		return err
	})
	if err != nil {
		return nil, err
	}
	remembered, err := r.remembered(&asked)
	if err == nil && decided(remembered, true).String() != decided(d, true).String() {
		err = fmt.Errorf("memory answers %s, the engine %s", decided(remembered, true), decided(d, true))
	}
	return decided(d, true), err
}

// remembered asks the decision service, which answers from memory. Turns of a
// vector change the tables past the door, so that all is read anew.
func (r *run) remembered(asked *authorization.Asked) (entitlement.Decision, error) {
	r.memory.Forget()
	a, err := pdp.New(r.memory, usermgmt.DecisionSources(), nil).Decide(r.ctx, r.institution, pdp.Question{
		Member: asked.Member, Organization: r.organization, Operation: asked.Operation, Account: asked.Account, ToAccount: asked.ToAccount,
		Amount: asked.Amount, Context: asked.Context,
	})
	return a.Decision, err
}

// caller is the payment system that a vector's references belong to.
func (r *run) caller() bank.Caller {
	return bank.Caller{Kind: bank.ActorClient, ID: "conformance", Name: "Conformance", Institution: r.institution, Channel: bank.ChannelAPI}
}

func (r *run) authorization(s *Step) (*answer, error) {
	var a authorization.Answer
	var err error
	switch s.Verb {
	case "authorize":
		a, err = r.authorizations.Authorize(r.ctx, r.caller(), r.organization, s.Ref, s.Ask.asked())
	case "approve":
		a, err = r.authorizations.Approve(r.ctx, r.caller(), s.Ref, bank.UserID(s.Member))
	case "confirm":
		a, err = r.authorizations.Confirm(r.ctx, r.caller(), s.Ref)
	case "void":
		a, err = r.authorizations.Void(r.ctx, r.caller(), s.Ref)
	}
	return decided(a.Decision, s.Verb == "authorize"), err
}

func (r *run) edit(s *Step) (*answer, error) {
	e := &s.Edit
	change := entitlement.Change{Member: bank.UserID(e.Member), Account: bank.AccountID(e.Account), Cascade: e.Cascade, Set: map[string]entitlement.Value{}}
	for id, value := range e.Set {
		change.Set[id] = readValue(id, value)
	}
	var outcome entitlement.Outcome
	err := r.db.Write(r.ctx, func(tx *db.Tx) error {
		p, err := usermgmt.LoadPolicy(tx, r.institution, r.organization, entitlement.Scope{AllMembers: true, AllAccounts: true})
		if err != nil {
			return err
		}
		outcome = entitlement.Edit(p, bank.UserID(e.Actor), change, entitlement.Request{Now: tx.Now})
		if !outcome.Accepted() {
			return nil
		}
		return r.store(tx, change, outcome.Settings)
	})
	return edited(outcome), err
}

// readValue reads a value of whatever permission the name may be; the rules of
// editing judge both.
func readValue(id string, value any) entitlement.Value {
	p, known := catalog.ParsePermission(id)
	if !known {
		return entitlement.Value{}
	}
	return entitlement.ReadValue(p, value)
}

func (r *run) store(tx *db.Tx, change entitlement.Change, settings entitlement.Settings) error {
	member := r.members[change.Member]
	if change.Account != "" {
		return usermgmt.SetMemberAccount(tx, r.num, member, r.accounts[change.Account], settings)
	}
	return usermgmt.SetMemberSettings(tx, r.num, member, settings, 0)
}

func (r *run) organizationTurn(turn *Turn) error {
	return r.db.Write(r.ctx, func(tx *db.Tx) error {
		o, err := usermgmt.FindOrganization(tx, r.institution, r.organization)
		if err != nil {
			return err
		}
		if turn.Entitlements != nil {
			o.Entitlements = readEntitlements(*turn.Entitlements)
		}
		if turn.Ceilings != nil {
			if o.Ceilings, err = readLimits(*turn.Ceilings); err != nil {
				return err
			}
		}
		return usermgmt.SetOrganizationPolicy(tx, r.institution, r.organization, o.Entitlements, o.Ceilings)
	})
}

func (r *run) memberTurn(id bank.UserID, turn *Turn) error {
	return r.db.Write(r.ctx, func(tx *db.Tx) error {
		p, err := usermgmt.LoadPolicy(tx, r.institution, r.organization, entitlement.Scope{Members: []bank.UserID{id}})
		if err != nil {
			return err
		}
		m := p.Members[id]
		if m == nil {
			return fmt.Errorf("the world has no member %q", id)
		}
		if err := turn.apply(m); err != nil {
			return err
		}
		return usermgmt.SetMemberStanding(tx, r.num, r.members[id], m.Role, m.Status, m.Held)
	})
}

// apply makes the change in a member, or in none at all where it cannot be
// made.
func (t *Turn) apply(m *entitlement.Member) error {
	changed := *m
	var roleErr, statusErr error
	if t.Held != nil {
		changed.Held = *t.Held
	}
	if t.Role != nil {
		changed.Role, roleErr = bank.ParseRole(*t.Role)
	}
	if t.Status != nil {
		changed.Status, statusErr = bank.ParseStatus(*t.Status)
	}
	if err := errors.Join(roleErr, statusErr); err != nil {
		return err
	}
	*m = changed
	return nil
}

// check refuses a change that no world could have.
func (t *Turn) check() error {
	if t.Ceilings != nil {
		if _, err := readLimits(*t.Ceilings); err != nil {
			return err
		}
	}
	return t.apply(&entitlement.Member{})
}

// decided and edited write answers as files do.
func decided(d entitlement.Decision, withApproval bool) *answer {
	a := &answer{Decision: &d.Allowed, Reasons: &[]Reason{}}
	if withApproval {
		a.ApprovalRequired = &d.ApprovalRequired
	}
	for _, r := range d.Reasons {
		*a.Reasons = append(*a.Reasons, Reason{string(r.Code), r.Level.String(), r.Permission.String(), string(r.Account)})
	}
	return a
}

func edited(o entitlement.Outcome) *answer {
	accepted := o.Accepted()
	a := &answer{Accepted: &accepted, Problems: &[]Problem{}, TurnedOff: &[]string{}}
	for _, p := range o.Problems {
		*a.Problems = append(*a.Problems, Problem{string(p.Code), p.Permission, p.Needs.String()})
	}
	for _, p := range o.TurnedOff {
		*a.TurnedOff = append(*a.TurnedOff, p.ID())
	}
	slices.Sort(*a.TurnedOff)
	return a
}
