package usermgmt

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// Credit unions have a level between the organization and its members: each
// account of an organization has switches of its own, which the institution's
// staff keep.

// AccountsOff says which entitlements are off on which accounts of an
// organization: one text, so that it can be compared. An account on which nothing
// is off is not in it.
type AccountsOff string

func accountsOff(off map[bank.AccountID]catalog.EntitlementSet) AccountsOff {
	var text strings.Builder
	for _, id := range slices.Sorted(maps.Keys(off)) {
		if off[id] != 0 {
			text.WriteString(string(id) + " " + entitlementIDs(off[id]) + "\n")
		}
	}
	return AccountsOff(text.String())
}

// all are the accounts on which something is off.
func (o AccountsOff) all() map[bank.AccountID]catalog.EntitlementSet {
	off := map[bank.AccountID]catalog.EntitlementSet{}
	for line := range strings.Lines(string(o)) {
		words := strings.Fields(line)
		for _, id := range words[1:] {
			if e, known := catalog.ParseEntitlement(id); known {
				off[bank.AccountID(words[0])] = off[bank.AccountID(words[0])].With(e)
			}
		}
	}
	return off
}

// On is what is off on an account.
func (o AccountsOff) On(id bank.AccountID) catalog.EntitlementSet { return o.all()[id] }

// With is o with an account on which exactly this is off.
func (o AccountsOff) With(id bank.AccountID, off catalog.EntitlementSet) AccountsOff {
	all := o.all()
	all[id] = off
	return accountsOff(all)
}

// differing are the accounts and entitlements that are not as in another, in
// order, and whether they are on there.
func (o AccountsOff) differing(will AccountsOff) iter.Seq2[bank.AccountID, accountSwitch] {
	before, after := o.all(), will.all()
	ids := slices.Collect(maps.Keys(after))
	for id := range before {
		if _, both := after[id]; !both {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return func(yield func(bank.AccountID, accountSwitch) bool) {
		for _, id := range ids {
			for _, e := range catalog.EntitlementsIn(before[id] ^ after[id]) {
				if !yield(id, accountSwitch{e, !after[id].Has(e)}) {
					return
				}
			}
		}
	}
}

// An accountSwitch is an entitlement that goes on or off on an account.
type accountSwitch struct {
	entitlement catalog.Entitlement
	on          bool
}

// AccountEntitlements are the entitlements that can be switched for an account,
// in order: those of which something is done on an account.
func AccountEntitlements(edition bank.Edition) (all []catalog.Entitlement) {
	if edition != bank.EditionCreditUnion {
		return nil
	}
	for _, e := range catalog.Entitlements() {
		if e.In(edition) && onAccounts.Has(e) {
			all = append(all, e)
		}
	}
	return all
}

var onAccounts = func() (set catalog.EntitlementSet) {
	for op := range catalog.OperationCount {
		if info := op.Info(); info.Accounts != catalog.AccountNone && info.Entitlement != catalog.NoEntitlement {
			set = set.With(info.Entitlement)
		}
	}
	return set
}()

// ErrNoAccountLevel says that a bank has no such level.
var ErrNoAccountLevel = fault.New(fault.NotFound, "Accounts of an organization have switches of their own at credit unions only. What members may do on an account is set for each member.")

// onAccount changes what is off on one account, from what somebody has seen.
func onAccount(account bank.AccountID, was, will catalog.EntitlementSet) func(OrganizationRights) (before, after OrganizationRights) {
	return func(now OrganizationRights) (before, after OrganizationRights) {
		ignored := now.Off.On(account) // and stays
		for _, e := range AccountEntitlements(bank.EditionCreditUnion) {
			ignored = ignored.Without(e)
		}
		before, after = now, now
		before.Off, after.Off = now.Off.With(account, ignored|was), now.Off.With(account, ignored|will)
		return before, after
	}
}

// ChangeAccount changes what is off on an account of an organization, as
// ChangeOrganization does what the organization has.
func (s *Service) ChangeAccount(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, account bank.AccountID, was, will catalog.EntitlementSet) (waits approval.Item, err error) {
	to := onAccount(account, was, will)
	return s.changeOrganization(ctx, caller, organization, func(c *guard.Change, now OrganizationRights) (OrganizationRights, error) {
		if len(AccountEntitlements(c.Policy.Institution.Edition)) == 0 {
			return now, ErrNoAccountLevel
		}
		if _, found, err := FindAccount(c.Tx, caller.Institution, organization, account); err != nil || !found {
			return now, orNoAccount(err)
		}
		return freshly(now, to)
	})
}

// PreviewAccount says what ChangeAccount would mean.
func (s *Service) PreviewAccount(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, account bank.AccountID, was, will catalog.EntitlementSet) (OrganizationPreview, func(*Member) entitlement.Names, error) {
	return s.previewOrganization(ctx, caller, organization, onAccount(account, was, will))
}

func orNoAccount(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "There is no such account in this organization.")
}

// setAccountsOff stores what is off on the accounts that change.
func setAccountsOff(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, was, will AccountsOff) error {
	touched := map[bank.AccountID]bool{}
	for id := range was.differing(will) {
		touched[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		n, err := tx.Exec(`
			update account set off = $1
			 where id = $2 and organization_num = (select o.num from organization o where o.institution_id = $3 and o.id = $4)`, will.On(id), id, institution, organization)
		if err != nil {
			return fmt.Errorf("store what is off on an account: %w", err)
		}
		if n != 1 {
			return orNoAccount(nil)
		}
	}
	return nil
}

// checkAccounts refuses switches that the edition does not have.
func (r OrganizationRights) checkAccounts(problems *fault.Problems, edition bank.Edition, was OrganizationRights) {
	could := AccountEntitlements(edition)
	for _, change := range was.Off.differing(r.Off) {
		if !slices.Contains(could, change.entitlement) {
			problems.Addf(change.entitlement.Enabled().ID(), "%s cannot be switched for an account here.", change.entitlement.Label())
		}
	}
}

// accountChanges lists what differs on accounts, as the history keeps it.
func (r OrganizationRights) accountChanges(will OrganizationRights) (changes []activity.Change) {
	for id, change := range r.Off.differing(will.Off) {
		changes = append(changes, activity.Change{Field: change.entitlement.Enabled().ID(), Old: word(!change.on), New: word(change.on), Accounts: []string{string(id)}})
	}
	return changes
}

// accountSentences say what differs on accounts; what lets people do more comes
// first.
func (r OrganizationRights) accountSentences(will OrganizationRights, accounts []Account) (more, fewer []approval.Line) {
	names := map[bank.AccountID]string{}
	for i := range accounts {
		names[accounts[i].ID] = accounts[i].Target().Name
	}
	for id, change := range r.Off.differing(will.Off) {
		e := change.entitlement
		if change.on {
			more = append(more, approval.Line{Term: e.Label(), Value: "It is on for " + names[id] + " again. Members who have it set there can use it at once."})
		} else {
			fewer = append(fewer, approval.Line{Term: e.Label(), Value: "It is off for " + names[id] + ". None of the members can use it there."})
		}
	}
	return more, fewer
}
