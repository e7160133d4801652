package usermgmt

import (
	"errors"
	"fmt"
	"slices"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Stated is a member as the institution's host states them, whole: what it
// does not name is off.
type Stated struct {
	User       bank.UserID // empty: nobody here yet
	ExternalID string
	FirstName  string
	LastName   string
	Email      string
	Role       bank.Role
	Status     bank.Status
	Held       bool
	Settings   entitlement.Settings
	Accounts   map[bank.AccountID]entitlement.Settings // only accounts that they have access to
	Keep       Kept
}

// Kept says what of a member stays as it is here, because an order about it is
// later than what the host states.
type Kept struct {
	Name, Email, Role, Status, Held bool
	Set                             catalog.Set
	Accounts                        map[bank.AccountID]catalog.Set
}

// A LeftOff is something that the host states and that was not taken over.
type LeftOff struct {
	Code     string
	Field    string // as FieldName writes it, or "name", "email", "status"
	Sentence string
}

// Why something that the host states is left off.
const (
	LeftInstitution  = "NOT_OFFERED_BY_INSTITUTION"
	LeftOrganization = "NOT_OFFERED_BY_ORGANIZATION"
	LeftLastAdmin    = "LAST_ADMIN"
	LeftName         = "BAD_NAME"
	LeftEmail        = "BAD_EMAIL"
	LeftEmailTaken   = "EMAIL_TAKEN"
	LeftDisabled     = "DISABLED_IS_FINAL"
	LeftStatus       = "STATUS"
)

// Check says what is wrong with the details that the host states.
func (in Stated) Check() fault.Problems {
	problems := Details{FirstName: in.FirstName, LastName: in.LastName, Email: in.Email, Role: in.Role}.Check()
	return slices.DeleteFunc(problems, func(p fault.Problem) bool { return p.Field == "email" && in.Email == "" }) // the host may know of none
}

// Adopt brings a member to what the host states, inside a change that the host
// may make, and returns who they are and what was left off. What neither the
// institution nor the organization has is not switched on; the last usable admin
// stays one.
func (s *Service) Adopt(c *guard.Change, organization bank.OrganizationID, in Stated) (bank.UserID, []LeftOff, error) {
	o, err := FindOrganization(c.Tx, c.Caller.Institution, organization)
	if err != nil {
		return "", nil, err
	}
	a := adoption{c: c, o: o, in: in}
	if err := a.read(); err != nil {
		return "", nil, err
	}
	for _, step := range []func() error{a.profile, a.standing, a.settings, func() error { return a.lastAdmin(s) }, a.accounts} {
		if err := step(); err != nil {
			return "", nil, err
		}
	}
	if err := a.store(); err != nil {
		return "", nil, err
	}
	return a.after.ID, a.left, nil
}

// An adoption is what the host states, on its way in.
type adoption struct {
	c  *guard.Change
	o  Organization
	in Stated

	before, after Member
	had           []MemberAccount
	given         map[int64]entitlement.Settings // what changes, by the account's ordinal
	changes       []activity.Change
	left          []LeftOff
}

func (a *adoption) leave(code, field, sentence string) {
	a.left = append(a.left, LeftOff{code, field, sentence})
}

func (a *adoption) read() error {
	if a.in.User == "" {
		accounts, err := db.All(a.c.Tx, scanAccount, selectAccount+` where organization_num = $1`, a.o.Num)
		for _, account := range accounts {
			a.had = append(a.had, MemberAccount{Account: account})
		}
		return err
	}
	profile, err := FindProfile(a.c.Tx, a.c.Caller.Institution, Person{Organization: a.o.ID, User: a.in.User})
	a.before, a.after, a.had = profile.Member, profile.Member, profile.Accounts
	return err
}

func (a *adoption) profile() error {
	if !a.in.Keep.Name {
		a.after.FirstName, a.after.LastName = a.in.FirstName, a.in.LastName
	}
	if a.in.Keep.Email || a.in.Email == a.before.Email {
		return nil
	}
	if a.in.Email != "" {
		err := emailFree(a.c.Tx, a.o.Num, a.in.Email, a.before.ID)
		if f, ok := errors.AsType[*fault.Error](err); ok && len(f.Problems) > 0 {
			a.leave(LeftEmailTaken, "email", f.Problems[0].Sentence)
			return nil
		}
		if err != nil {
			return err
		}
	}
	a.after.Email = a.in.Email
	return nil
}

// standing takes role, status and hold over. Disabled is final, and nobody
// becomes pending again.
func (a *adoption) standing() error {
	if !a.in.Keep.Role {
		a.after.Role = a.in.Role
	}
	if !a.in.Keep.Held {
		a.after.Held = a.in.Held
	}
	was, is := a.before.Status, a.in.Status
	if a.in.Keep.Status || was == is {
		return nil
	}
	if was == bank.StatusDisabled {
		a.leave(LeftDisabled, "status", "Disabled is final. For a person who returns, make a new user.")
		return nil
	}
	if is == bank.StatusPending {
		a.leave(LeftStatus, "status", "Nobody becomes pending again.")
		return nil
	}
	a.after.Status = is
	return nil
}

func (a *adoption) settings() error {
	a.after.Settings = a.take("", catalog.AtUser, a.before.Settings, a.in.Settings, a.in.Keep.Set)
	return nil
}

// take is what becomes of one level's settings.
func (a *adoption) take(account bank.AccountID, level catalog.Levels, before, stated entitlement.Settings, keep catalog.Set) entitlement.Settings {
	after := mergeSettings(before, stated, allSet&^keep)
	for p := range catalog.PermissionCount {
		was, is := WriteValue(p, before), WriteValue(p, after)
		if is == was || is == unpackedZero(p) {
			continue
		}
		code, sentence := a.offered(p, level)
		if code == "" {
			continue
		}
		a.leave(code, FieldName(account, p.ID()), sentence)
		after = mergeSettings(after, before, catalog.SetOf(p))
	}
	return after
}

const allSet = catalog.Set(1<<catalog.PermissionCount - 1)

// offered says why a permission cannot be had; no code: it can.
func (a *adoption) offered(p catalog.Permission, level catalog.Levels) (code, sentence string) {
	institution := a.c.Policy.Institution
	if !p.In(institution.Edition) || !p.At(level) {
		return LeftInstitution, fmt.Sprintf("There is no permission %s here.", p.ID())
	}
	if p == catalog.AccountAccess {
		return "", ""
	}
	switch e := p.Info().Entitlement; {
	case !institution.Offers.Has(e):
		return LeftInstitution, fmt.Sprintf("The institution does not offer %s.", e.Label())
	case !a.o.Entitlements.Has(e):
		return LeftOrganization, fmt.Sprintf("The organization does not have %s.", e.Label())
	}
	return "", ""
}

// lastAdmin leaves off what would take the last usable admin away.
func (a *adoption) lastAdmin(s *Service) error {
	if !slices.Contains(a.c.Policy.UsableAdmins, a.before.ID) || a.after.usableAdmin() {
		return nil
	}
	err := s.losesAdmin(a.c, a.before)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != "LAST_ADMIN" {
		return err
	}
	a.leave(LeftLastAdmin, "role", f.Sentence)
	a.after.Role, a.after.Status, a.after.Held = a.before.Role, a.before.Status, a.before.Held
	a.after.Settings.On = a.after.Settings.On.With(catalog.UserManagementEnabled)
	return nil
}

func (a *adoption) accounts() error {
	a.given = map[int64]entitlement.Settings{}
	for _, account := range a.had {
		before, keep := account.Settings, a.in.Keep.Accounts[account.ID]
		stated, has := a.in.Accounts[account.ID]
		after := before
		if has {
			stated.On = stated.On.With(catalog.AccountAccess)
			after = a.take(account.ID, catalog.AtAccount, before, stated, keep)
		} else if !keep.Has(catalog.AccountAccess) {
			after.On = after.On.Without(catalog.AccountAccess)
		}
		if after != before {
			a.given[account.Ordinal] = after
			a.changes = append(a.changes, diff(account.ID, before, after)...)
		}
	}
	return nil
}

// store writes what differs, with its one history event.
func (a *adoption) store() error {
	a.after.Version = a.c.Revision() + 1
	event := "orguser.created"
	if a.in.User == "" {
		a.after.ID, a.after.ExternalID = bank.UserID(bank.NewID(bank.PrefixUser, a.c.Tx.Now)), a.in.ExternalID
	}
	own := append(profileChanges(a.before, a.after), diff("", a.before.Settings, a.after.Settings)...)
	if a.before.Held != a.after.Held {
		own = append(own, change("held", boolText(a.before.Held), boolText(a.after.Held)))
	}
	if a.changes = append(own, a.changes...); len(a.changes) == 0 {
		return nil
	}
	var err error
	if a.in.User == "" {
		err = InsertMember(a.c.Tx, a.c.Caller.Institution, a.o.Num, &a.after)
	} else {
		event = a.event()
		err = a.update(len(own) > 0)
	}
	if err != nil {
		return err
	}
	for _, account := range a.had {
		if settings, changed := a.given[account.Ordinal]; changed {
			if err := SetMemberAccount(a.c.Tx, a.o.Num, a.after.Ordinal, account.Ordinal, settings); err != nil {
				return err
			}
		}
	}
	a.c.RecordAs(event, a.after.Target(), "", a.changes...)
	return nil
}

// event names what happened by its weightiest part.
func (a *adoption) event() string {
	step := memberStep{outcome: ImportChanged, before: a.before, after: a.after}
	event := step.event()
	if event == "orguser.permission_changed" || event == "orguser.profile_changed" && len(profileChanges(a.before, a.after)) == 0 {
		return eventOf(a.changes)
	}
	return event
}

func (a *adoption) update(own bool) error {
	if own {
		if err := storeProfile(a.c, a.o.Num, a.after); err != nil {
			return err
		}
		if err := SetMemberStanding(a.c.Tx, a.o.Num, a.after.Ordinal, a.after.Role, a.after.Status, a.after.Held); err != nil {
			return err
		}
	}
	if err := SetMemberSettings(a.c.Tx, a.o.Num, a.after.Ordinal, a.after.Settings, a.after.Version); err != nil {
		return err
	}
	return tellIdentity(a.c.Tx, a.c.Caller.Institution, &memberStep{before: a.before, after: a.after})
}

// Remove takes out a member whom the host has deleted, inside a change that the
// host may make. The last usable admin stays.
func (s *Service) Remove(c *guard.Change, p Person) error {
	who, err := find(c, p)
	if err != nil {
		return err
	}
	if err := s.losesAdmin(c, who.member); err != nil {
		return err
	}
	return s.remove(c, who)
}
