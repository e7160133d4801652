package usermgmt

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
)

// An Institution is a bank or credit union.
type Institution struct {
	ID       bank.InstitutionID
	Name     string
	Edition  bank.Edition
	TimeZone string // an IANA name, such as America/Chicago
	Offers   catalog.EntitlementSet
	Accent   string // the accent colour of its screens, such as #1d4ed8; empty: the house's own

	Factors FactorPolicy // of whom a second factor is required; set by RequireSecondFactor
	Logo    string       // what its logo is known by; empty where it has none
}

// Place is where the institution's day begins and ends.
func (i Institution) Place() *time.Location {
	place, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return time.UTC
	}
	return place
}

// An Organization is a business customer with its details.
type Organization struct {
	Institution  bank.InstitutionID
	ID           bank.OrganizationID
	Num          int64 // its number in the database; given by InsertOrganization
	ExternalID   string
	Name         string
	Address      string
	Phone        string
	Email        string
	Entitlements catalog.EntitlementSet
	Ceilings     entitlement.Limits
}

// An Account is one of an organization's accounts.
type Account struct {
	Ordinal    int64 // its number within the organization; given by InsertAccount
	ID         bank.AccountID
	ExternalID string
	Name       string
	Number     string // as screens may show it: the last four digits
	Kind       string // checking, savings, loan
	Off        catalog.EntitlementSet
}

// Masked is the account's number as screens show it; empty where it has none.
func (a *Account) Masked() string {
	if a.Number == "" {
		return ""
	}
	return "••" + a.Number
}

// Label is the account as people name it: "Operating ••0137".
func (a *Account) Label() string { return strings.TrimSpace(a.Name + " " + a.Masked()) }

// A Member is an organization user: a person who acts for the organization.
type Member struct {
	Ordinal       int64 // their number within the organization; given by InsertMember
	ID            bank.UserID
	ExternalID    string
	FirstName     string
	LastName      string
	PreferredName string // what staff may call them; empty where it is their name
	Email         string
	Username      string // empty until they have credentials
	Role          bank.Role
	Status        bank.Status
	Held          bool
	Settings      entitlement.Settings
	Version       int64  // the organization's revision when the member last changed
	Avatar        string // what their picture is known by; empty where there is none
}

// Name is the member's first and last name.
func (m *Member) Name() string { return strings.TrimSpace(m.FirstName + " " + m.LastName) }

// Target is the member as history names them.
func (m *Member) Target() activity.Target {
	return activity.Target{Kind: activity.TargetMember, ID: string(m.ID), Name: m.Name()}
}

// Target is the account in a history event.
func (a *Account) Target() activity.Target {
	name := a.Name
	if a.Number != "" {
		name += " ••" + a.Number
	}
	return activity.Target{Kind: activity.TargetAccount, ID: string(a.ID), Name: name}
}

// Fits reports whether a search for accounts means this one: by a part of its
// name, number or kind.
func (a *Account) Fits(search string) bool {
	return strings.Contains(Fold(a.Name+" "+a.Number+" "+a.Kind), Fold(search))
}

// Fold is the form of a text under which it is searched, sorted and compared:
// compatibility-composed and case-folded, the same on every database.
func Fold(s string) string {
	return db.Fold(s)
}

// next gives out the next number under a name.
func next(tx *db.Tx, name string) (int64, error) {
	var n int64
	err := tx.QueryRow(`
		insert into counter (name, value) values ($1, 1)
		on conflict (name) do update set value = counter.value + 1
		returning value`, name).Scan(&n)
	return n, err
}

// CreateInstitution stores an institution and starts its history.
func CreateInstitution(tx *db.Tx, i Institution) error {
	_, err := tx.Exec(`
		insert into institution (id, name, edition, time_zone, offers, accent, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		i.ID, i.Name, i.Edition, i.TimeZone, i.Offers, i.Accent, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the institution %s: %w", i.ID, err)
	}
	return activity.Start(tx, i.ID, "")
}

// FindInstitution reads an institution; there may be none of that name.
func FindInstitution(tx *db.Tx, id bank.InstitutionID) (Institution, bool, error) {
	i := Institution{ID: id}
	err := tx.QueryRow(`
		select i.name, i.edition, i.time_zone, i.offers, i.accent, i.second_factor, i.second_factor_from, i.staff_factor_from, coalesce(l.etag, '')
		  from institution i left join institution_logo l on l.institution_id = i.id
		 where i.id = $1`, id).
		Scan(&i.Name, &i.Edition, &i.TimeZone, &i.Offers, &i.Accent, &i.Factors.Members, &i.Factors.MembersFrom, &i.Factors.StaffFrom, &i.Logo)
	if errors.Is(err, db.ErrNoRows) {
		return Institution{}, false, nil
	}
	return i, err == nil, err
}

// Institutions are all institutions of the database, by id.
func Institutions(tx *db.Tx) ([]Institution, error) {
	return db.All(tx, func(s db.Scanner) (i Institution, err error) {
		err = s.Scan(&i.ID, &i.Name, &i.Edition, &i.TimeZone, &i.Offers, &i.Accent, &i.Factors.Members, &i.Factors.MembersFrom, &i.Factors.StaffFrom)
		return i, err
	}, `select id, name, edition, time_zone, offers, accent, second_factor, second_factor_from, staff_factor_from from institution order by id`)
}

// InsertOrganization stores a new organization, gives it its number and starts
// its history.
func InsertOrganization(tx *db.Tx, o *Organization) (err error) {
	if o.Num, err = next(tx, "organization"); err != nil {
		return fmt.Errorf("number the organization: %w", err)
	}
	args := []any{o.Institution, o.ID, o.Num, externalID(o.ExternalID, string(o.ID)), o.Name, Fold(o.Name), o.Address, o.Phone, o.Email, o.Entitlements}
	args = append(append(args, limitArgs(o.Ceilings)...), tx.Now.UnixMicro())
	_, err = tx.Exec(`
		insert into organization (institution_id, id, num, external_id, name, name_key, address, phone, email, entitlements,
			ceiling_ach_daily, ceiling_ach_batch, ceiling_transfer, ceiling_wire, ceiling_wires_day, ceiling_wires_dual, last_account, last_member, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, $17)`, args...)
	if err != nil {
		return fmt.Errorf("store the organization %s: %w", o.ID, err)
	}
	if err := touchCustomers(tx, o.Num); err != nil {
		return err
	}
	return activity.Start(tx, o.Institution, o.ID)
}

// externalID is the bank's own number, or the product's where the bank has none.
func externalID(external, own string) string {
	if external == "" {
		return own
	}
	return external
}

// FindOrganization reads an organization with its details.
func FindOrganization(tx *db.Tx, institution bank.InstitutionID, id bank.OrganizationID) (Organization, error) {
	o, err := db.One(tx, scanOrganization, selectOrganization+` where institution_id = $1 and id = $2`, institution, id)
	if errors.Is(err, db.ErrNoRows) {
		return Organization{}, ErrNoOrganization
	}
	return o, err
}

const selectOrganization = `
	select institution_id, id, num, external_id, name, address, phone, email, entitlements,
	       ceiling_ach_daily, ceiling_ach_batch, ceiling_transfer, ceiling_wire, ceiling_wires_day, ceiling_wires_dual
	  from organization`

func scanOrganization(s db.Scanner) (o Organization, err error) {
	var ceilings limitColumns
	err = s.Scan(append([]any{&o.Institution, &o.ID, &o.Num, &o.ExternalID, &o.Name, &o.Address, &o.Phone, &o.Email, &o.Entitlements}, ceilings.all()...)...)
	o.Ceilings = ceilings.limits()
	return o, err
}

// InsertAccount stores a new account of the organization numbered num. Nobody
// has access to it by that. The organization's stream must be locked.
func InsertAccount(tx *db.Tx, num int64, a *Account) (err error) {
	if a.Ordinal, err = db.One(tx, db.Value[int64], `
		update organization set last_account = last_account + 1 where num = $1 returning last_account`, num); err != nil {
		return fmt.Errorf("number the account %s: %w", a.ID, err)
	}
	_, err = tx.Exec(`
		insert into account (organization_num, ordinal, id, external_id, name, name_key, number, kind, off, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		num, a.Ordinal, a.ID, externalID(a.ExternalID, string(a.ID)), a.Name, Fold(a.Name), a.Number, a.Kind, a.Off, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the account %s: %w", a.ID, err)
	}
	return nil
}

// InsertMember stores a new member of the organization numbered num, without
// any account. The organization's stream must be locked.
func InsertMember(tx *db.Tx, institution bank.InstitutionID, num int64, m *Member) (err error) {
	if m.Ordinal, err = db.One(tx, db.Value[int64], `
		update organization set last_member = last_member + 1 where num = $1 returning last_member`, num); err != nil {
		return fmt.Errorf("number the member %s: %w", m.ID, err)
	}
	args := []any{num, m.Ordinal, institution, m.ID, externalID(m.ExternalID, string(m.ID)), m.FirstName, m.LastName, Fold(m.Name()),
		m.Email, Fold(m.Email), m.Username, Fold(m.Username), m.Role, m.Status, m.Held, m.Settings.On, m.Settings.EditLevel}
	args = append(append(args, limitArgs(m.Settings.Limits)...), m.Version, tx.Now.UnixMicro())
	_, err = tx.Exec(`
		insert into member (organization_num, ordinal, institution_id, id, external_id, first_name, last_name, name_key, email, email_key,
			username, username_key, role, status, held, switches, edit_level,
			ach_daily, ach_batch, transfer, wire, wires_day, wires_dual, version, created_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`, args...)
	if err != nil {
		return fmt.Errorf("store the member %s: %w", m.ID, err)
	}
	return touchCustomers(tx, num)
}

// SetMemberAccount stores what a member may do on an account, whether or not
// they had anything there before.
func SetMemberAccount(tx *db.Tx, num, member, account int64, s entitlement.Settings) error {
	_, err := tx.Exec(`
		insert into member_account (organization_num, member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (organization_num, member_ordinal, account_ordinal) do update
		   set switches = excluded.switches, wire = excluded.wire, wires_day = excluded.wires_day, wires_dual = excluded.wires_dual`,
		append([]any{num, member, account, s.On}, accountLimitArgs(s.Limits)...)...)
	if err != nil {
		return fmt.Errorf("store a member's account: %w", err)
	}
	return nil
}

// SetMemberSettings stores a member's user-level settings and the revision at
// which they changed.
func SetMemberSettings(tx *db.Tx, num, member int64, s entitlement.Settings, version int64) error {
	args := append([]any{s.On, s.EditLevel}, limitArgs(s.Limits)...)
	_, err := tx.Exec(`
		update member set switches = $1, edit_level = $2, ach_daily = $3, ach_batch = $4, transfer = $5, wire = $6, wires_day = $7,
		       wires_dual = $8, version = $9
		 where organization_num = $10 and ordinal = $11`, append(args, version, num, member)...)
	if err != nil {
		return fmt.Errorf("store a member's settings: %w", err)
	}
	return nil
}

// SetOrganizationPolicy stores what an organization has and its ceilings.
func SetOrganizationPolicy(tx *db.Tx, institution bank.InstitutionID, id bank.OrganizationID, has catalog.EntitlementSet, ceilings entitlement.Limits) error {
	_, err := tx.Exec(`
		update organization set entitlements = $1, ceiling_ach_daily = $2, ceiling_ach_batch = $3, ceiling_transfer = $4,
		       ceiling_wire = $5, ceiling_wires_day = $6, ceiling_wires_dual = $7
		 where institution_id = $8 and id = $9`, append(append([]any{has}, limitArgs(ceilings)...), institution, id)...)
	if err != nil {
		return fmt.Errorf("store what the organization has: %w", err)
	}
	return nil
}

// SetMemberStanding stores a member's role, status and hold.
func SetMemberStanding(tx *db.Tx, num, member int64, role bank.Role, status bank.Status, held bool) error {
	_, err := tx.Exec(`update member set role = $1, status = $2, held = $3 where organization_num = $4 and ordinal = $5`,
		role, status, held, num, member)
	if err != nil {
		return fmt.Errorf("store a member's standing: %w", err)
	}
	return touchCustomers(tx, num)
}
