package usermgmt

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// A Profile is a member with everything that their page shows.
type Profile struct {
	Member       Member
	Organization Organization
	Accounts     []MemberAccount // all of the organization's accounts, by name
	Policy       *entitlement.Policy
	Revision     int64
}

// A MemberAccount is an account of the organization and what the member may do
// on it.
type MemberAccount struct {
	Account
	Settings entitlement.Settings
}

// Access reports whether the member sees the account.
func (a MemberAccount) Access() bool { return a.Settings.On.Has(catalog.AccountAccess) }

// Enabled counts the accounts that the member sees.
func (p *Profile) Enabled() (n int) {
	for _, a := range p.Accounts {
		if a.Access() {
			n++
		}
	}
	return n
}

// Names are what a page about the member calls the parties.
func (p *Profile) Names(institution string) entitlement.Names {
	byID := make(map[bank.AccountID]string, len(p.Accounts))
	for _, a := range p.Accounts {
		byID[a.ID] = a.Name
	}
	return entitlement.Names{
		Member: p.Member.Name(), Organization: p.Organization.Name, Institution: institution,
		Account: func(id bank.AccountID) string { return byID[id] },
	}
}

// Profile reads a member's page. A caller may always see their own.
func (s *Service) Profile(ctx context.Context, caller bank.Caller, p Person) (profile Profile, err error) {
	action := looking(p, catalog.ViewProfile, entitlement.Scope{Members: []bank.UserID{p.User}, AllAccounts: true})
	action.Self = true
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		profile, err = readProfile(v, caller.Institution, p)
		return err
	})
	return profile, err
}

func loadProfile(tx *db.Tx, institution bank.InstitutionID, p Person) (profile Profile, err error) {
	if profile.Organization, err = FindOrganization(tx, institution, p.Organization); err != nil {
		return profile, err
	}
	if profile.Member, err = findMember(tx, profile.Organization.Num, p.User); err != nil {
		return profile, err
	}
	profile.Accounts, err = accountsOf(tx, profile.Organization.Num)
	return profile, err
}

// accountsOf are the accounts of an organization, without what anybody may do on
// them.
func accountsOf(tx *db.Tx, num int64) ([]MemberAccount, error) {
	all, err := db.All(tx, func(s db.Scanner) (a MemberAccount, err error) {
		err = s.Scan(&a.Ordinal, &a.ID, &a.ExternalID, &a.Name, &a.Number, &a.Kind, &a.Off)
		return a, err
	}, `select ordinal, id, external_id, name, number, kind, off from account where organization_num = $1 order by name_key, ordinal`,
		num)
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	return all, nil
}

// History reads a member's part of the organization's history, newest first.
func (s *Service) History(ctx context.Context, caller bank.Caller, p Person, f activity.Filter) (events []activity.Event, err error) {
	err = s.guard.Look(ctx, caller, looking(p, catalog.ViewUsers, entitlement.Scope{}), func(v *guard.View) error {
		f.Institution, f.Organization = caller.Institution, p.Organization
		if p.User != "" {
			f.Target = string(p.User)
		}
		events, err = s.discreet(v, caller.Member(), f)
		return err
	})
	return events, err
}

// Explain answers a question about a member with its proof, counting what is
// used already on the day that it is about.
func (s *Service) Explain(ctx context.Context, caller bank.Caller, p Person, req entitlement.Request) (e entitlement.Explanation, profile Profile, err error) {
	action := looking(p, catalog.ViewPermissions, entitlement.Scope{Members: []bank.UserID{p.User}, AllAccounts: true})
	action.Self = true
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		if profile, err = loadProfile(v.Tx, caller.Institution, p); err != nil {
			return err
		}
		profile.Policy, profile.Revision = v.Policy, v.Revision
		req.Member, req.Now = p.User, v.Tx.Now
		if req.Used, err = usage.For(v.Tx, v.Policy, req); err != nil {
			return err
		}
		e = entitlement.Explain(v.Policy, req)
		return nil
	})
	return e, profile, err
}

// Mine reads what a member sees of themself: their profile with the accounts
// they have access to. Nobody needs a right to that.
func (s *Service) Mine(ctx context.Context, caller bank.Caller) (Profile, error) {
	profile, err := s.Profile(ctx, caller, Person{Organization: caller.Organization, User: caller.Member()})
	if err != nil {
		return Profile{}, err
	}
	seen := profile.Accounts[:0:0]
	for _, a := range profile.Accounts {
		if a.Access() {
			seen = append(seen, a)
		}
	}
	profile.Accounts = seen
	return profile, nil
}
