package staff

import (
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
)

// Lend is the name of an active staff user for whom the caller may let a
// service act: whoever decides that gets at the user's rights, and must hold
// them.
func (Rights) Lend(tx *db.Tx, caller bank.Caller, id bank.StaffID) (string, error) {
	u, err := findUser(tx, caller.Institution, id)
	if err != nil {
		return "", err
	}
	if u.Status != bank.StatusActive {
		return "", fault.Newf(fault.Conflict, "%s is not active, so no service can act for them.", u.Name()).With("NOT_ACTIVE")
	}
	groups, err := groupsOf(tx, caller.Institution, id)
	if err != nil {
		return "", err
	}
	return u.Name(), above(tx, caller, "You can’t let a service act for, or change the service of, somebody who has", rightsIn(groups))
}
