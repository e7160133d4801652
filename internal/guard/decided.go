package guard

import (
	"slices"

	"mandate/internal/activity"
	"mandate/internal/entitlement"
)

// Some changes decide by themselves, because the question has an amount, an
// account and a reference: then a refusal is an answer to be stored, not a
// reason to roll back. They name whom they decide for in Action.Others.

// Widen makes the policy hold what another scope names, too. It is for a change
// that learns from what it reads whom it is about.
func (c *Change) Widen(scope entitlement.Scope) error {
	if covers(c.action.Scope, scope) {
		return nil
	}
	c.action.Scope = c.action.Scope.And(scope)
	wider, err := c.guard.facts(c.Tx, c.Caller, c.action)
	if err != nil {
		return err
	}
	c.Policy = wider.Policy
	return nil
}

func covers(wide, scope entitlement.Scope) bool {
	if scope.AllMembers && !wide.AllMembers || scope.AllAccounts && !wide.AllAccounts {
		return false
	}
	return (wide.AllMembers || containsAll(wide.Members, scope.Members)) &&
		(wide.AllAccounts || containsAll(wide.Accounts, scope.Accounts))
}

func containsAll[T comparable](all, some []T) bool {
	return !slices.ContainsFunc(some, func(one T) bool { return !slices.Contains(all, one) })
}

// RecordRefused notes an attempt that was answered with no, and why. The rest
// of the change is kept; the refusal itself changes nothing.
func (c *Change) RecordRefused(event string, target activity.Target, code, note string, changes ...activity.Change) {
	e := attempt(c.Caller, event, target)
	e.Refused, e.Code, e.Note, e.Changes = true, code, note, changes
	c.events = append(c.events, e)
}

// RecordQuiet notes what was done where no setting was changed by it, such as a
// payment: the revision stays, so that nobody reads the policy anew for it.
func (c *Change) RecordQuiet(event string, target activity.Target, note string, changes ...activity.Change) {
	c.RecordAs(event, target, note, changes...)
	c.events[len(c.events)-1].Quiet = true
}
