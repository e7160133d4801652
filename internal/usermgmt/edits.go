package usermgmt

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
)

// Ready-made edits: they only say what to set. Judging, previewing and saving
// them is the same as for any other edit.

// CopyOf is the edit that gives a member the money permissions and accounts of
// a colleague. Administration is never copied: the role is chosen by itself.
func CopyOf(from, to *Profile) []entitlement.Change {
	edition := to.Policy.Institution.Edition
	source, target := from.Member.Settings, to.Member.Settings
	changes := add(nil, "", setTo(edition, catalog.AtUser, target, source))
	for _, a := range to.Accounts {
		changes = add(changes, a.ID, setTo(edition, catalog.AtAccount, a.Settings, accountOf(from, a.ID)))
	}
	return changes
}

func accountOf(p *Profile, id bank.AccountID) entitlement.Settings {
	for _, a := range p.Accounts {
		if a.ID == id {
			return a.Settings
		}
	}
	return entitlement.Settings{}
}

func add(changes []entitlement.Change, account bank.AccountID, set map[string]entitlement.Value) []entitlement.Change {
	if len(set) == 0 {
		return changes
	}
	return append(changes, entitlement.Change{Account: account, Set: set})
}

// setTo is what to set so that before becomes after, at one level.
func setTo(edition bank.Edition, level catalog.Levels, before, after entitlement.Settings) map[string]entitlement.Value {
	set := map[string]entitlement.Value{}
	for p := range catalog.PermissionCount {
		if p == catalog.UserManagementEnabled || !p.In(edition) || !p.At(level) || WriteValue(p, before) == WriteValue(p, after) {
			continue
		}
		set[p.ID()] = valueOf(p, after)
	}
	return set
}

func valueOf(p catalog.Permission, s entitlement.Settings) entitlement.Value {
	switch {
	case p == catalog.ACHEditLevel:
		return entitlement.ChooseLevel(s.EditLevel)
	case p.IsLimit():
		if amount, set := s.Limits.Get(p.Limit()); set {
			return entitlement.LimitTo(amount)
		}
		return entitlement.Value{Kind: entitlement.Unset}
	}
	return entitlement.SwitchTo(s.On.Has(p))
}

// looks are the permissions that let somebody see and change nothing.
var looks = catalog.SetOf(catalog.UserManagementEnabled, catalog.AccountAccess, catalog.ACHEnabled, catalog.ACHView, catalog.ACHRestricted,
	catalog.ARPEnabled, catalog.ARPDownload, catalog.CardsEnabled, catalog.StopsEnabled, catalog.StopsView, catalog.TransfersEnabled,
	catalog.WiresEnabled, catalog.WiresWork)

// ViewOnly is the edit that leaves a member able to look and nothing else:
// every right that moves money or changes something goes, the limits stay.
func ViewOnly(p *Profile) []entitlement.Change {
	edition := p.Policy.Institution.Edition
	changes := add(nil, "", viewOnly(edition, catalog.AtUser, p.Member.Settings))
	for _, a := range p.Accounts {
		changes = add(changes, a.ID, viewOnly(edition, catalog.AtAccount, a.Settings))
	}
	return changes
}

func viewOnly(edition bank.Edition, level catalog.Levels, s entitlement.Settings) map[string]entitlement.Value {
	set := map[string]entitlement.Value{}
	for p := range (s.On &^ looks).All {
		if p.In(edition) && p.At(level) && !p.Info().Restricts {
			set[p.ID()] = entitlement.SwitchTo(false)
		}
	}
	if s.EditLevel != catalog.EditNone && level == catalog.AtUser {
		set[catalog.ACHEditLevel.ID()] = entitlement.ChooseLevel(catalog.EditNone)
	}
	return set
}

// Access is the edit that gives or takes access to accounts.
func Access(p *Profile, enabled map[bank.AccountID]bool) []entitlement.Change {
	var changes []entitlement.Change
	for _, a := range p.Accounts {
		if on, named := enabled[a.ID]; named && on != a.Access() {
			changes = append(changes, entitlement.Change{Account: a.ID,
				Set: map[string]entitlement.Value{catalog.AccountAccess.ID(): entitlement.SwitchTo(on)}})
		}
	}
	return changes
}
