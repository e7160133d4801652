package authorization

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// maxOpen is how many payments of an organization are looked through.
const maxOpen = 1000

// OpenOf lists what a member has under way: payments that wait for a second
// person or to be released, the latest first.
func (s *Service) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID) ([]Authorization, error) {
	all, err := db.All(tx, scan, `
		select `+columns+` from payment_authorization
		 where institution_id = $1 and organization_id = $2 and state = 1
		 order by created_micros desc, id desc limit $3`, institution, organization, maxOpen)
	if err != nil {
		return nil, fmt.Errorf("read what is under way: %w", err)
	}
	var open []Authorization
	for _, a := range all {
		if a.Asked.Member == member && s.state(&a, tx.Now) == Pending {
			open = append(open, a)
		}
	}
	return open, nil
}
