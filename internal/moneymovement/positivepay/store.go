package positivepay

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

const fileColumns = `institution_id, organization_id, id, account_id, name, source, state, checks, voids, cents, content_hash, by_id, by_name,
	approver_id, approver_name, created_micros, approved_micros, settled_micros, attempt, reference, code, problem`

func scanFile(s db.Scanner) (f File, err error) {
	var created, approved, settled int64
	err = s.Scan(&f.Institution, &f.Organization, &f.ID, &f.Account, &f.Name, &f.Source, &f.State, &f.Checks, &f.Voids, &f.Cents, &f.hash, &f.By.ID, &f.By.Name,
		&f.Approver.ID, &f.Approver.Name, &created, &approved, &settled, &f.Attempt, &f.Reference, &f.Code, &f.Problem)
	f.Created, f.Approved, f.Settled = moment(created), moment(approved), moment(settled)
	f.By.Kind, f.Approver.Kind = bank.ActorMember, bank.ActorMember // nobody else uploads or approves
	return f, err
}

func insertFile(tx *db.Tx, f *File) error {
	_, err := tx.Exec(`
		insert into arp_file (`+fileColumns+`, name_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', '', $14, 0, 0, 0, '', '', '', $15)`,
		f.Institution, f.Organization, f.ID, f.Account, f.Name, f.Source, f.State, f.Checks, f.Voids, f.Cents, f.hash, f.By.ID, f.By.Name, f.Created.UnixMicro(), db.Fold(f.Name))
	if err != nil {
		return fmt.Errorf("store the list: %w", err)
	}
	return nil
}

// updateFile keeps what can change.
func updateFile(tx *db.Tx, f *File) error {
	_, err := tx.Exec(`
		update arp_file set state = $1, approver_id = $2, approver_name = $3, approved_micros = $4, settled_micros = $5, attempt = $6, reference = $7, code = $8, problem = $9
		 where institution_id = $10 and organization_id = $11 and id = $12`,
		f.State, f.Approver.ID, f.Approver.Name, micros(f.Approved), micros(f.Settled), f.Attempt, f.Reference, f.Code, f.Problem, f.Institution, f.Organization, f.ID)
	if err != nil {
		return fmt.Errorf("update the list: %w", err)
	}
	return nil
}

func findFile(tx *db.Tx, at place, id FileID) (File, bool, error) {
	f, err := db.One(tx, scanFile, `select `+fileColumns+` from arp_file where institution_id = $1 and organization_id = $2 and id = $3`, at.institution, at.organization, id)
	if errors.Is(err, db.ErrNoRows) {
		return File{}, false, nil
	}
	if err != nil {
		return File{}, false, fmt.Errorf("read the list: %w", err)
	}
	return f, true, nil
}

// sameBefore finds a list of the same checks that was not deleted.
func sameBefore(tx *db.Tx, f *File) (name string, found bool, err error) {
	name, err = db.One(tx, db.Value[string], `
		select name from arp_file where institution_id = $1 and organization_id = $2 and content_hash = $3 and state <> 'deleted' order by id limit 1`,
		f.Institution, f.Organization, f.hash)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look for the same list: %w", err)
	}
	return name, true, nil
}

// An Issue is a check as it stands in a list.
type Issue struct {
	Check
	File    FileID
	Account bank.AccountID
	State   IssueState
	Done    bank.Day // on which it was paid or declared void; empty before
}

const issueColumns = `file_id, line, account_id, number, cents, payee, day, void, state, done_day`

func scanIssue(s db.Scanner) (i Issue, err error) {
	err = s.Scan(&i.File, &i.Line, &i.Account, &i.Number, &i.Cents, &i.Payee, &i.Day, &i.Void, &i.State, &i.Done)
	return i, err
}

func insertIssues(tx *db.Tx, at place, issues []Issue) error {
	for _, i := range issues {
		_, err := tx.Exec(`
			insert into arp_issue (institution_id, organization_id, `+issueColumns+`, payee_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12)`,
			at.institution, at.organization, i.File, i.Line, i.Account, i.Number, i.Cents, i.Payee, i.Day, i.Void, i.State, db.Fold(i.Payee))
		if err != nil {
			return fmt.Errorf("store line %d: %w", i.Line, err)
		}
	}
	return nil
}

func issuesOf(tx *db.Tx, at place, id FileID) ([]Issue, error) {
	all, err := db.All(tx, scanIssue, `select `+issueColumns+` from arp_issue where institution_id = $1 and organization_id = $2 and file_id = $3 order by line`,
		at.institution, at.organization, id)
	if err != nil {
		return nil, fmt.Errorf("read the checks of the list: %w", err)
	}
	return all, nil
}

// issuedBetween are the checks of an account that other lists issued.
func issuedBetween(tx *db.Tx, at place, account bank.AccountID, first, last int64, but FileID) (map[int64]Issue, error) {
	all, err := db.All(tx, scanIssue, `
		select `+issueColumns+` from arp_issue
		 where institution_id = $1 and organization_id = $2 and account_id = $3 and number >= $4 and number <= $5
		   and not void and state not in ('rejected', 'deleted') and file_id <> $6`,
		at.institution, at.organization, account, first, last, but)
	if err != nil {
		return nil, fmt.Errorf("read what was issued: %w", err)
	}
	known := make(map[int64]Issue, len(all))
	for _, i := range all {
		known[i.Number] = i
	}
	return known, nil
}

// moveIssues brings the checks of a list where the list is.
func moveIssues(tx *db.Tx, f *File) error {
	for _, void := range []bool{false, true} {
		_, err := tx.Exec(`update arp_issue set state = $1 where institution_id = $2 and organization_id = $3 and file_id = $4 and void = $5`,
			issueAfter(f.State, void), f.Institution, f.Organization, f.ID, void)
		if err != nil {
			return fmt.Errorf("move the checks of the list: %w", err)
		}
	}
	return nil
}

// voidIssues marks the checks that a list declares void.
func voidIssues(tx *db.Tx, f *File, day bank.Day) error {
	_, err := tx.Exec(`
		update arp_issue set state = 'voided', done_day = $1
		 where institution_id = $2 and organization_id = $3 and account_id = $4 and not void and state = 'outstanding'
		   and number in (select number from arp_issue where institution_id = $2 and organization_id = $3 and file_id = $5 and void)`,
		day, f.Institution, f.Organization, f.Account, f.ID)
	if err != nil {
		return fmt.Errorf("mark what is void: %w", err)
	}
	return nil
}

// payIssue marks a check as paid on a day, where it is outstanding.
func payIssue(tx *db.Tx, at place, account bank.AccountID, number int64, day bank.Day) error {
	_, err := tx.Exec(`
		update arp_issue set state = 'paid', done_day = $1
		 where institution_id = $2 and organization_id = $3 and account_id = $4 and number = $5 and not void and state in ('outstanding', 'voided')`,
		day, at.institution, at.organization, account, number)
	if err != nil {
		return fmt.Errorf("mark check %d as paid: %w", number, err)
	}
	return nil
}

// issueOf is the check that was issued under a number.
func issueOf(tx *db.Tx, at place, account bank.AccountID, number int64) (Issue, bool, error) {
	all, err := issuedBetween(tx, at, account, number, number, "")
	i, found := all[number]
	return i, found, err
}
