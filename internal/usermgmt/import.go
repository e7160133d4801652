package usermgmt

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// An ImportedOrganization is one organization as the bank's own system has it,
// with all that is imported of it at once. Things are known by their external
// ids. What it does not mention stays as it is stored, and nothing is deleted.
type ImportedOrganization struct {
	Organization
	Fields   ImportFields
	Set      catalog.Set // the entitlements' switches and the ceilings that are given
	Accounts []ImportedAccount
	Members  []ImportedMember
}

// An ImportedAccount is an account with what is given of it.
type ImportedAccount struct {
	Account
	Fields ImportFields
	Set    catalog.Set // the entitlements' switches that are given
}

// An ImportedMember is a member with what is given of them.
type ImportedMember struct {
	Member
	Fields ImportFields
	Set    catalog.Set // the user-level permissions that are given
	Access []ImportedAccess
}

// An ImportedAccess is what a member may do on one account.
type ImportedAccess struct {
	Account  int // in the organization's Accounts
	Settings entitlement.Settings
	Set      catalog.Set // the account-level permissions that are given
}

// ImportFields are the details that are given, of those that need not be.
type ImportFields uint16

const (
	GivesAddress ImportFields = 1 << iota
	GivesPhone
	GivesEmail
	GivesNumber
	GivesKind
	GivesUsername
	GivesRole
	GivesStatus
	GivesHeld
)

// Has reports whether the detail is given.
func (f ImportFields) Has(field ImportFields) bool { return f&field != 0 }

// ImportInstitution stores a new institution, or brings a stored one to what in
// says. It reports whether that changed anything. An institution never changes
// its edition.
func ImportInstitution(ctx context.Context, g *guard.Guard, caller bank.Caller, in Institution, creates bool) (changed bool, err error) {
	action := guard.Action{
		Event:   "institution.changed",
		Target:  activity.Target{Kind: activity.TargetInstitution, ID: string(in.ID), Name: in.Name},
		Others:  []bank.ActorKind{bank.ActorOperator},
		Creates: creates,
	}
	if creates {
		action.Event = "institution.created"
	}
	err = g.Do(ctx, caller, action, func(c *guard.Change) error {
		var changes []activity.Change
		if creates {
			changes = institutionChanges(Institution{}, in)
			err = CreateInstitution(c.Tx, in)
		} else {
			changes, err = updateInstitution(c.Tx, in)
		}
		if err != nil {
			return err
		}
		if changed = len(changes) > 0; changed {
			c.Record(changes...)
		}
		return nil
	})
	return changed && err == nil, err
}

func updateInstitution(tx *db.Tx, in Institution) ([]activity.Change, error) {
	stored, found, err := FindInstitution(tx, in.ID)
	if err != nil || !found {
		return nil, fmt.Errorf("read the institution %s (found: %t): %w", in.ID, found, err)
	}
	if stored.Edition != in.Edition {
		return nil, fault.Newf(fault.Conflict, "The institution %s is stored as %s and cannot become %s.", in.ID, stored.Edition, in.Edition)
	}
	changes := institutionChanges(stored, in)
	if len(changes) == 0 {
		return nil, nil
	}
	_, err = tx.Exec(`update institution set name = $1, time_zone = $2, offers = $3, accent = $4 where id = $5`,
		in.Name, in.TimeZone, in.Offers, in.Accent, in.ID)
	if err != nil {
		return nil, fmt.Errorf("store the institution %s: %w", in.ID, err)
	}
	return changes, nil
}

// ImportOrganization brings one organization to what in says, all of it or
// nothing, and returns what that took. plan is what PlanImport said of it; the
// plan is made again here, with the organization locked, so that nothing that
// changed in between is lost.
func ImportOrganization(ctx context.Context, g *guard.Guard, caller bank.Caller, in *ImportedOrganization, id bank.OrganizationID, creates bool) (*ImportPlan, error) {
	var plan *ImportPlan
	action := guard.Action{
		Event:        "org.profile_changed",
		Organization: id,
		Target:       activity.Target{Kind: activity.TargetOrganization, ID: string(id), Name: in.Name},
		Others:       []bank.ActorKind{bank.ActorOperator},
		Creates:      creates,
	}
	if creates {
		action.Event = "org.created"
	}
	err := g.Do(ctx, caller, action, func(c *guard.Change) (err error) {
		if plan, _, err = planImport(c.Tx, caller.Institution, in); err != nil {
			return err
		}
		if plan.Creates != creates {
			return fault.Newf(fault.Conflict, "The organization %s was changed by somebody else meanwhile. Import again.", in.ExternalID)
		}
		if creates {
			plan.ID = id
		}
		if len(plan.Problems) > 0 {
			p := plan.Problems[0]
			return fault.Newf(fault.Conflict, "The organization %s was changed by somebody else meanwhile: %s. Import again.", in.ExternalID, p.Wrong)
		}
		return plan.apply(c)
	})
	if db.IsUnique(err, "member_username") {
		return nil, fault.Newf(fault.Conflict, "Somebody was given a username meanwhile that the organization %s brings. Import again.", in.ExternalID).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return plan, nil
}

// apply stores what the plan found to differ and records it, one event per
// target.
func (p *ImportPlan) apply(c *guard.Change) error {
	if err := p.storeOrganization(c.Tx); err != nil {
		return err
	}
	if err := p.storeAccounts(c.Tx); err != nil {
		return err
	}
	if err := p.storeMembers(c.Tx, c.Revision()+1); err != nil {
		return err
	}
	if err := p.storeAccess(c.Tx); err != nil {
		return err
	}
	p.record(c)
	return nil
}
