package ach

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// maxOpen is how many batches and schedules of a member are told of.
const maxOpen = 200

// OpenOf lists what goes out in a member's name: batches that they initiated
// and that are not yet released, and schedules that are theirs. What waits for
// a second person stands in the queue of approvals.
func (s *Service) OpenOf(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, member bank.UserID) (runs []Run, schedules map[string]Schedule, err error) {
	runs, err = db.All(tx, scanRun, `select `+runColumns+` from ach_run
		 where institution_id = $1 and organization_id = $2 and initiator = $3 and state = 'initiated' order by started_micros desc, id desc limit $4`,
		institution, organization, member, maxOpen)
	if err != nil {
		return nil, nil, fmt.Errorf("read what a member has initiated: %w", err)
	}
	all, err := db.All(tx, scanSchedule, `select `+scheduleColumns+` from ach_schedule
		 where institution_id = $1 and organization_id = $2 and member_id = $3 and parked = '' order by batch_id limit $4`,
		institution, organization, member, maxOpen)
	if err != nil {
		return nil, nil, fmt.Errorf("read the schedules of a member: %w", err)
	}
	schedules = make(map[string]Schedule, len(all))
	for _, sch := range all {
		b, err := findAny(tx, place{institution, organization}, sch.Batch)
		if err != nil {
			return nil, nil, err
		}
		schedules[b.Name] = sch
	}
	return runs, schedules, nil
}
