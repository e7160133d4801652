package entitlement

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A SettingState is how one value of a member stands, as grids show it.
type SettingState uint8

const (
	SettingOff       SettingState = iota
	SettingOn                     // it is on, and nothing above it stands in the way
	SettingInherited              // an account's limit that is not set: the member's own applies
	SettingBlocked                // it is on and of no use: a level above it, or what it needs, is off
)

// StateOf says how one value of a member stands, at user level or for an
// account. What blocks here blocks in Decide, too; it is asked for thousands of
// values at once and so looks at sets. It knows no operation, so it says nothing
// about role, status and amounts.
func StateOf(p *Policy, member bank.UserID, account bank.AccountID, permission catalog.Permission) SettingState {
	m := p.Members[member]
	if m == nil {
		return SettingOff
	}
	inherited := false
	if s := m.at(account); !stands(s, permission) {
		if account == "" || !permission.IsLimit() || !stands(m.Settings, permission) {
			return SettingOff
		}
		if _, set := s.Limits.Get(permission.Limit()); set {
			return SettingOff // set to zero
		}
		inherited = true
	}
	switch {
	case blocked(p, m, account, permission):
		return SettingBlocked
	case inherited:
		return SettingInherited
	}
	return SettingOn
}

// stands reports whether a value allows anything by itself.
func stands(s Settings, p catalog.Permission) bool {
	if p.IsLimit() {
		amount, _ := s.Limits.Get(p.Limit())
		return amount > 0
	}
	return isOn(s, p)
}

func blocked(p *Policy, m *Member, account bank.AccountID, permission catalog.Permission) bool {
	e, edition := permission.Info().Entitlement, p.Institution.Edition
	if e != catalog.NoEntitlement && (!e.In(edition) || !p.Institution.Offers.Has(e) || !p.Organization.Entitlements.Has(e)) {
		return true
	}
	needed := supports[edition][permission]
	if needed&atUser&^m.Settings.On != 0 {
		return true
	}
	if account == "" {
		return false
	}
	a, known := p.Accounts[account]
	if !known || edition == bank.EditionCreditUnion && e != catalog.NoEntitlement && a.Off.Has(e) {
		return true
	}
	return needed.With(catalog.AccountAccess)&atAccount&^m.Accounts[account].On != 0
}

// supports are the switches that must be on for a value to be of use: the
// entitlement's own, those that it needs, transitively, and the switch itself.
// A limit and a restriction stand by themselves.
var supports = func() (all [2][catalog.PermissionCount]catalog.Set) {
	for edition := range all {
		for p := range catalog.PermissionCount {
			set := &all[edition][p]
			if e := p.Info().Entitlement; e != catalog.NoEntitlement {
				*set = set.With(e.Enabled())
			}
			for _, need := range p.Needs(bank.Edition(edition)) {
				if !need.Positive {
					withNeeds(set, need.Permission, bank.Edition(edition))
				}
			}
			if p != catalog.ACHEditLevel && !p.IsLimit() && !p.Info().Restricts {
				*set = set.With(p)
			}
		}
	}
	return all
}()

// atUser and atAccount are the switches that exist at each level.
var atUser, atAccount = switchesAt(catalog.AtUser), switchesAt(catalog.AtAccount)

func switchesAt(level catalog.Levels) (set catalog.Set) {
	for p := range catalog.PermissionCount {
		if p.At(level) {
			set = set.With(p)
		}
	}
	return set
}
