package ach

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

const runColumns = `id, batch_id, title, version, state, company_ident, effective, same_day, recurring, offset_account, last_editor,
	debits_inside, credits, debits, entries, counted, counts_on, initiator, initiator_name, second, approver_name, content_hash, file_hash, reference, reason,
	due_micros, started_micros, ended_micros`

func scanRun(s db.Scanner) (r Run, err error) {
	var due, started, ended int64
	err = s.Scan(&r.ID, &r.Batch, &r.Title, &r.Version, &r.State, &r.Company, &r.Effective, &r.SameDay, &r.Recurring, &r.Offset, &r.lastEditor,
		&r.hasDebits, &r.Credits, &r.Debits, &r.Entries, &r.counted, &r.countsOn, &r.Initiator.ID, &r.Initiator.Name, &r.Second, &r.Approver,
		&r.content, &r.FileHash, &r.Reference, &r.Reason, &due, &started, &ended)
	r.Due, r.Started = time.UnixMicro(due).UTC(), time.UnixMicro(started).UTC()
	if ended > 0 {
		r.Ended = time.UnixMicro(ended).UTC()
	}
	return r, err
}

func findRun(tx *db.Tx, at place, id RunID) (Run, error) {
	r, err := db.One(tx, scanRun, `select `+runColumns+` from ach_run where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return Run{}, ErrNoBatch
	}
	if err != nil {
		return Run{}, fmt.Errorf("read the run %s: %w", id, err)
	}
	return r, nil
}

// runsOf are the runs of a batch, the latest first.
func runsOf(tx *db.Tx, at place, id BatchID) ([]Run, error) {
	all, err := db.All(tx, scanRun, `select `+runColumns+` from ach_run
		 where institution_id = $1 and organization_id = $2 and batch_id = $3 order by started_micros desc, id desc limit $4`,
		at.institution, at.organization, id, MaxPage)
	if err != nil {
		return nil, fmt.Errorf("read the runs of %s: %w", id, err)
	}
	return all, nil
}

func insertRun(tx *db.Tx, at place, r *Run) error {
	_, err := tx.Exec(`
		insert into ach_run (institution_id, organization_id, `+runColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)`,
		at.institution, at.organization, r.ID, r.Batch, r.Title, r.Version, r.State, r.Company, r.Effective, r.SameDay, r.Recurring, r.Offset,
		r.lastEditor, r.hasDebits, r.Credits, r.Debits, r.Entries, r.counted, r.countsOn, r.Initiator.ID, r.Initiator.Name, r.Second, r.Approver,
		r.content, r.FileHash, r.Reference, r.Reason, r.Due.UnixMicro(), r.Started.UnixMicro(), 0)
	if err != nil {
		return fmt.Errorf("store the run of %s: %w", r.Batch, err)
	}
	return nil
}

// updateRun stores what can change: where it stands, who approved, what became
// of it.
func updateRun(tx *db.Tx, at place, r *Run) error {
	ended := int64(0)
	if !r.Ended.IsZero() {
		ended = r.Ended.UnixMicro()
	}
	_, err := tx.Exec(`
		update ach_run set state = $4, approver_name = $5, file_hash = $6, reference = $7, reason = $8, ended_micros = $9
		 where institution_id = $1 and organization_id = $2 and id = $3`,
		at.institution, at.organization, r.ID, r.State, r.Approver, r.FileHash, r.Reference, r.Reason, ended)
	if err != nil {
		return fmt.Errorf("store the run %s: %w", r.ID, err)
	}
	return nil
}

// exposed is what already leaves for a company on a day: the runs of that day
// that were not taken back.
func exposed(tx *db.Tx, at place, company string, day bank.Day) (sum bank.Cents, err error) {
	err = tx.QueryRow(`
		select coalesce(cast(sum(case when credits > debits then credits else debits end) as bigint), 0) from ach_run
		 where institution_id = $1 and organization_id = $2 and company_ident = $3 and counts_on = $4 and state not in ('returned', 'uninitiated')`,
		at.institution, at.organization, company, day).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("read the company's exposure: %w", err)
	}
	return sum, nil
}

// A task is a batch or run that background work is to look at.
type task struct {
	at place
	id string
}

func scanTask(s db.Scanner) (t task, err error) {
	err = s.Scan(&t.at.institution, &t.at.organization, &t.id)
	return t, err
}

// dueRuns are initiated runs whose cut-off has come, in the order of their ids.
func dueRuns(tx *db.Tx, after string, most int) ([]task, error) {
	return db.All(tx, scanTask, `
		select institution_id, organization_id, id from ach_run
		 where state = 'initiated' and due_micros <= $1 and id > $2 order by id limit $3`, tx.Now.UnixMicro(), after, most)
}

// overRuns are the runs of an institution, dated before its day, of batches that
// still show them. What came in as a file stays processed: it is not for sending
// again.
func overRuns(tx *db.Tx, institution bank.InstitutionID, today bank.Day, after string, most int) ([]task, error) {
	return db.All(tx, scanTask, `
		select r.institution_id, r.organization_id, r.id from ach_batch b
		  join ach_run r on r.institution_id = b.institution_id and r.organization_id = b.organization_id and r.id = b.run_id
		 where b.institution_id = $1 and b.state = 'processed' and b.origin <> 'file' and b.run_id > $2 and r.effective < $3
		 order by b.run_id limit $4`, institution, after, today, most)
}

// filesOn counts the files that an institution sent since a moment.
func filesOn(tx *db.Tx, institution bank.InstitutionID, since time.Time) (n int, err error) {
	err = tx.QueryRow(`select count(*) from ach_run where institution_id = $1 and file_hash <> '' and ended_micros >= $2`, institution, since.UnixMicro()).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count today's files: %w", err)
	}
	return n, nil
}
