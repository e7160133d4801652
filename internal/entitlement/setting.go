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
// account. Every test is one of Decide's: what blocks here blocks there. It
// knows no operation, so it says nothing about role, status and amounts.
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
	e := permission.Info().Entitlement
	d := deciding{policy: p, member: m, req: &Request{Account: account}, info: &catalog.OperationInfo{Entitlement: e}}
	d.entitlement()
	var needed catalog.Set
	if e != catalog.NoEntitlement {
		needed = needed.With(e.Enabled())
	}
	if account != "" {
		needed = needed.With(catalog.AccountAccess)
	}
	if permission.IsLimit() || permission.Info().Restricts {
		for _, need := range permission.Needs(d.edition()) {
			if !need.Positive {
				withNeeds(&needed, need.Permission, d.edition())
			}
		}
	} else {
		withNeeds(&needed, permission, d.edition())
	}
	d.userLevel(needed)
	if account != "" {
		d.account(account, needed)
	}
	return len(d.reasons) > 0
}
