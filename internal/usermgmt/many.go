package usermgmt

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Bounds of one save: people, and people times accounts.
const (
	MaxMany       = 500
	MaxManyLevels = 20_000
)

// Edits are one save of several members of one organization.
type Edits struct {
	Organization bank.OrganizationID
	Edits        []Edit // at most one for each member
	Needs        bool   // of a preview: bring along the switches that what is turned on needs
}

// A MemberPreview is what Edits would do to one of the members.
type MemberPreview struct {
	Member  Member
	Edit    Edit // as it could be saved; the version is of the member as they are now
	Preview Preview
}

// PreviewMany judges edits of several members, in the order in which they would
// be saved. It changes nothing.
func (s *Service) PreviewMany(ctx context.Context, caller bank.Caller, edits Edits) (previews []MemberPreview, err error) {
	err = s.guard.Look(ctx, caller, edits.action(catalog.ViewPermissions), func(v *guard.View) error {
		o, err := FindOrganization(v.Tx, caller.Institution, edits.Organization)
		if err != nil {
			return err
		}
		policy := v.Policy
		for _, e := range edits.ordered(caller) {
			member, err := findMember(v.Tx, o.Num, e.Person.User)
			if err != nil {
				return err
			}
			req := entitlement.Request{Now: v.Tx.Now}
			if edits.Needs {
				e = withNeeds(policy, caller, e, req)
			}
			p := MemberPreview{Member: member, Edit: e}
			var after *entitlement.Policy
			p.Preview, after = judge(policy, caller, e, req)
			if p.Edit.Version = member.Version; len(p.Preview.Problems()) == 0 {
				policy = after
			}
			previews = append(previews, p)
		}
		return nil
	})
	return previews, err
}

// withNeeds adds to an edit the switches that what it turns on needs, as far as
// it does not say otherwise itself. Amounts are for people to choose.
func withNeeds(p *entitlement.Policy, caller bank.Caller, e Edit, req entitlement.Request) Edit {
	e.Changes = cloned(e.Changes)
	for range catalog.PermissionCount {
		preview, _ := judge(p, caller, e, req)
		added := false
		for _, problem := range preview.Problems() {
			if problem.Code == entitlement.Prerequisite && !problem.Needs.IsLimit() {
				added = e.turnOn(problem.Account, problem.Needs) || added
			}
		}
		if !added {
			break
		}
	}
	return e
}

// turnOn sets a switch of a level that the edit changes, unless it is set.
func (e *Edit) turnOn(account bank.AccountID, p catalog.Permission) bool {
	for _, change := range e.Changes {
		if _, said := change.Set[p.ID()]; change.Account == account && !said {
			change.Set[p.ID()] = entitlement.SwitchTo(true)
			return true
		}
	}
	return false
}

// SaveMany saves edits of several members: every one is judged on what those
// before it leave, and all are stored, with one history event for each member,
// or nothing is.
func (s *Service) SaveMany(ctx context.Context, caller bank.Caller, edits Edits) error {
	if err := edits.check(); err != nil {
		return err
	}
	action := edits.action(edits.operation())
	var err error
	if action.Staff, err = s.staffSaving(ctx, caller, edits.Edits...); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		o, err := FindOrganization(c.Tx, caller.Institution, edits.Organization)
		if err != nil {
			return err
		}
		all, err := s.weighAll(c, o.Num, edits)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(w weighed) bool { return w.preview.Risky }) {
			if err := c.RequireProof(edits.Digest()); err != nil {
				return err
			}
		}
		return storeAll(c, o.Num, all)
	})
}

// weighAll judges every edit and says all problems of all of them at once.
func (s *Service) weighAll(c *guard.Change, num int64, edits Edits) ([]weighed, error) {
	var all []weighed
	var wrong fault.Problems
	for _, e := range edits.ordered(c.Caller) {
		member, err := findMember(c.Tx, num, e.Person.User)
		if err != nil {
			return nil, err
		}
		if e.Version >= 0 && e.Version != member.Version {
			return nil, conflict(c, e, member)
		}
		if err := aloneMayNotRaise(c, e.Person.User); err != nil {
			return nil, err
		}
		w, err := s.weigh(c, member, e)
		if err != nil {
			return nil, err
		}
		for _, p := range w.preview.Problems() {
			wrong = append(wrong, fault.Problem{Field: string(member.ID) + "/" + FieldName(p.Account, p.Permission), Code: string(p.Code), Sentence: member.Name() + ": " + p.Sentence()})
		}
		if len(w.preview.Changes) > 0 {
			all = append(all, w)
		}
	}
	return all, wrong.Err("These changes cannot be saved as they stand. Nothing was saved.")
}

func (e Edits) check() error {
	if len(e.Edits) > MaxMany {
		return fault.Newf(fault.Invalid, "One save changes at most %d people; these are %d. Choose fewer.", MaxMany, len(e.Edits))
	}
	levels := 0
	for _, one := range e.Edits {
		levels += len(one.Changes)
	}
	if levels > MaxManyLevels {
		return fault.Newf(fault.Invalid, "One save changes at most %d accounts, counted for each person; these are %d. Choose fewer.", MaxManyLevels, levels)
	}
	seen := map[bank.UserID]bool{}
	for _, one := range e.Edits {
		if seen[one.Person.User] || one.Person.Organization != e.Organization {
			return fault.New(fault.Invalid, "Each person of the organization stands in a save once.")
		}
		seen[one.Person.User] = true
	}
	return nil
}

// ordered are the edits by member, the caller's own last: what they change of
// others is judged by the rights that they have now.
func (e Edits) ordered(caller bank.Caller) []Edit {
	return slices.SortedFunc(slices.Values(e.Edits), func(a, b Edit) int {
		mine := func(one Edit) bool { return one.Person.User == caller.Member() }
		switch {
		case mine(a) != mine(b) && mine(b):
			return -1
		case mine(a) != mine(b):
			return 1
		}
		return strings.Compare(string(a.Person.User), string(b.Person.User))
	})
}

// action is the save as the guard sees it: it reads the accounts that it
// changes and no others.
func (e Edits) action(member catalog.Operation) guard.Action {
	action := guard.Action{
		Event: "orguser.permission_changed", Organization: e.Organization, Member: member, Staff: staffView, Others: []bank.ActorKind{bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(e.Organization)},
	}
	for _, one := range e.Edits {
		action.Scope.Members = append(action.Scope.Members, one.Person.User)
		for _, change := range one.Changes {
			if change.Account != "" && !slices.Contains(action.Scope.Accounts, change.Account) {
				action.Scope.Accounts = append(action.Scope.Accounts, change.Account)
			}
		}
	}
	return action
}

func (e Edits) operation() catalog.Operation {
	for _, one := range e.Edits {
		if one.operation() == catalog.EditPermissions {
			return catalog.EditPermissions
		}
	}
	return catalog.EditAccountPermissions
}

// Digest is what a high-risk authorization of the save is bound to.
func (e Edits) Digest() []byte {
	h := sha256.New()
	for _, one := range e.ordered(bank.Caller{}) {
		h.Write(one.Digest())
	}
	return fmt.Appendf(nil, "%d %x", len(e.Edits), h.Sum(nil))
}
