package world

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A Rule says what an operation asks for where the question says nothing besides
// amount and accounts, which is what is asked here. Peers' policies are written
// from it, each in its own words; the reference does not use it.
type Rule struct {
	Operation   catalog.Operation
	Entitlement catalog.Entitlement
	User        catalog.Set       // on at user level, prerequisites included
	Edit        catalog.EditLevel // at least this, where it is not none
	Roles       []bank.Role       // who may, nil: all
	Accounts    catalog.Accounts
	Account     catalog.Set // on for the account, or the one that money leaves
	ToAccount   catalog.Set // on for the account that money goes to
	Limits      []Limit
}

// A Limit is one that the amount is held against.
type Limit struct {
	catalog.Limit
	OnAccount bool // an account may have one of its own
}

// Rules are those of all operations.
func Rules() (all []Rule) {
	for _, op := range catalog.Operations() {
		all = append(all, ruleOf(op.Info()))
	}
	return all
}

func ruleOf(info *catalog.OperationInfo) Rule {
	r := Rule{Operation: info.Operation, Entitlement: info.Entitlement, Accounts: info.Accounts}
	var needed catalog.Set
	for _, p := range info.Named(edition) {
		needed = with(needed, p)
	}
	if info.LastEditor { // not knowing counts as yes
		r.User = r.User.With(catalog.ACHFullControl)
	}
	for p := range needed.All {
		switch {
		case p == catalog.ACHEditLevel:
			r.Edit = info.EditLevel
		case p.At(catalog.AtUser):
			r.User = r.User.With(p)
		}
		if p.At(catalog.AtAccount) && info.Accounts == catalog.AccountRequired {
			r.Account = r.Account.With(p)
		}
	}
	switch info.Accounts {
	case catalog.AccountRequired, catalog.AccountOptional:
		r.Account = r.Account.With(catalog.AccountAccess)
	case catalog.AccountPair:
		r.Account = catalog.SetOf(catalog.AccountAccess, catalog.TransfersFrom)
		r.ToAccount = catalog.SetOf(catalog.AccountAccess, catalog.TransfersTo)
	}
	if info.Power != "" {
		for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
			if catalog.RoleAllows(role, info.Power) {
				r.Roles = append(r.Roles, role)
			}
		}
	}
	for _, l := range info.Limits {
		if l.Permission().In(edition) {
			r.Limits = append(r.Limits, Limit{l, l.Permission().At(catalog.AtAccount) && info.Accounts == catalog.AccountRequired})
		}
	}
	return r
}

// with is a set with a permission and all switches that it needs.
func with(s catalog.Set, p catalog.Permission) catalog.Set {
	if s.Has(p) || !p.In(edition) {
		return s
	}
	s = s.With(p)
	for _, need := range p.Needs(edition) {
		if !need.Positive {
			s = with(s, need.Permission)
		}
	}
	return s
}
