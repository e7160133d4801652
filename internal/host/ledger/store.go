package ledger

import (
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// nextNumber gives out an institution's next number and holds the institution's
// books until the transaction ends: postings happen one after another.
func nextNumber(tx *db.Tx, institution bank.InstitutionID) (int64, error) {
	number, err := db.One(tx, db.Value[int64], `
		insert into ledger_book (institution_id, last_number) values ($1, 1)
		on conflict (institution_id) do update set last_number = ledger_book.last_number + 1
		returning last_number`, institution)
	if err != nil {
		return 0, fmt.Errorf("open the books: %w", err)
	}
	return number, nil
}

// An account is one page of the books.
type account struct {
	id           bank.AccountID
	organization bank.OrganizationID
	number       string
	internal     bool
	balance      bank.Cents
	held         bank.Cents
	floor        bank.Cents
}

func (a *account) available() bank.Cents { return a.balance - a.held - a.floor }

func find(tx *db.Tx, institution bank.InstitutionID, id bank.AccountID) (account, bool, error) {
	a := account{id: id}
	err := tx.QueryRow(`
		select organization_id, number, internal, balance, held, floor from ledger_account where institution_id = $1 and id = $2`, institution, id).
		Scan(&a.organization, &a.number, &a.internal, &a.balance, &a.held, &a.floor)
	if errors.Is(err, db.ErrNoRows) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, fmt.Errorf("read the account %s: %w", id, err)
	}
	return a, true, nil
}

// chunk is how many accounts one statement asks for.
const chunk = 32

// readBalances puts the balances of a chunk of customers' accounts into a map.
func readBalances(tx *db.Tx, institution bank.InstitutionID, ids []bank.AccountID, into map[bank.AccountID]host.Balance) error {
	args := make([]any, chunk+1)
	args[0] = institution
	for i := range chunk {
		args[i+1] = ids[min(i, len(ids)-1)] // what is left over asks for the last one again
	}
	_, err := db.All(tx, func(s db.Scanner) (a account, err error) {
		err = s.Scan(&a.id, &a.balance, &a.held, &a.floor)
		into[a.id] = host.Balance{Ledger: a.balance, Available: a.available()}
		return a, err
	}, `
		select id, balance, held, floor from ledger_account
		 where institution_id = $1 and internal = false and id in (
			$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
			$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)`, args...)
	if err != nil {
		return fmt.Errorf("read the balances: %w", err)
	}
	return nil
}

func insertAccount(tx *db.Tx, institution bank.InstitutionID, a account) error {
	_, err := tx.Exec(`
		insert into ledger_account (institution_id, id, organization_id, number, internal, balance, held, floor)
		values ($1, $2, $3, $4, $5, 0, 0, 0)
		on conflict (institution_id, id) do nothing`, institution, a.id, a.organization, a.number, a.internal)
	if err == nil && a.floor != 0 {
		_, err = tx.Exec(`update ledger_account set floor = $1 where institution_id = $2 and id = $3`, a.floor, institution, a.id)
	}
	if err != nil {
		return fmt.Errorf("store the account: %w", err)
	}
	return nil
}

// move changes a balance. The institution's own accounts are there when they
// are first needed.
func move(tx *db.Tx, institution bank.InstitutionID, leg host.Leg) (after bank.Cents, err error) {
	if host.IsInternal(leg.Account) {
		if err := insertAccount(tx, institution, account{id: leg.Account, internal: true}); err != nil {
			return 0, err
		}
	}
	after, err = db.One(tx, db.Value[bank.Cents], `
		update ledger_account set balance = balance + $1 where institution_id = $2 and id = $3 returning balance`,
		leg.Cents, institution, leg.Account)
	if err != nil {
		return 0, fmt.Errorf("move %s: %w", leg.Account, err)
	}
	return after, nil
}

func insertLine(tx *db.Tx, number int64, place int, o *host.Order, leg host.Leg, after bank.Cents) error {
	_, err := tx.Exec(`
		insert into ledger_line (institution_id, number, place, account_id, cents, after, day, memo, posted_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		o.Institution, number, place, leg.Account, leg.Cents, after, o.Day, o.Memo, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("store the line: %w", err)
	}
	return nil
}

func statement(tx *db.Tx, institution bank.InstitutionID, account bank.AccountID, most int) ([]host.Line, error) {
	lines, err := db.All(tx, func(s db.Scanner) (l host.Line, err error) {
		var number, micros int64
		err = s.Scan(&number, &l.Cents, &l.After, &l.Day, &l.Memo, &micros)
		l.Reference, l.At = reference(number), time.UnixMicro(micros).UTC()
		return l, err
	}, `
		select number, cents, after, day, memo, posted_micros from ledger_line
		 where institution_id = $1 and account_id = $2 order by number desc, place desc limit $3`, institution, account, most)
	if err != nil {
		return nil, fmt.Errorf("read the statement: %w", err)
	}
	return lines, nil
}

// An order is what is kept of one that was answered.
type order struct {
	number  int64
	hash    []byte
	refused host.Code
	account bank.AccountID
	micros  int64
}

func reference(number int64) string { return fmt.Sprintf("%09d", number) }

func (o *order) receipt() host.Receipt {
	return host.Receipt{Reference: reference(o.number), At: time.UnixMicro(o.micros).UTC(), Refused: o.refused, Account: o.account}
}

func findOrder(tx *db.Tx, institution bank.InstitutionID, key string) (o order, known bool, err error) {
	err = tx.QueryRow(`
		select number, content_hash, refused, account_id, answered_micros from ledger_order where institution_id = $1 and order_key = $2`,
		institution, key).Scan(&o.number, &o.hash, &o.refused, &o.account, &o.micros)
	if errors.Is(err, db.ErrNoRows) {
		return order{}, false, nil
	}
	if err != nil {
		return order{}, false, fmt.Errorf("read the order %s: %w", key, err)
	}
	return o, true, nil
}

func insertOrder(tx *db.Tx, asked *host.Order, o order) error {
	_, err := tx.Exec(`
		insert into ledger_order (institution_id, order_key, number, content_hash, refused, account_id, answered_micros)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		asked.Institution, asked.Key(), o.number, o.hash, o.refused, o.account, o.micros)
	if err != nil {
		return fmt.Errorf("store the order: %w", err)
	}
	return nil
}

type hold struct {
	account bank.AccountID
	cents   bank.Cents
}

func findHold(tx *db.Tx, institution bank.InstitutionID, key string) (h hold, open bool, err error) {
	err = tx.QueryRow(`select account_id, cents, open from ledger_hold where institution_id = $1 and order_key = $2`, institution, key).
		Scan(&h.account, &h.cents, &open)
	if errors.Is(err, db.ErrNoRows) {
		return hold{}, false, nil
	}
	if err != nil {
		return hold{}, false, fmt.Errorf("read the hold %s: %w", key, err)
	}
	return h, open, nil
}

func insertHold(tx *db.Tx, o *host.Order) error {
	_, err := tx.Exec(`insert into ledger_hold (institution_id, order_key, account_id, cents, open) values ($1, $2, $3, $4, $5)`,
		o.Institution, o.Key(), o.Hold.Account, o.Hold.Cents, true)
	if err == nil {
		_, err = tx.Exec(`update ledger_account set held = held + $1 where institution_id = $2 and id = $3`,
			o.Hold.Cents, o.Institution, o.Hold.Account)
	}
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	return nil
}

func endHold(tx *db.Tx, institution bank.InstitutionID, key string) error {
	h, open, err := findHold(tx, institution, key)
	if err != nil || !open {
		return err
	}
	_, err = tx.Exec(`update ledger_hold set open = $1 where institution_id = $2 and order_key = $3`, false, institution, key)
	if err == nil {
		_, err = tx.Exec(`update ledger_account set held = held - $1 where institution_id = $2 and id = $3`, h.cents, institution, h.account)
	}
	if err != nil {
		return fmt.Errorf("free what was set aside: %w", err)
	}
	return nil
}

func insertStop(tx *db.Tx, o *host.Order) error {
	_, err := tx.Exec(`
		insert into ledger_stop (institution_id, order_key, account_id, first_check, last_check, cents, until_day)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		o.Institution, o.Key(), o.Stop.Account, o.Stop.First, o.Stop.Last, o.Stop.Cents, o.Stop.Until)
	if err != nil {
		return fmt.Errorf("place the stop: %w", err)
	}
	return nil
}

// hasStop reports whether the stop that an order lifts is there, on an account
// of the order's organization.
func hasStop(tx *db.Tx, o *host.Order) (bool, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from ledger_stop s join ledger_account a on a.institution_id = s.institution_id and a.id = s.account_id
		 where s.institution_id = $1 and s.order_key = $2 and a.organization_id = $3`, o.Institution, o.Lift, o.Organization)
	if err != nil {
		return false, fmt.Errorf("read the stop: %w", err)
	}
	return n == 1, nil
}

func dropStop(tx *db.Tx, o *host.Order) error {
	if _, err := tx.Exec(`delete from ledger_stop where institution_id = $1 and order_key = $2`, o.Institution, o.Lift); err != nil {
		return fmt.Errorf("lift the stop: %w", err)
	}
	return nil
}

func insertFile(tx *db.Tx, o *host.Order) error {
	_, err := tx.Exec(`
		insert into ledger_file (institution_id, order_key, name, kind, body, received_micros) values ($1, $2, $3, $4, $5, $6)`,
		o.Institution, o.Key(), o.File.Name, o.File.Kind, o.File.Body, tx.Now.UnixMicro())
	if err != nil {
		return fmt.Errorf("take the file: %w", err)
	}
	return nil
}
