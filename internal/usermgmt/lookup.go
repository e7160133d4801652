package usermgmt

import (
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// OrganizationsOf finds the organization of each member by the member's id
// alone. A member that the institution does not have is absent, and so is an id
// that stands in more than one organization: it names nobody in particular.
func OrganizationsOf(tx *db.Tx, institution bank.InstitutionID, members []bank.UserID) (map[bank.UserID]bank.OrganizationID, error) {
	found := make(map[bank.UserID]bank.OrganizationID, len(members))
	ambiguous := map[bank.UserID]bool{}
	for ids := range slices.Chunk(members, chunk) {
		rows, err := db.All(tx, scanPlace, `
			select m.id, o.id from member m join organization o on o.num = m.organization_num
			 where m.institution_id = $1 and m.id in ($2, $3, $4, $5, $6, $7, $8, $9)`, in8([]any{institution}, ids)...)
		if err != nil {
			return nil, fmt.Errorf("find the members' organizations: %w", err)
		}
		for _, row := range rows {
			if other, twice := found[row.member]; twice && other != row.organization {
				ambiguous[row.member] = true
			}
			found[row.member] = row.organization
		}
	}
	for id := range ambiguous {
		delete(found, id)
	}
	return found, nil
}

type place struct {
	member       bank.UserID
	organization bank.OrganizationID
}

func scanPlace(s db.Scanner) (p place, err error) {
	err = s.Scan(&p.member, &p.organization)
	return p, err
}
