package staff

import (
	"errors"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// ServiceUser is the active staff user with an address, for whom a service may
// act; none where there is no such.
func (Rights) ServiceUser(tx *db.Tx, institution bank.InstitutionID, email string) (bank.StaffID, error) {
	u, found, err := userByEmail(tx, institution, email)
	if err != nil || !found || u.Status != bank.StatusActive {
		return "", err
	}
	return u.ID, nil
}

// Lend refuses a caller who does not hold what a staff user holds: whoever
// decides for whom a service acts, or gets at its secret, has that user's
// rights. Nobody who is gone holds anything.
func (Rights) Lend(tx *db.Tx, caller bank.Caller, id bank.StaffID) error {
	if _, err := findUser(tx, caller.Institution, id); errors.Is(err, ErrNoUser) {
		return nil
	} else if err != nil {
		return err
	}
	groups, err := groupsOf(tx, caller.Institution, id)
	if err != nil {
		return err
	}
	return above(tx, caller, "You can’t let a service act for, or change the service of, somebody who has", rightsIn(groups))
}
