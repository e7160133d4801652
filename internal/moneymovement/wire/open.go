package wire

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// maxOpen is how much of a member's is listed.
const maxOpen = 100

// OpenOf lists what goes out on a member's right on later days: wires that they
// sent off alone, the next day first, and series that go on. What a second
// person must agree to, or has agreed to, stands in the queue of approvals.
func (s *Service) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID) ([]Wire, []Series, error) {
	wires, err := db.All(tx, scan, `
		select `+columns+` from wire
		 where institution_id = $1 and organization_id = $2 and by_id = $3 and state = 'initiated' and item_id = '' order by day, id limit $4`,
		institution, organization, member, maxOpen)
	if err != nil {
		return nil, nil, fmt.Errorf("read what a member has sent off: %w", err)
	}
	series, err := db.All(tx, scanSeries, `
		select `+seriesColumns+` from wire_series
		 where institution_id = $1 and organization_id = $2 and by_id = $3 and state = 'active' order by created_micros, id limit $4`,
		institution, organization, member, maxOpen)
	if err != nil {
		return nil, nil, fmt.Errorf("read a member's series of wires: %w", err)
	}
	return wires, series, nil
}
