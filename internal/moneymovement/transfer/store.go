package transfer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A place is whose transfers are meant.
type place struct {
	institution  bank.InstitutionID
	organization bank.OrganizationID
}

// cutRef takes the name of an order apart: the transfer and the attempt.
func cutRef(ref string) (ID, int, error) {
	id, attempt, _ := strings.Cut(ref, "/")
	n, err := strconv.Atoi(attempt)
	return ID(id), n, err
}

const columns = `institution_id, organization_id, id, series_id, occurrence, from_account, to_account, cents, memo, state, asked_day, day, because,
	due_micros, by_id, by_name, maker_id, maker_name, content_hash, created_micros, sent_micros, settled_micros, attempt, reference, code, problem, version`

func scan(s db.Scanner) (t Transfer, err error) {
	var due, created, sent, settled int64
	err = s.Scan(&t.Institution, &t.Organization, &t.ID, &t.Series, &t.Occurrence, &t.From, &t.To, &t.Cents, &t.Memo, &t.State, &t.Asked, &t.Day, &t.Because,
		&due, &t.By.ID, &t.By.Name, &t.Maker.ID, &t.Maker.Name, &t.hash, &created, &sent, &settled, &t.Attempt, &t.Reference, &t.Code, &t.Problem, &t.Version)
	t.Due, t.Created, t.Sent, t.Settled = moment(due), moment(created), moment(sent), moment(settled)
	return t, err
}

// moment reads microseconds; zero is no moment.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func insert(tx *db.Tx, t *Transfer) error {
	_, err := tx.Exec(`
		insert into transfer (`+columns+`, memo_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 0, 0, 0, '', '', '', 0, $21)`,
		t.Institution, t.Organization, t.ID, t.Series, t.Occurrence, t.From, t.To, t.Cents, t.Memo, t.State, t.Asked, t.Day, t.Because,
		micros(t.Due), t.By.ID, t.By.Name, t.Maker.ID, t.Maker.Name, t.hash, micros(t.Created), db.Fold(t.Memo))
	if err != nil {
		return fmt.Errorf("store the transfer: %w", err)
	}
	return nil
}

// update keeps everything that can change.
func update(tx *db.Tx, t *Transfer) error {
	n, err := tx.Exec(`
		update transfer set from_account = $1, to_account = $2, cents = $3, memo = $4, memo_key = $5, state = $6, asked_day = $7, day = $8, because = $9,
		       due_micros = $10, by_id = $11, by_name = $12, sent_micros = $13, settled_micros = $14, attempt = $15, reference = $16, code = $17, problem = $18, version = $19
		 where institution_id = $20 and organization_id = $21 and id = $22 and version = $23`,
		t.From, t.To, t.Cents, t.Memo, db.Fold(t.Memo), t.State, t.Asked, t.Day, t.Because, micros(t.Due), t.By.ID, t.By.Name,
		micros(t.Sent), micros(t.Settled), t.Attempt, t.Reference, t.Code, t.Problem, t.Version, t.Institution, t.Organization, t.ID, t.Version-1)
	if err != nil {
		return fmt.Errorf("update the transfer: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("transfer: %s was changed by somebody else under the lock", t.ID)
	}
	return nil
}

func find(tx *db.Tx, at place, id ID) (Transfer, bool, error) {
	return found(db.One(tx, scan, `select `+columns+` from transfer where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id))
}

func findOccurrence(tx *db.Tx, at place, series SeriesID, n int) (Transfer, bool, error) {
	return found(db.One(tx, scan, `
		select `+columns+` from transfer where institution_id = $1 and organization_id = $2 and series_id = $3 and occurrence = $4 and series_id <> ''`,
		at.institution, at.organization, series, n))
}

func found[T any](one T, err error) (T, bool, error) {
	var none T
	if errors.Is(err, db.ErrNoRows) {
		return none, false, nil
	}
	if err != nil {
		return none, false, fmt.Errorf("read the transfer: %w", err)
	}
	return one, true, nil
}

// due is a place in the order in which transfers fall due.
type due struct {
	micros int64
	id     ID
}

// dueAfter are the next scheduled transfers whose moment has come.
func dueAfter(tx *db.Tx, after due, most int) ([]Transfer, error) {
	all, err := db.All(tx, scan, `
		select `+columns+` from transfer
		 where state = 'scheduled' and due_micros <= $1 and (due_micros > $2 or due_micros = $2 and id > $3)
		 order by due_micros, id limit $4`, tx.Now.UnixMicro(), after.micros, after.id, most)
	if err != nil {
		return nil, fmt.Errorf("read what is due: %w", err)
	}
	return all, nil
}

const seriesColumns = `institution_id, organization_id, id, from_account, to_account, cents, memo, frequency, first_day, until_day, times, made, state,
	by_id, by_name, maker_id, maker_name, content_hash, created_micros, version`

func scanSeries(s db.Scanner) (r Series, err error) {
	var created int64
	err = s.Scan(&r.Institution, &r.Organization, &r.ID, &r.From, &r.To, &r.Cents, &r.Memo, &r.Frequency, &r.First, &r.Until, &r.Times, &r.Made, &r.State,
		&r.By.ID, &r.By.Name, &r.Maker.ID, &r.Maker.Name, &r.hash, &created, &r.Version)
	r.Created = moment(created)
	return r, err
}

func insertSeries(tx *db.Tx, s *Series) error {
	_, err := tx.Exec(`
		insert into transfer_series (`+seriesColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		s.Institution, s.Organization, s.ID, s.From, s.To, s.Cents, s.Memo, s.Frequency, s.First, s.Until, s.Times, s.Made, s.State,
		s.By.ID, s.By.Name, s.Maker.ID, s.Maker.Name, s.hash, micros(s.Created), s.Version)
	if err != nil {
		return fmt.Errorf("store the series: %w", err)
	}
	return nil
}

// updateSeries keeps what can change.
func updateSeries(tx *db.Tx, s *Series) error {
	_, err := tx.Exec(`
		update transfer_series set made = $1, state = $2, version = $3 where institution_id = $4 and organization_id = $5 and id = $6`,
		s.Made, s.State, s.Version, s.Institution, s.Organization, s.ID)
	if err != nil {
		return fmt.Errorf("update the series: %w", err)
	}
	return nil
}

func findSeries(tx *db.Tx, at place, id SeriesID) (Series, bool, error) {
	return found(db.One(tx, scanSeries, `select `+seriesColumns+` from transfer_series where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id))
}
