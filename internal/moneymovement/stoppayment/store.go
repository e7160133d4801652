package stoppayment

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A place is whose stops are meant.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

const columns = `institution_id, organization_id, id, account_id, first_check, last_check, cents, check_day, payee, fee, state, day, until_day,
	by_id, by_name, content_hash, created_micros, settled_micros, reference, code, problem`

func scan(s db.Scanner) (p Stop, err error) {
	var created, settled int64
	err = s.Scan(&p.Institution, &p.Organization, &p.ID, &p.Account, &p.First, &p.Last, &p.Cents, &p.CheckDay, &p.Payee, &p.Fee, &p.State, &p.Day, &p.Until,
		&p.By.ID, &p.By.Name, &p.hash, &created, &settled, &p.Reference, &p.Code, &p.Problem)
	p.Created = time.UnixMicro(created).UTC()
	if settled > 0 {
		p.Settled = time.UnixMicro(settled).UTC()
	}
	return p, err
}

func insert(tx *db.Tx, s *Stop) error {
	_, err := tx.Exec(`
		insert into stop_payment (`+columns+`, payee_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, '', '', '', $18)`,
		s.Institution, s.Organization, s.ID, s.Account, s.First, s.Last, s.Cents, s.CheckDay, s.Payee, s.Fee, s.State, s.Day, s.Until,
		s.By.ID, s.By.Name, s.hash, s.Created.UnixMicro(), db.Fold(s.Payee))
	if err != nil {
		return fmt.Errorf("store the stop payment: %w", err)
	}
	return nil
}

// update keeps what can change.
func update(tx *db.Tx, s *Stop) error {
	settled := int64(0)
	if !s.Settled.IsZero() {
		settled = s.Settled.UnixMicro()
	}
	_, err := tx.Exec(`
		update stop_payment set state = $1, settled_micros = $2, reference = $3, code = $4, problem = $5
		 where institution_id = $6 and organization_id = $7 and id = $8`,
		s.State, settled, s.Reference, s.Code, s.Problem, s.Institution, s.Organization, s.ID)
	if err != nil {
		return fmt.Errorf("update the stop payment: %w", err)
	}
	return nil
}

func find(tx *db.Tx, at place, id ID) (Stop, bool, error) {
	s, err := db.One(tx, scan, `select `+columns+` from stop_payment where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Stop{}, false, nil
	}
	if err != nil {
		return Stop{}, false, fmt.Errorf("read the stop payment: %w", err)
	}
	return s, true, nil
}

// overlapping are the stops that hold, or may hold soon, for some of the checks.
func overlapping(tx *db.Tx, at place, account bank.AccountID, first, last int64, today bank.Day) ([]Stop, error) {
	all, err := db.All(tx, scan, `
		select `+columns+` from stop_payment
		 where institution_id = $1 and organization_id = $2 and account_id = $3 and first_check <= $4 and last_check >= $5
		   and state in ('sent', 'active', 'lifting') and until_day >= $6
		 order by first_check, id limit 1`, at.institution, at.organization, account, last, first, today)
	if err != nil {
		return nil, fmt.Errorf("read what is stopped: %w", err)
	}
	return all, nil
}
