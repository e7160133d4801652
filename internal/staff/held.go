package staff

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
)

// HeldToSecondFactor reports whether one of an active staff user's groups
// requires a second factor, from whatever day on, and they have added one.
func (Rights) HeldToSecondFactor(tx *db.Tx, institution bank.InstitutionID, staff bank.StaffID) (bool, error) {
	n, err := db.One(tx, db.Value[int64], `
		select count(*) from staff_user u
		  join staff_membership m on m.institution_id = u.institution_id and m.staff_id = u.id
		  join staff_group g on g.institution_id = m.institution_id and g.id = m.group_id
		 where u.institution_id = $1 and u.id = $2 and `+statusNow+` = $3 and g.second_factor_from <> ''`, institution, staff, bank.StatusActive)
	if err != nil {
		return false, fmt.Errorf("read whether a group requires a second factor: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return identity.HasSecondFactor(tx, identity.Staff(institution, staff))
}
