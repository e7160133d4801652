package hostsim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

const itemPrefix = "item-"

func itemName(number int64) string { return itemPrefix + reference(number) }

// itemNumber is the number of an item, zero where the name is none of ours.
func itemNumber(name string) int64 {
	text, ours := strings.CutPrefix(name, itemPrefix)
	number, err := strconv.ParseInt(text, 10, 64)
	if !ours || err != nil {
		return 0
	}
	return number
}

func enrolled(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID) (bool, error) {
	n, err := db.One(tx, db.Value[int], `select count(*) from core_enrolled where institution_id = $1 and account_id = $2`, institution, account)
	if err != nil {
		return false, fmt.Errorf("read whether %s is enrolled: %w", account, err)
	}
	return n == 1, nil
}

func setEnrolled(tx *db.Tx, institution bank.InstitutionID, e *host.Enrolment) error {
	var err error
	if e.On {
		_, err = tx.Exec(`insert into core_enrolled (institution_id, account_id) values ($1, $2) on conflict (institution_id, account_id) do nothing`, institution, e.Account)
	} else {
		_, err = tx.Exec(`delete from core_enrolled where institution_id = $1 and account_id = $2`, institution, e.Account)
	}
	if err != nil {
		return fmt.Errorf("enrol %s: %w", e.Account, err)
	}
	return nil
}

type issuedCheck struct {
	host.IssuedCheck
	paid bool
}

func findIssued(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID, number int64) (c issuedCheck, known bool, err error) {
	err = tx.QueryRow(`select number, cents, payee, void, paid from core_issued where institution_id = $1 and account_id = $2 and number = $3`, institution, account, number).
		Scan(&c.Number, &c.Cents, &c.Payee, &c.Void, &c.paid)
	if errors.Is(err, db.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("read the issued check %d: %w", number, err)
	}
	return c, true, nil
}

// putIssued keeps what a customer issued. What was declared void keeps its
// amount, and what was paid stays paid.
func putIssued(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID, c host.IssuedCheck) error {
	_, err := tx.Exec(`
		insert into core_issued (institution_id, account_id, number, cents, payee, void, paid) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (institution_id, account_id, number) do update
		   set cents = case when excluded.void then core_issued.cents else excluded.cents end,
		       payee = case when excluded.void then core_issued.payee else excluded.payee end, void = excluded.void`,
		institution, account, c.Number, c.Cents, c.Payee, c.Void, false)
	if err != nil {
		return fmt.Errorf("keep the issued check %d: %w", c.Number, err)
	}
	return nil
}

func markPaid(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID, number int64) error {
	_, err := tx.Exec(`update core_issued set paid = $1 where institution_id = $2 and account_id = $3 and number = $4`, true, institution, account, number)
	if err != nil {
		return fmt.Errorf("mark the check %d as paid: %w", number, err)
	}
	return nil
}

func insertItem(tx *db.Tx, number int64, c *clearing) error {
	_, err := tx.Exec(`
		insert into core_item (institution_id, number, organization_id, account_id, kind, day, check_number, cents, payee, mismatch,
		       company, company_id, class, description, trace, outcome, front, back, presented_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		c.institution, number, c.Organization, c.Account, c.Kind, c.Day, c.Number, c.Cents, c.Payee, c.Mismatch,
		c.Company, c.CompanyID, c.Class, c.Description, c.Trace, c.Outcome, c.front, c.back, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("keep the item: %w", err)
	}
	return nil
}

const itemColumns = `number, organization_id, account_id, kind, day, check_number, cents, payee, mismatch, company, company_id, class, description, trace,
	outcome, length(front), length(back), presented_micros`

func scanItem(s db.Scanner) (p host.Presented, err error) {
	var number, micros int64
	var front, back int
	err = s.Scan(&number, &p.Organization, &p.Account, &p.Kind, &p.Day, &p.Number, &p.Cents, &p.Payee, &p.Mismatch,
		&p.Company, &p.CompanyID, &p.Class, &p.Description, &p.Trace, &p.Outcome, &front, &back, &micros)
	p.Mark, p.Item, p.At = strconv.FormatInt(number, 10), itemName(number), time.UnixMicro(micros).UTC()
	if front > 0 {
		p.Sides = append(p.Sides, host.Front)
	}
	if back > 0 {
		p.Sides = append(p.Sides, host.Back)
	}
	return p, err
}

func findItem(tx *db.Tx, institution bank.InstitutionID, item string) (host.Presented, bool, error) {
	p, err := db.One(tx, scanItem, `select `+itemColumns+` from core_item where institution_id = $1 and number = $2`, institution, itemNumber(item))
	if errors.Is(err, db.ErrNoRows) {
		return host.Presented{}, false, nil
	}
	if err != nil {
		return host.Presented{}, false, fmt.Errorf("read the item %s: %w", item, err)
	}
	return p, true, nil
}

func presentedAfter(tx *db.Tx, institution bank.InstitutionID, mark int64, most int) ([]host.Presented, error) {
	all, err := db.All(tx, scanItem, `select `+itemColumns+` from core_item where institution_id = $1 and number > $2 order by number limit $3`, institution, mark, most)
	if err != nil {
		return nil, fmt.Errorf("read what came in: %w", err)
	}
	return all, nil
}

func setOutcome(tx *db.Tx, institution bank.InstitutionID, item string, outcome host.Outcome) error {
	_, err := tx.Exec(`update core_item set outcome = $1 where institution_id = $2 and number = $3`, outcome, institution, itemNumber(item))
	if err != nil {
		return fmt.Errorf("end the waiting of %s: %w", item, err)
	}
	return nil
}

func imageOf(tx *db.Tx, institution bank.InstitutionID, item string, side host.Side) ([]byte, error) {
	var front, back []byte
	err := tx.QueryRow(`select front, back from core_item where institution_id = $1 and number = $2`, institution, itemNumber(item)).Scan(&front, &back)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return nil, fmt.Errorf("read the picture: %w", err)
	}
	picture := map[host.Side][]byte{host.Front: front, host.Back: back}[side]
	if len(picture) == 0 {
		return nil, host.ErrNoImage
	}
	return picture, nil
}

func issuedAfter(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID, after int64, most int) ([]host.IssuedCheck, error) {
	all, err := db.All(tx, func(s db.Scanner) (c host.IssuedCheck, err error) {
		err = s.Scan(&c.Number, &c.Cents, &c.Payee, &c.Void)
		return c, err
	}, `
		select number, cents, payee, void from core_issued
		 where institution_id = $1 and account_id = $2 and number > $3 order by number limit $4`, institution, account, after, most)
	if err != nil {
		return nil, fmt.Errorf("list the issued checks: %w", err)
	}
	return all, nil
}
