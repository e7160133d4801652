// Package entitlement is the one decision of the product: may this member do
// this, on this account, for this amount, now? It is pure: all that bears on a
// decision is an argument, and the answer carries every reason. Explaining,
// editing, previewing and searching are views of the same function. It reads
// nothing, stores nothing, and knows no clock.
//
// The rules are those of the decision specification; comments name its
// sections.
package entitlement

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// Settings are the values of one member at one level: user level, or one
// account. The zero Settings allow nothing.
type Settings struct {
	On        catalog.Set // switches that are on
	EditLevel catalog.EditLevel
	Limits    Limits
}

// Limits are amounts by limit. At account level and as an organization's
// ceiling a limit may be absent, and then adds nothing; at user level an absent
// one is zero.
type Limits struct {
	amounts [catalog.LimitCount]bank.Cents
	set     uint8 // bit l: limit l has an amount
}

// Get returns the amount of l and whether it is set.
func (l Limits) Get(limit catalog.Limit) (bank.Cents, bool) {
	return l.amounts[limit], l.set&(1<<limit) != 0
}

// With returns the limits with one amount set.
func (l Limits) With(limit catalog.Limit, amount bank.Cents) Limits {
	l.amounts[limit] = amount
	l.set |= 1 << limit
	return l
}

// Without returns the limits with one amount unset.
func (l Limits) Without(limit catalog.Limit) Limits {
	l.amounts[limit] = 0
	l.set &^= 1 << limit
	return l
}

// An Institution is what the topmost level says.
type Institution struct {
	ID       bank.InstitutionID
	Edition  bank.Edition
	Location *time.Location // where its day begins and ends
	Offers   catalog.EntitlementSet
}

// An Organization is what the second level says.
type Organization struct {
	ID           bank.OrganizationID
	Entitlements catalog.EntitlementSet
	Ceilings     Limits
}

// An Account is one of the organization's accounts.
type Account struct {
	ID  bank.AccountID
	Off catalog.EntitlementSet // credit union: what is switched off for this account
}

// A Member is an organization user as decisions see them.
type Member struct {
	ID       bank.UserID
	Role     bank.Role
	Status   bank.Status
	Held     bool
	Settings Settings
	Accounts map[bank.AccountID]Settings // an account without an entry has nothing on
}

// UsableAdmin reports whether the member could administer the organization
// now: an admin, active, not held, with User management on (spec, section 4.3).
func (m *Member) UsableAdmin() bool {
	return m.Role == bank.RoleAdmin && m.Status == bank.StatusActive && !m.Held &&
		m.Settings.On.Has(catalog.UserManagementEnabled)
}

// A Policy is all stored facts that bear on questions about one organization.
// It may hold fewer members and accounts than the organization has: those that
// a question names must be there, and what is absent counts as unknown.
type Policy struct {
	Institution  Institution
	Organization Organization
	Accounts     map[bank.AccountID]Account
	Members      map[bank.UserID]*Member
	UsableAdmins []bank.UserID // of the whole organization, also where Members is partial
}

// today is the institution's calendar day of a moment.
func (p *Policy) today(now time.Time) bank.Day {
	return bank.DayOf(now, p.Institution.Location)
}

// anotherUsableAdmin reports whether somebody other than the member could
// administer the organization now.
func (p *Policy) anotherUsableAdmin(than bank.UserID) bool {
	for _, id := range p.UsableAdmins {
		if id != than {
			return true
		}
	}
	return false
}

// A Scope says which members and accounts of an organization a question is
// about, so that no more is read than bears on it.
type Scope struct {
	Members     []bank.UserID
	Accounts    []bank.AccountID
	AllMembers  bool
	AllAccounts bool
}

// And widens a scope by another.
func (s Scope) And(other Scope) Scope {
	return Scope{
		Members:     append(s.Members[:len(s.Members):len(s.Members)], other.Members...),
		Accounts:    append(s.Accounts[:len(s.Accounts):len(s.Accounts)], other.Accounts...),
		AllMembers:  s.AllMembers || other.AllMembers,
		AllAccounts: s.AllAccounts || other.AllAccounts,
	}
}
