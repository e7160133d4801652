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
	Title   string // as its room calls it, such as "Transfer of $5.00"
	Ref     string // what another system calls it; may be empty
	Account bank.AccountID
	Ends    Ending
	Day     bank.Day // of what is scheduled
}

// An Ending is why something cannot go on without the person.
type Ending uint8

const (
	WaitsForSecond  Ending = iota // it waits for a second person, and whoever made it is judged again
	WaitsForRelease               // it waits to be released in their name
	Scheduled                     // it goes out on a later day, on their right
	Repeats                       // it goes out again and again, on their right
	NobodyElse                    // it waits for an approval that nobody else may give
)

// Work is what the room needs of those who move money: what is under way in
// somebody's name.
type Work interface {
	OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, user bank.UserID) ([]OpenItem, error)
}

// WithWork tells the room what is under way, from everybody who knows of some.
func (s *Service) WithWork(works ...Work) *Service {
	s.works = append(s.works, works...)
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
		for _, work := range s.works {
			open, err := work.OpenOf(v.Tx, caller.Institution, p.Organization, p.User)
			if err != nil {
				return err
			}
			impact.Open = append(impact.Open, open...)
		}
		return nil
	})
	return impact, err
}
