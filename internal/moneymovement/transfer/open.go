package transfer

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// maxOpen is how much of a member's is listed.
const maxOpen = 100

// OpenOf lists what goes out on a member's right on later days: transfers of
// their own, the next day first, and series that go on.
func (s *Service) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID) ([]Transfer, []Series, error) {
	transfers, err := db.All(tx, scan, `
		select `+columns+` from transfer
		 where institution_id = $1 and organization_id = $2 and by_id = $3 and state = 'scheduled' and series_id = '' order by day, id limit $4`,
		institution, organization, member, maxOpen)
	if err != nil {
		return nil, nil, fmt.Errorf("read a member's scheduled transfers: %w", err)
	}
	series, err := db.All(tx, scanSeries, `
		select `+seriesColumns+` from transfer_series
		 where institution_id = $1 and organization_id = $2 and by_id = $3 and state = 'active' order by created_micros, id limit $4`,
		institution, organization, member, maxOpen)
	if err != nil {
		return nil, nil, fmt.Errorf("read a member's series: %w", err)
	}
	return transfers, series, nil
}
