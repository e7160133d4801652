package usermgmt

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// MembersOf finds everybody of an organization, by id; nobody where there is no
// such organization.
func MembersOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) ([]bank.UserID, error) {
	ids, err := db.All(tx, db.Value[bank.UserID], `
		select m.id from member m join organization o on o.num = m.organization_num
		 where o.institution_id = $1 and o.id = $2 order by m.id`, institution, organization)
	if err != nil {
		return nil, fmt.Errorf("find the members of the organization: %w", err)
	}
	return ids, nil
}
