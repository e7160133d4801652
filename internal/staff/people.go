package staff

import (
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// People tells identity who staff users are, and stores what identity finds out
// about them.
type People struct{ House Houses }

var _ identity.People = People{}

// The group that asks first for a second factor decides.
const selectPerson = `
	select u.id, u.first_name, u.last_name, u.email, ` + statusNow + `,
	       coalesce((select min(g.second_factor_from) from staff_membership m
	         join staff_group g on g.institution_id = m.institution_id and g.id = m.group_id
	        where m.institution_id = u.institution_id and m.staff_id = u.id and g.second_factor_from <> ''), '')
	  from staff_user u`

func scanPerson(institution bank.InstitutionID, house House, today bank.Day) func(db.Scanner) (identity.Person, error) {
	return func(row db.Scanner) (p identity.Person, err error) {
		var id bank.StaffID
		var from bank.Day
		err = row.Scan(&id, &p.FirstName, &p.LastName, &p.Email, &p.Status, &from)
		p.Subject, p.InstitutionName = identity.Staff(institution, id), house.Name
		from = earlier(from, house.SecondFactorFrom)
		p.NeedsSecond = from != "" && from <= today
		if p.FirstName == "" { // invited, and not introduced yet
			p.FirstName = p.Email
		}
		return p, err
	}
}

// earlier is the first of two days of which either may be none.
func earlier(a, b bank.Day) bank.Day {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

func (p People) scanner(tx *db.Tx, institution bank.InstitutionID) (func(db.Scanner) (identity.Person, error), error) {
	house, err := p.House(tx, institution)
	if err != nil {
		return nil, fmt.Errorf("find the institution: %w", err)
	}
	return scanPerson(institution, house, bank.DayOf(tx.Now, house.Place)), nil
}

// Find returns the staff user, or identity.ErrNoPerson.
func (p People) Find(tx *db.Tx, who identity.Subject) (identity.Person, error) {
	if who.Kind != identity.KindStaff {
		return identity.Person{}, identity.ErrNoPerson
	}
	scan, err := p.scanner(tx, who.Institution)
	if err != nil {
		return identity.Person{}, err
	}
	found, err := db.One(tx, scan, selectPerson+` where u.institution_id = $1 and u.id = $2`, who.Institution, who.ID)
	if errors.Is(err, db.ErrNoRows) {
		return identity.Person{}, identity.ErrNoPerson
	}
	if err != nil {
		return identity.Person{}, fmt.Errorf("find the staff user: %w", err)
	}
	found.Barred, err = barred(tx, who.Institution, bank.StaffID(who.ID))
	return found, err
}

// barred are the ways of signing in that none of a user's groups permits. Where
// the institution has no provider outside, the only way is everybody's.
func barred(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (identity.Way, error) {
	federates, err := identity.Federates(tx, institution)
	if err != nil || !federates {
		return 0, err
	}
	groups, err := groupsOf(tx, institution, id)
	return barredBy(rightsIn(groups).rights), err
}

func barredBy(held catalog.StaffSet) (ways identity.Way) {
	if !held.Has(catalog.StaffSignInHere) {
		ways |= identity.WayHere
	}
	if !held.Has(catalog.StaffSignInOutside) {
		ways |= identity.WayOutside
	}
	return ways
}

// FindByEmail returns the staff user with an email; there is one at most.
func (p People) FindByEmail(tx *db.Tx, institution bank.InstitutionID, kind identity.Kind, email string) ([]identity.Person, error) {
	if kind != identity.KindStaff || db.Fold(email) == "" {
		return nil, nil
	}
	scan, err := p.scanner(tx, institution)
	if err != nil {
		return nil, err
	}
	found, err := db.All(tx, scan, selectPerson+` where u.institution_id = $1 and u.email_key = $2`, institution, db.Fold(email))
	for i := range found {
		if found[i].Barred, err = barred(tx, institution, bank.StaffID(found[i].Subject.ID)); err != nil {
			return nil, err
		}
	}
	return found, err
}

// SetStatus stores a status.
func (People) SetStatus(tx *db.Tx, who identity.Subject, status bank.Status) error {
	n, err := tx.Exec(`update staff_user set status = $1 where institution_id = $2 and id = $3`, status, who.Institution, who.ID)
	return touchOne("store the status", n, err)
}

// SetUsername has nothing to store: the username of a staff user is their
// email.
func (People) SetUsername(*db.Tx, identity.Subject, string, string) error { return nil }
