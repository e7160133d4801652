package usermgmt

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// OrganizationRights are what an organization as a whole has: its entitlements,
// and how much anybody there may be given at most.
type OrganizationRights struct {
	Entitlements catalog.EntitlementSet
	Ceilings     entitlement.Limits
	Off          AccountsOff // per account; of credit unions
}

// rightsNow is what an organization has, with what is off on its accounts.
func rightsNow(o *Organization, accounts []Account) OrganizationRights {
	off := map[bank.AccountID]catalog.EntitlementSet{}
	for _, a := range accounts {
		off[a.ID] = a.Off
	}
	return OrganizationRights{o.Entitlements, o.Ceilings, accountsOff(off)}
}

// An Overseer says whose agreement a staff user's change of an organization
// needs, and whether that staff user may make it at all.
type Overseer interface {
	Oversight(tx *db.Tx, institution bank.InstitutionID, staff bank.StaffID, right string) (o approval.Oversight, may bool, err error)
}

// WithOversight has the changes that staff make to organizations wait in a
// queue for whom the overseer names. Without it none waits.
func (s *Service) WithOversight(o Overseer, queue *approval.Service, teller approval.StaffTeller) *Service {
	s.overseer, s.queue = o, queue
	queue.AddStaff(changeKind, organizationChanges{o}, teller)
	return s
}

// SwitchEntitlement gives an organization an entitlement or takes it away.
// Members keep their values: they mean nothing while it is off, and are back
// when it is on again. Where it waits for somebody's agreement, the item says so.
func (s *Service) SwitchEntitlement(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, e catalog.Entitlement, on bool) (waits approval.Item, err error) {
	return s.changeOrganization(ctx, caller, organization, func(_ *guard.Change, now OrganizationRights) (OrganizationRights, error) {
		if now.Entitlements = now.Entitlements.Without(e); on {
			now.Entitlements = now.Entitlements.With(e)
		}
		return now, nil
	})
}

// ChangeOrganization changes what an organization has, all of it or nothing,
// from what the caller has seen to what it shall be; what is off on its accounts
// stays (ChangeAccount). Where it waits for
// somebody's agreement, nothing is changed yet, and the item says so.
func (s *Service) ChangeOrganization(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, was, will OrganizationRights) (waits approval.Item, err error) {
	return s.changeOrganization(ctx, caller, organization, func(_ *guard.Change, now OrganizationRights) (OrganizationRights, error) {
		return freshly(now, asWhole(was, will))
	})
}

// asWhole changes what the organization as a whole has.
func asWhole(was, will OrganizationRights) func(OrganizationRights) (before, after OrganizationRights) {
	return func(now OrganizationRights) (before, after OrganizationRights) {
		was.Off, will.Off = now.Off, now.Off
		return was, will
	}
}

// freshly is what it shall be, unless it is not what somebody has seen any more.
func freshly(now OrganizationRights, to func(OrganizationRights) (before, after OrganizationRights)) (OrganizationRights, error) {
	before, after := to(now)
	if now != before {
		return now, fault.New(fault.Conflict, "Somebody else changed this meanwhile, so nothing was saved. Look at it as it is now and try again.").With("STALE")
	}
	return after, nil
}

const eventOrganization = "org.entitlement_changed"

func (s *Service) changeOrganization(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, to func(*guard.Change, OrganizationRights) (OrganizationRights, error)) (waits approval.Item, err error) {
	action := guard.Action{
		Event: eventOrganization, Organization: organization, Staff: staffManage, Others: []bank.ActorKind{bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(organization)},
	}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		waits = approval.Item{}
		o, err := FindOrganization(c.Tx, caller.Institution, organization)
		if err != nil {
			return err
		}
		accounts, err := accountsByName(c.Tx, o.Num)
		if err != nil {
			return err
		}
		was := rightsNow(&o, accounts)
		will, err := to(c, was)
		if err != nil || will == was {
			return err
		}
		if err := will.check(c.Policy, was); err != nil {
			return err
		}
		if will.raises(was) {
			if err := c.RequireProof([]byte(will.text())); err != nil {
				return err
			}
		}
		waiting, err := s.mustWait(c, o.Name, was, will)
		if err != nil || waiting.ID != "" {
			waits = waiting
			return err
		}
		return storeOrganizationRights(c, o.Name, "", was, will)
	})
	return waits, err
}

// mustWait has a change wait where staff make it and somebody must agree.
func (s *Service) mustWait(c *guard.Change, name string, was, will OrganizationRights) (approval.Item, error) {
	if s.overseer == nil || c.Caller.Kind != bank.ActorStaff {
		return approval.Item{}, nil
	}
	o, _, err := s.overseer.Oversight(c.Tx, c.Caller.Institution, bank.StaffID(c.Caller.ID), staffManage)
	if err != nil || o.Group == "" {
		return approval.Item{}, err
	}
	ref, err := insertOrganizationChange(c, was, will)
	if err != nil {
		return approval.Item{}, err
	}
	item, err := s.queue.AskStaffIn(c, changeKind, ref)
	if err != nil {
		return approval.Item{}, err
	}
	target := activity.Target{Kind: activity.TargetOrganization, ID: string(c.Policy.Organization.ID), Name: name}
	c.RecordQuiet(eventChangeAsked, target, "Waits for "+o.Name, was.changes(will)...)
	return item, nil
}

func storeOrganizationRights(c *guard.Change, name, note string, was, will OrganizationRights) error {
	id := c.Policy.Organization.ID
	if err := SetOrganizationPolicy(c.Tx, c.Caller.Institution, id, will.Entitlements, will.Ceilings); err != nil {
		return err
	}
	if err := setAccountsOff(c.Tx, c.Caller.Institution, id, was.Off, will.Off); err != nil {
		return err
	}
	c.RecordAs(eventOrganization, activity.Target{Kind: activity.TargetOrganization, ID: string(id), Name: name}, note, was.changes(will)...)
	return nil
}

// check refuses what an organization cannot have. What it had before may stay.
func (r OrganizationRights) check(p *entitlement.Policy, was OrganizationRights) error {
	var problems fault.Problems
	for _, e := range catalog.EntitlementsIn(r.Entitlements &^ was.Entitlements) {
		if !e.In(p.Institution.Edition) || !p.Institution.Offers.Has(e) {
			problems.Addf(e.Enabled().ID(), "The institution does not offer %s.", e.Label())
		}
	}
	for limit := range catalog.LimitCount {
		if amount, set := r.Ceilings.Get(limit); set && amount < 0 {
			problems.Add("ceiling."+limit.Permission().ID(), "Enter an amount such as $25,000.00, or nothing.")
		}
	}
	r.checkAccounts(&problems, p.Institution.Edition, was)
	return problems.Err("What the organization has cannot be saved like this.")
}

// raises reports whether anybody may be given more than before.
func (r OrganizationRights) raises(was OrganizationRights) bool {
	if r.Entitlements&^was.Entitlements != 0 {
		return true
	}
	for limit := range catalog.LimitCount {
		before, had := was.Ceilings.Get(limit)
		after, has := r.Ceilings.Get(limit)
		if had && (!has || after > before) {
			return true
		}
	}
	for _, change := range was.Off.differing(r.Off) {
		if change.on {
			return true
		}
	}
	return false
}

// changes lists what differs, as the history keeps it.
func (r OrganizationRights) changes(will OrganizationRights) []activity.Change {
	var l changeList
	for _, e := range catalog.Entitlements() {
		l.add(e.Enabled().ID(), word(r.Entitlements.Has(e)), word(will.Entitlements.Has(e)))
	}
	for limit := range catalog.LimitCount {
		l.add("ceiling."+limit.Permission().ID(), limitText(r.Ceilings, limit), limitText(will.Ceilings, limit))
	}
	return append(l, r.accountChanges(will)...)
}

// sentences say what a change means, each with the value that was and the one
// that will be; what lets people do more comes first.
func (r OrganizationRights) sentences(will OrganizationRights, accounts []Account) (lines []approval.Line) {
	lines, fewer := r.accountSentences(will, accounts)
	for _, e := range catalog.Entitlements() {
		switch before, after := r.Entitlements.Has(e), will.Entitlements.Has(e); {
		case after && !before:
			lines = append(lines, approval.Line{Term: e.Label(), Value: "The organization gets " + e.Label() + ". Its members can be given it, and those who have it set can use it at once."})
		case before && !after:
			fewer = append(fewer, approval.Line{Term: e.Label(), Value: "The organization loses " + e.Label() + ". None of its members can use it."})
		}
	}
	for limit := range catalog.LimitCount {
		before, had := r.Ceilings.Get(limit)
		after, has := will.Ceilings.Get(limit)
		if had == has && before == after {
			continue
		}
		line := approval.Line{Term: limit.Permission().Info().Label, Value: fmt.Sprintf("The ceiling goes from %s to %s.", ceilingWords(before, had), ceilingWords(after, has))}
		if had && (!has || after > before) {
			lines = append(lines, line)
		} else {
			fewer = append(fewer, line)
		}
	}
	return append(lines, fewer...)
}

func ceilingWords(amount bank.Cents, set bool) string {
	if !set {
		return "none"
	}
	return amount.Dollars()
}

func word(on bool) string {
	if on {
		return "true"
	}
	return "false"
}
