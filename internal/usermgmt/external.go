package usermgmt

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// The institution's host names organizations, accounts and members by their
// external ids.

// FindProfile reads a member with what they may do on every account of their
// organization, for those who hold a transaction.
func FindProfile(tx *db.Tx, institution bank.InstitutionID, p Person) (Profile, error) {
	all, err := FindProfiles(tx, institution, p.Organization, p.User)
	if err != nil {
		return Profile{}, err
	}
	return all[0], nil
}

// FindProfiles reads members of an organization as FindProfile does, in the order
// in which they are named: a few with each query.
func FindProfiles(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, users ...bank.UserID) ([]Profile, error) {
	o, err := FindOrganization(tx, institution, organization)
	if err != nil {
		return nil, err
	}
	accounts, err := accountsOf(tx, o.Num)
	if err != nil {
		return nil, err
	}
	all := make([]Profile, 0, len(users))
	for some := range slices.Chunk(users, chunk) {
		members, err := db.All(tx, scanMember, selectMember+` where m.organization_num = $1 and m.id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{o.Num}, some)...)
		if err != nil {
			return nil, fmt.Errorf("read %d members: %w", len(some), err)
		}
		for _, id := range some {
			at := slices.IndexFunc(members, func(m Member) bool { return m.ID == id })
			if at < 0 {
				return nil, ErrNoMember
			}
			all = append(all, Profile{Organization: o, Member: members[at], Accounts: slices.Clone(accounts)})
		}
		if err := setAccounts(tx, o.Num, all[len(all)-len(some):]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// setAccounts reads what up to eight members may do on accounts.
func setAccounts(tx *db.Tx, num int64, profiles []Profile) error {
	ordinals := make([]int64, len(profiles))
	for i := range profiles {
		ordinals[i] = profiles[i].Member.Ordinal
	}
	stored, err := db.All(tx, scanMemberAccountRow, `
		select member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
		  from member_account where organization_num = $1 and member_ordinal in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{num}, ordinals)...)
	if err != nil {
		return fmt.Errorf("read the members' accounts: %w", err)
	}
	type place struct{ member, account int64 }
	at := make(map[place]entitlement.Settings, len(stored))
	for _, a := range stored {
		at[place{a.member, a.account}] = a.Settings
	}
	for _, p := range profiles {
		for i := range p.Accounts {
			p.Accounts[i].Settings = at[place{p.Member.Ordinal, p.Accounts[i].Ordinal}]
		}
	}
	return nil
}

// A MemberPlace is a place among an institution's members, as MembersByExternalID
// lists them.
type MemberPlace struct{ ExternalID, Organization string }

// MembersByExternalID lists an institution's members of all organizations in the
// order of their external ids, and where these are alike of their organizations',
// after a place; each with the accounts that they have any settings on.
func MembersByExternalID(tx *db.Tx, institution bank.InstitutionID, after MemberPlace, most int) ([]Profile, error) {
	type row struct {
		Profile
		num int64
	}
	rows, err := db.All(tx, func(s db.Scanner) (r row, err error) {
		var limits limitColumns
		m, o := &r.Member, &r.Organization
		err = s.Scan(append([]any{&r.num, &o.ID, &o.ExternalID, &m.Ordinal, &m.ID, &m.ExternalID, &m.FirstName, &m.LastName, &m.Email, &m.Username,
			&m.Role, &m.Status, &m.Held, &m.Settings.On, &m.Settings.EditLevel}, limits.all()...)...)
		m.Settings.Limits = limits.limits()
		return r, err
	}, `
		select o.num, o.id, o.external_id, m.ordinal, m.id, m.external_id, m.first_name, m.last_name, m.email, m.username,
		       m.role, m.status, m.held, m.switches, m.edit_level, m.ach_daily, m.ach_batch, m.transfer, m.wire, m.wires_day, m.wires_dual
		  from member m join organization o on o.num = m.organization_num
		 where m.institution_id = $1 and m.external_id >= $2 and (m.external_id > $2 or o.external_id > $3)
		 order by m.external_id, o.external_id limit $4`, institution, after.ExternalID, after.Organization, most)
	if err != nil {
		return nil, fmt.Errorf("list the members: %w", err)
	}
	profiles := make([]Profile, len(rows))
	for i := range rows {
		profiles[i] = rows[i].Profile
		profiles[i].Accounts, err = db.All(tx, func(s db.Scanner) (a MemberAccount, err error) {
			var limits limitColumns
			err = s.Scan(&a.ID, &a.ExternalID, &a.Settings.On, &limits[catalog.LimitPerWire], &limits[catalog.LimitWiresDaily], &limits[catalog.LimitWiresDual])
			a.Settings.Limits = limits.limits()
			return a, err
		}, `
			select a.id, a.external_id, x.switches, x.wire, x.wires_day, x.wires_dual
			  from member_account x join account a on a.organization_num = x.organization_num and a.ordinal = x.account_ordinal
			 where x.organization_num = $1 and x.member_ordinal = $2`, rows[i].num, rows[i].Member.Ordinal)
		if err != nil {
			return nil, fmt.Errorf("read a member's accounts: %w", err)
		}
	}
	return profiles, nil
}

// AccountsByExternalID are the ids of an organization's accounts, by how the host names
// them.
func AccountsByExternalID(tx *db.Tx, o Organization) (map[string]bank.AccountID, error) {
	ids := map[string]bank.AccountID{}
	_, err := db.All(tx, func(s db.Scanner) (id bank.AccountID, err error) {
		var externalID string
		err = s.Scan(&externalID, &id)
		ids[externalID] = id
		return id, err
	}, `select external_id, id from account where organization_num = $1`, o.Num)
	if err != nil {
		return nil, fmt.Errorf("read the accounts of %s: %w", o.ExternalID, err)
	}
	return ids, nil
}

// Offered takes out of user-level settings what an institution does not offer,
// and names it.
func Offered(i Institution, s entitlement.Settings) (offered entitlement.Settings, off []string) {
	for p := range catalog.PermissionCount {
		if WriteValue(p, s) == unpackedZero(p) {
			continue
		}
		if p.In(i.Edition) && p.At(catalog.AtUser) && i.Offers.Has(p.Info().Entitlement) {
			offered = mergeSettings(offered, s, catalog.SetOf(p))
		} else {
			off = append(off, p.ID())
		}
	}
	return offered, off
}

// WrittenSettings are the settings of one level as the host and files carry
// them: what is off or not set is absent.
func WrittenSettings(edition bank.Edition, level catalog.Levels, s entitlement.Settings) map[string]string {
	written := map[string]string{}
	for p := range catalog.PermissionCount {
		if value := WriteValue(p, s); p.In(edition) && p.At(level) && value != unpackedZero(p) {
			written[p.ID()] = value
		}
	}
	return written
}

// ReadSettings is the reverse of WrittenSettings. What it cannot read is off, and
// named.
func ReadSettings(level catalog.Levels, written map[string]string) (s entitlement.Settings, unread []string) {
	for _, id := range slices.Sorted(maps.Keys(written)) {
		p, known := catalog.ParsePermission(id)
		if !known || !p.At(level) || !readSetting(&s, p, written[id]) {
			unread = append(unread, id)
		}
	}
	return s, unread
}

func readSetting(s *entitlement.Settings, p catalog.Permission, written string) bool {
	v := ReadValue(p, "", written)
	switch v.Kind {
	case entitlement.SwitchValue:
		if v.On {
			s.On = s.On.With(p)
		}
	case entitlement.ChoiceValue:
		s.EditLevel = v.Level
	case entitlement.LimitValue:
		if v.Cents < 0 {
			return false
		}
		s.Limits = s.Limits.With(p.Limit(), v.Cents)
	default:
		return false
	}
	return true
}

// AdoptOrganization brings an organization's name and accounts to what the host
// states, inside a change that the host may make. What it does not mention stays,
// and nothing is switched on by it.
func AdoptOrganization(c *guard.Change, in *ImportedOrganization, id bank.OrganizationID, creates bool) (bank.OrganizationID, error) {
	plan, _, err := planImport(c.Tx, c.Caller.Institution, in)
	if err != nil {
		return "", err
	}
	if creates {
		plan.ID = id
	}
	return plan.ID, plan.apply(c)
}

// SetExternalID names a member as the institution's host does. It changes nothing
// that anybody may do.
func SetExternalID(tx *db.Tx, institution bank.InstitutionID, user bank.UserID, externalID string) error {
	err := touchOne(tx.Exec(`update member set external_id = $1 where institution_id = $2 and id = $3`, externalID, institution, user))
	if err != nil {
		return fmt.Errorf("note how the host names %s: %w", user, err)
	}
	return touchCustomersOf(tx, institution, string(user))
}

// OrganizationOf finds the organization that the host names so.
func OrganizationOf(tx *db.Tx, institution bank.InstitutionID, externalID string) (Organization, error) {
	o, err := db.One(tx, scanOrganization, selectOrganization+` where institution_id = $1 and external_id = $2`, institution, externalID)
	if errors.Is(err, db.ErrNoRows) {
		return Organization{}, ErrNoOrganization
	}
	return o, err
}

// MemberOf finds the member of an organization whom the host names so.
func MemberOf(tx *db.Tx, o Organization, externalID string) (Member, error) {
	m, err := db.One(tx, scanMember, selectMember+` where m.organization_num = $1 and m.external_id = $2`, o.Num, externalID)
	if errors.Is(err, db.ErrNoRows) {
		return Member{}, ErrNoMember
	}
	return m, err
}

// A Departure is told of somebody who is about to be deleted, in the same
// transaction.
type Departure func(tx *db.Tx, o Organization, m Member) error

// WithDeparture says who is told of deletions. It is for assembling the program.
func (s *Service) WithDeparture(d Departure) *Service {
	s.departure = d
	return s
}
