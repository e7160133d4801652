package activity

import (
	"mandate/internal/bank"
	"mandate/internal/db"
)

func startSQLite(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) error {
	_, err := tx.Exec(`
		insert into stream (institution_id, organization_id, revision, sequence, head)
		values ($1, $2, 0, 0, $3)`, institution, organization, []byte{})
	return err
}

func (s *Stream) advanceSQLite() error {
	_, err := s.tx.Exec(`
		update stream set revision = $1, sequence = $2, head = $3, last_micros = $4
		 where institution_id = $5 and organization_id = $6`,
		s.Revision, s.sequence, s.head, s.last, s.Institution, s.Organization)
	return err
}
