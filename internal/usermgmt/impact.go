package usermgmt

import (
	"context"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// An OpenItem is something under way that depends on a person.
type OpenItem struct {
	Operation catalog.Operation
	Ref       string // what the institution calls it
	Account   bank.AccountID
	Amount    bank.Cents
	Approval  bool // it waits for a second person; otherwise it waits to be released
}

// Work is what the room needs of those who move money: what is under way in
// somebody's name.
type Work interface {
	OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]OpenItem, error)
}

// WithWork tells the room what is under way. Without it nothing is known to be.
func (s *Service) WithWork(w Work) *Service {
	s.work = w
	return s
}

// An Impact is what is lost with a person.
type Impact struct {
	Profile   Profile
	LastAdmin bool // they are the only one who can administer, so they must stay
	Self      bool
	SignIns   int
	Invited   bool // an invitation is open
	Open      []OpenItem
	Reach     []entitlement.Reach // what they may do now, and nobody will in their place
}

// Impact reads what deleting a person would end. It changes nothing.
func (s *Service) Impact(ctx context.Context, caller bank.Caller, p Person) (impact Impact, err error) {
	scope := entitlement.Scope{Members: []bank.UserID{p.User}, AllAccounts: true}
	err = s.guard.Look(ctx, caller, looking(p, catalog.DeleteUser, scope), func(v *guard.View) error {
		if impact.Profile, err = readProfile(v, caller.Institution, p); err != nil {
			return err
		}
		impact.Self = caller.Member() == p.User
		impact.LastAdmin = slices.Equal(v.Policy.UsableAdmins, []bank.UserID{p.User})
		impact.Reach = entitlement.ReachOf(v.Policy, p.User, v.Tx.Now)
		who := identity.Member(caller.Institution, p.User)
		open, err := identity.SignIns(v.Tx, who)
		if err != nil {
			return err
		}
		impact.SignIns = len(open)
		link, found, err := identity.Newest(v.Tx, who, identity.PurposeInvitation)
		if err != nil {
			return err
		}
		impact.Invited = found && link.Fresh()
		if s.work != nil {
			impact.Open, err = s.work.OpenOf(v.Tx, caller.Institution, p.Organization, p.User)
		}
		return err
	})
	return impact, err
}
