package staff

import (
	"errors"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// Known is a staff user as whoever signs them in elsewhere must know them: who
// they are, their groups and what these permit. Whoever is not active, or not
// there, is nobody: identity.ErrNoPerson.
func Known(tx *db.Tx, institution bank.InstitutionID, id bank.StaffID) (u User, groups []Group, rights catalog.StaffSet, err error) {
	u, err = findUser(tx, institution, id)
	if errors.Is(err, ErrNoUser) || err == nil && u.Status != bank.StatusActive {
		return u, nil, 0, identity.ErrNoPerson
	}
	if err != nil {
		return u, nil, 0, err
	}
	if groups, err = groupsOf(tx, institution, id); err != nil {
		return u, nil, 0, err
	}
	rights, err = rightsOf(tx, institution, id)
	return u, groups, rights, err
}
