package app

import (
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

// everybody are the people of both rooms that keep people: identity knows
// organization users and staff users alike.
type everybody struct {
	members usermgmt.People
	staff   staff.People
}

var _ identity.People = everybody{}

// People are those of both rooms, for identity.
func People() identity.People { return everybody{staff: staff.People{House: House}} }

func (e everybody) of(kind identity.Kind) identity.People {
	if kind == identity.KindStaff {
		return e.staff
	}
	return e.members
}

func (e everybody) Find(tx *db.Tx, who identity.Subject) (identity.Person, error) {
	return e.of(who.Kind).Find(tx, who)
}

func (e everybody) FindByEmail(tx *db.Tx, institution bank.InstitutionID, kind identity.Kind, email string) ([]identity.Person, error) {
	return e.of(kind).FindByEmail(tx, institution, kind, email)
}

func (e everybody) SetStatus(tx *db.Tx, who identity.Subject, status bank.Status) error {
	return e.of(who.Kind).SetStatus(tx, who, status)
}

func (e everybody) SetUsername(tx *db.Tx, who identity.Subject, username, key string) error {
	return e.of(who.Kind).SetUsername(tx, who, username, key)
}

// House is what the room of staff must know of an institution.
func House(tx *db.Tx, id bank.InstitutionID) (staff.House, error) {
	i, known, err := usermgmt.FindInstitution(tx, id)
	if err != nil {
		return staff.House{}, err
	}
	if !known {
		return staff.House{}, usermgmt.ErrNoInstitution
	}
	place, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return staff.House{}, fmt.Errorf("the time zone of %s: %w", id, err)
	}
	return staff.House{Name: i.Name, Place: place, SecondFactorFrom: i.Factors.StaffFrom}, nil
}
