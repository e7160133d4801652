package online

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
	"mandate/internal/web/phrase"
)

// A roleCard is the administration half of a profile: what a role means, and
// whether it can be used.
type roleCard struct {
	Role    bank.Role
	Meaning string
	Usable  string // why the role's powers are of no use now; empty where they are
	Powers  []powerRow
}

// A powerRow is one power and which roles have it.
type powerRow struct {
	Label               string
	Admin, Viewer, User bool
}

// The role says nothing about money.
var roleMeanings = map[bank.Role]string{
	bank.RoleAdmin:  "Creates people, sets what they may do, and can hold or unlock their access.",
	bank.RoleViewer: "Sees everything in User management and changes nothing.",
	bank.RoleUser:   "Has no part in User management.",
}

func roleOf(me usermgmt.Standing, profile usermgmt.Profile) roleCard {
	m := profile.Member
	card := roleCard{Role: m.Role, Meaning: roleMeanings[m.Role], Powers: powers()}
	if m.Role == bank.RoleUser {
		return card
	}
	switch {
	case !me.Institution.Offers.Has(catalog.UserManagement):
		card.Usable = me.Institution.Name + " does not offer User management."
	case !profile.Organization.Entitlements.Has(catalog.UserManagement):
		card.Usable = profile.Organization.Name + " does not have User management. The institution's staff can turn it on."
	case !m.Settings.On.Has(catalog.UserManagementEnabled):
		card.Usable = "User management is off in the permissions of " + m.Name() + ", so the role cannot be used."
	}
	return card
}

// powers is what each role may do, as the catalogue has it. Moving money stands
// first, because no role decides it.
func powers() []powerRow {
	rows := []powerRow{{Label: "Move money, as far as the permissions go", Admin: true, Viewer: true, User: true}}
	for _, op := range catalog.Operations() {
		info := op.Info()
		if info.Power == "" {
			continue
		}
		rows = append(rows, powerRow{
			Label:  phrase.Capital(info.Label),
			Admin:  catalog.RoleAllows(bank.RoleAdmin, info.Power),
			Viewer: catalog.RoleAllows(bank.RoleViewer, info.Power),
			User:   catalog.RoleAllows(bank.RoleUser, info.Power),
		})
	}
	return rows
}
