package usermgmt

import (
	"database/sql"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/entitlement/compact"
)

// StandingTerms reads what decisions ask of an institution.
func StandingTerms(tx *db.Tx, institution bank.InstitutionID) (entitlement.Institution, error) {
	i, found, err := FindInstitution(tx, institution)
	if err == nil && !found {
		err = ErrNoInstitution
	}
	if err != nil {
		return entitlement.Institution{}, err
	}
	place, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return entitlement.Institution{}, fmt.Errorf("time zone of %s: %w", institution, err)
	}
	return entitlement.Institution{ID: i.ID, Edition: i.Edition, Location: place, Offers: i.Offers}, nil
}

// InstitutionIDs are all institutions.
func InstitutionIDs(tx *db.Tx) ([]bank.InstitutionID, error) {
	ids, err := db.All(tx, db.Value[bank.InstitutionID], `select id from institution order by id`)
	if err != nil {
		return nil, fmt.Errorf("read the institutions: %w", err)
	}
	return ids, nil
}

// OrganizationsAt finds the organizations of an institution that have an account.
func OrganizationsAt(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID) ([]bank.OrganizationID, error) {
	ids, err := db.All(tx, db.Value[bank.OrganizationID], `
		select o.id from organization o join account a on a.organization_num = o.num
		 where o.institution_id = $1 and a.id = $2 order by o.id`, institution, account)
	if err != nil {
		return nil, fmt.Errorf("find the organizations of the account: %w", err)
	}
	return ids, nil
}

// OrganizationNumbers are the numbers under which organizations are stored, of
// all institutions, in order.
func OrganizationNumbers(tx *db.Tx) ([]int64, error) {
	numbers, err := db.All(tx, db.Value[int64], `select num from organization order by num`)
	if err != nil {
		return nil, fmt.Errorf("number the organizations: %w", err)
	}
	return numbers, nil
}

// FactsOf reads everything that decisions ask of one organization.
func FactsOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, each func(bank.InstitutionID, *compact.Facts) error) error {
	numbers, err := db.All(tx, db.Value[int64], `select num from organization where institution_id = $1 and id = $2`, institution, organization)
	if err == nil && len(numbers) == 0 {
		err = ErrNoOrganization
	}
	if err != nil {
		return fmt.Errorf("number the organization: %w", err)
	}
	return FactsBetween(tx, numbers[0], numbers[0], each)
}

// FactsBetween reads everything that decisions ask of the organizations that are
// stored under numbers from one to another, in order, in a few statements for
// all of them. What each is told is good until each returns.
func FactsBetween(tx *db.Tx, from, to int64, each func(bank.InstitutionID, *compact.Facts) error) error {
	r := factsReader{tx: tx, from: from, to: to, each: each}
	if err := r.organizations(); err != nil {
		return fmt.Errorf("read organizations: %w", err)
	}
	if err := r.accounts(); err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	if err := r.members(); err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	if err := r.access(); err != nil {
		return fmt.Errorf("read the members' accounts: %w", err)
	}
	return nil
}

// A factsReader reads organizations table by table, and hands each on when its
// last table is read.
type factsReader struct {
	tx       *db.Tx
	from, to int64
	each     func(bank.InstitutionID, *compact.Facts) error

	all    []storedFacts
	places map[int64]int // in all, by number
	limits limitColumns
}

type storedFacts struct {
	num               int64
	institution       bank.InstitutionID
	facts             compact.Facts
	accounts, members ordinals
}

// ordinals are the places of rows by their number within the organization, which
// begin at 1 and hardly ever have gaps.
type ordinals []int32

func (o *ordinals) add(ordinal int64, place int) {
	for int64(len(*o)) <= ordinal {
		*o = append(*o, -1)
	}
	(*o)[ordinal] = int32(place)
}

func (o ordinals) at(ordinal int64) int {
	if ordinal < 0 || ordinal >= int64(len(o)) {
		return -1
	}
	return int(o[ordinal])
}

// rows runs a statement over the numbers and has each row scanned.
func (r *factsReader) rows(query string, scan func(*sql.Rows) error) error {
	rows, err := r.tx.Query(query, r.from, r.to)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *factsReader) organizations() error {
	r.places = map[int64]int{}
	return r.rows(`
		select num, institution_id, id, entitlements, ceiling_ach_daily, ceiling_ach_batch, ceiling_transfer, ceiling_wire, ceiling_wires_day,
		       ceiling_wires_dual
		  from organization where num between $1 and $2 order by num`, func(rows *sql.Rows) error {
		var s storedFacts
		o := &s.facts.Organization
		err := rows.Scan(append([]any{&s.num, &s.institution, &o.ID, &o.Entitlements}, r.limits.all()...)...)
		o.Ceilings = r.limits.limits()
		r.places[s.num] = len(r.all)
		r.all = append(r.all, s)
		return err
	})
}

func (r *factsReader) accounts() error {
	var num, ordinal int64
	var a entitlement.Account
	dest := []any{&num, &ordinal, &a.ID, &a.Off}
	return r.rows(`select organization_num, ordinal, id, off from account where organization_num between $1 and $2`, func(rows *sql.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		s := &r.all[r.places[num]]
		s.accounts.add(ordinal, len(s.facts.Accounts))
		s.facts.Accounts = append(s.facts.Accounts, a)
		return nil
	})
}

func (r *factsReader) members() error {
	var num, ordinal int64
	var m entitlement.Member
	dest := append([]any{&num, &ordinal, &m.ID, &m.Role, &m.Status, &m.Held, &m.Settings.On, &m.Settings.EditLevel}, r.limits.all()...)
	return r.rows(`
		select organization_num, ordinal, id, role, status, held, switches, edit_level, ach_daily, ach_batch, transfer, wire, wires_day, wires_dual
		  from member where organization_num between $1 and $2`, func(rows *sql.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		m.Settings.Limits = r.limits.limits()
		s := &r.all[r.places[num]]
		s.members.add(ordinal, len(s.facts.Members))
		s.facts.Members = append(s.facts.Members, m)
		return nil
	})
}

// access reads the largest table last and keeps no more of it than one
// organization's.
func (r *factsReader) access() error {
	var num, member, account, done int64
	var on catalog.Set
	var limits [3]sql.NullInt64
	dest := []any{&num, &member, &account, &on, &limits[0], &limits[1], &limits[2]}
	access, next := []compact.Access(nil), 0
	finish := func(before int64) error { // hands on every organization before a number
		for ; next < len(r.all) && r.all[next].num < before; next++ {
			s := &r.all[next]
			if s.num == done {
				s.facts.Access = access
			}
			if err := r.each(s.institution, &s.facts); err != nil {
				return err
			}
			s.facts = compact.Facts{}
		}
		access = access[:0]
		return nil
	}
	err := r.rows(`
		select organization_num, member_ordinal, account_ordinal, switches, wire, wires_day, wires_dual
		  from member_account where organization_num between $1 and $2 order by organization_num`, func(rows *sql.Rows) error {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		if num != done {
			if err := finish(num); err != nil {
				return err
			}
			done = num
		}
		s := &r.all[r.places[num]]
		row := compact.Access{Member: s.members.at(member), Account: s.accounts.at(account), Settings: entitlement.Settings{On: on}}
		if row.Member < 0 || row.Account < 0 {
			return fmt.Errorf("member %d of organization %d has the account %d, which is not there", member, num, account)
		}
		for i, limit := range limits {
			if limit.Valid {
				row.Settings.Limits = row.Settings.Limits.With(catalog.LimitPerWire+catalog.Limit(i), bank.Cents(limit.Int64))
			}
		}
		access = append(access, row)
		return nil
	})
	if err != nil {
		return err
	}
	return finish(r.to + 1)
}
