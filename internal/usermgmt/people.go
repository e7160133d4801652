package usermgmt

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// People tells identity who organization users are, and stores what identity
// finds out about them. It judges nothing: identity's verbs pass the guard.
type People struct{}

var _ identity.People = People{}

const selectPerson = `
	select m.id, o.id, o.name, i.name, m.first_name, m.last_name, m.email, m.username, m.status, m.held, m.role, m.switches, i.second_factor, i.second_factor_from, i.time_zone
	  from member m
	  join organization o on o.num = m.organization_num
	  join institution i on i.id = m.institution_id`

func scanPerson(institution bank.InstitutionID, now time.Time) func(db.Scanner) (identity.Person, error) {
	return func(s db.Scanner) (p identity.Person, err error) {
		var id bank.UserID
		var role bank.Role
		var on catalog.Set
		var i Institution
		err = s.Scan(&id, &p.Organization, &p.OrganizationName, &p.InstitutionName, &p.FirstName, &p.LastName, &p.Email, &p.Username, &p.Status, &p.Held,
			&role, &on, &i.Factors.Members, &i.Factors.MembersFrom, &i.TimeZone)
		p.NeedsSecond = i.Factors.requires(role, on, bank.DayOf(now, i.Place()))
		p.Subject = identity.Member(institution, id)
		return p, err
	}
}

// Find returns the organization user, or identity.ErrNoPerson.
func (People) Find(tx *db.Tx, who identity.Subject) (identity.Person, error) {
	if who.Kind != identity.KindMember {
		return identity.Person{}, identity.ErrNoPerson
	}
	p, err := db.One(tx, scanPerson(who.Institution, tx.Now), selectPerson+` where m.institution_id = $1 and m.id = $2`, who.Institution, who.ID)
	if errors.Is(err, db.ErrNoRows) {
		return identity.Person{}, identity.ErrNoPerson
	}
	if err != nil {
		return identity.Person{}, fmt.Errorf("find the person: %w", err)
	}
	return p, nil
}

// maxNamesakes is how many organizations one email address may stand in for
// one answer; a person with more asks an administrator.
const maxNamesakes = 20

// FindByEmail returns the members of all organizations with an email.
func (People) FindByEmail(tx *db.Tx, institution bank.InstitutionID, kind identity.Kind, email string) ([]identity.Person, error) {
	if kind != identity.KindMember || Fold(email) == "" {
		return nil, nil
	}
	return db.All(tx, scanPerson(institution, tx.Now), selectPerson+`
		 where m.institution_id = $1 and m.email_key = $2 order by m.organization_num, m.ordinal limit $3`,
		institution, Fold(email), maxNamesakes)
}

// SetStatus stores a status.
func (People) SetStatus(tx *db.Tx, who identity.Subject, status bank.Status) error {
	if err := touchOne(tx.Exec(`update member set status = $1 where institution_id = $2 and id = $3`, status, who.Institution, who.ID)); err != nil {
		return err
	}
	return touchCustomersOf(tx, who.Institution, who.ID)
}

// SetUsername stores the copy of the username that lists show.
func (People) SetUsername(tx *db.Tx, who identity.Subject, username, key string) error {
	if err := touchOne(tx.Exec(`update member set username = $1, username_key = $2 where institution_id = $3 and id = $4`,
		username, key, who.Institution, who.ID)); err != nil {
		return err
	}
	return touchCustomersOf(tx, who.Institution, who.ID)
}

// touchOne insists that a statement found its one row.
func touchOne(n int64, err error) error {
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("%d rows where there must be one", n)
	}
	return nil
}

// Admins are the usable admins of an organization, for those who write to them.
func Admins(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]identity.Person, error) {
	admins, err := db.All(tx, scanPerson(institution, tx.Now), selectPerson+`
		 where o.institution_id = $1 and o.id = $2 and m.role = 2 and m.status = 1 and not m.held and m.switches & $3 <> 0
		 order by m.ordinal`, institution, organization, uint64(catalog.SetOf(catalog.UserManagementEnabled)))
	if err != nil {
		return nil, fmt.Errorf("find the admins: %w", err)
	}
	return admins, nil
}
