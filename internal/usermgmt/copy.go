package usermgmt

import (
	"context"
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A CopyPart says what of a colleague is taken over.
type CopyPart string

const (
	CopyAll         CopyPart = ""            // permissions and accounts
	CopyPermissions CopyPart = "permissions" // the user level alone
	CopyAccounts    CopyPart = "accounts"    // the accounts, and what may be done on each
)

// A Copy is what a member would have after taking over what a colleague has.
type Copy struct {
	Source, Target Profile
	Edit           Edit // what can be given, ready to be saved
	Preview        Preview
	After          *entitlement.Policy
	Dropped        []LevelProblem // what the colleague has and the caller may not give, and why
}

// CopyFrom previews that a member takes over what a colleague has. Whatever
// this caller may not give is left out and said. Administration is never
// copied. It changes nothing.
func (s *Service) CopyFrom(ctx context.Context, caller bank.Caller, to Person, from bank.UserID, part CopyPart) (out Copy, err error) {
	if from == to.User {
		return Copy{}, errSelfCopy
	}
	scope := entitlement.Scope{Members: []bank.UserID{to.User, from}, AllAccounts: true}
	err = s.guard.Look(ctx, caller, looking(to, catalog.ViewPermissions, scope), func(v *guard.View) error {
		if out.Target, err = readProfile(v, caller.Institution, to); err != nil {
			return err
		}
		if out.Source, err = readProfile(v, caller.Institution, Person{Organization: to.Organization, User: from}); err != nil {
			return err
		}
		req := entitlement.Request{Now: v.Tx.Now}
		edit := Edit{Person: to, Version: out.Target.Member.Version, Cascade: true, Changes: part.of(CopyOf(&out.Source, &out.Target))}
		out.Edit, out.Dropped = fitting(v.Policy, caller, edit, req)
		out.Preview, out.After = judge(v.Policy, caller, out.Edit, req)
		out.Preview.Before = entitlement.ReachOf(v.Policy, to.User, req.Now)
		out.Preview.After = entitlement.ReachOf(out.After, to.User, req.Now)
		return nil
	})
	return out, err
}

func (part CopyPart) of(changes []entitlement.Change) []entitlement.Change {
	return slices.DeleteFunc(changes, func(c entitlement.Change) bool {
		return part == CopyPermissions && c.Account != "" || part == CopyAccounts && c.Account == ""
	})
}

// fitting leaves out of an edit what the rules refuse to this caller, until the
// rest can be saved, and returns what was left out with the first reason.
func fitting(p *entitlement.Policy, caller bank.Caller, e Edit, req entitlement.Request) (Edit, []LevelProblem) {
	e.Changes = cloned(e.Changes)
	var dropped []LevelProblem
	for {
		preview, _ := judge(p, caller, e, req)
		problems := preview.Problems()
		left := 0
		for _, problem := range problems {
			if e.drop(problem) {
				dropped = append(dropped, problem)
				left++
			}
		}
		if left == 0 {
			return e, append(dropped, whole(problems)...)
		}
	}
}

// drop leaves out what a problem is about, and reports whether it was there.
func (e *Edit) drop(problem LevelProblem) bool {
	for i, change := range e.Changes {
		if change.Account != problem.Account {
			continue
		}
		if _, named := change.Set[problem.Permission]; !named {
			return false
		}
		delete(change.Set, problem.Permission)
		if len(change.Set) == 0 {
			e.Changes = slices.Delete(e.Changes, i, i+1)
		}
		return true
	}
	return false
}

// whole are the problems that nothing can be left out for: the caller may not
// change these permissions at all.
func whole(problems []LevelProblem) []LevelProblem {
	if len(problems) == 0 {
		return nil
	}
	return problems[:1]
}

func cloned(changes []entitlement.Change) []entitlement.Change {
	clones := slices.Clone(changes)
	for i := range clones {
		clones[i].Set = maps.Clone(clones[i].Set)
	}
	return clones
}

// readProfile is loadProfile with the accounts' settings of the policy at hand.
func readProfile(v *guard.View, institution bank.InstitutionID, p Person) (Profile, error) {
	profile, err := loadProfile(v.Tx, institution, p)
	profile.Policy, profile.Revision = v.Policy, v.Revision
	if err != nil {
		return profile, err
	}
	m := v.Policy.Members[p.User]
	if m == nil {
		return profile, ErrNoMember
	}
	for i, a := range profile.Accounts {
		profile.Accounts[i].Settings = m.Accounts[a.ID]
	}
	return profile, nil
}

// errSelfCopy refuses what means nothing.
var errSelfCopy = fault.New(fault.Invalid, "Choose a colleague: nobody takes over from themself.")
