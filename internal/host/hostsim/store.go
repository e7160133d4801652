package hostsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// nextNumber gives out an institution's next number and holds the institution's
// books until the transaction ends: what changes happens one after another.
func nextNumber(tx *db.Tx, institution bank.InstitutionID) (int64, error) {
	number, err := db.One(tx, db.Value[int64], `
		insert into core_book (institution_id, last_number, last_place) values ($1, 1, 0)
		on conflict (institution_id) do update set last_number = core_book.last_number + 1
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
	name, kind   string
	lastFour     string
	number       string
	internal     bool
	closed       bool
	balance      bank.Cents
	held         bank.Cents
	floor        bank.Cents
}

func (a *account) available() bank.Cents { return a.balance - a.held - a.floor }

func scanAccount(s db.Scanner) (a account, err error) {
	err = s.Scan(&a.id, &a.organization, &a.name, &a.kind, &a.lastFour, &a.number, &a.internal, &a.closed, &a.balance, &a.held, &a.floor)
	return a, err
}

const accountColumns = `id, organization_id, name, kind, last_four, number, internal, closed, balance, held, floor`

// findAccounts reads accounts, however many, in one statement.
func findAccounts(tx *db.Tx, institution bank.InstitutionID, ids []bank.AccountID) (map[bank.AccountID]account, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", err)
	}
	query := accountsSQLite
	if tx.Dialect() == db.PostgreSQL {
		query = accountsPostgreSQL
	}
	all, err := db.All(tx, scanAccount, query, institution, string(list))
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	pages := make(map[bank.AccountID]account, len(all))
	for _, a := range all {
		pages[a.id] = a
	}
	return pages, nil
}

func findAccount(tx *db.Tx, institution bank.InstitutionID, id bank.AccountID) (a account, known bool, err error) {
	pages, err := findAccounts(tx, institution, []bank.AccountID{id})
	a, known = pages[id]
	return a, known, err
}

func insertAccount(tx *db.Tx, institution bank.InstitutionID, a account) error {
	_, err := tx.Exec(`
		insert into core_account (institution_id, `+accountColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10)
		on conflict (institution_id, id) do nothing`,
		institution, a.id, a.organization, a.name, a.kind, a.lastFour, a.number, a.internal, a.closed, a.floor)
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
		update core_account set balance = balance + $1 where institution_id = $2 and id = $3 returning balance`,
		leg.Cents, institution, leg.Account)
	if err != nil {
		return 0, fmt.Errorf("move %s: %w", leg.Account, err)
	}
	return after, nil
}

func insertLine(tx *db.Tx, number int64, place int, o *host.Order, leg host.Leg, after bank.Cents) error {
	_, err := tx.Exec(`
		insert into core_line (institution_id, number, place, account_id, cents, after, day, memo, posted_micros)
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
		select number, cents, after, day, memo, posted_micros from core_line
		 where institution_id = $1 and account_id = $2 order by number desc, place desc limit $3`, institution, account, most)
	if err != nil {
		return nil, fmt.Errorf("read the statement: %w", err)
	}
	return lines, nil
}

// An order is what is kept of one that was answered. One without a hash was
// answered before this database had it: its key alone stands for it.
type order struct {
	number  int64
	hash    []byte
	refused host.Code
	account bank.AccountID
	user    host.Ref
	version int64
	micros  int64
}

func reference(number int64) string { return fmt.Sprintf("%09d", number) }

func (o *order) receipt() host.Receipt {
	return host.Receipt{Reference: reference(o.number), At: time.UnixMicro(o.micros).UTC(), Refused: o.refused, Account: o.account, User: o.user, Version: o.version}
}

func findOrder(tx *db.Tx, institution bank.InstitutionID, key string) (o order, known bool, err error) {
	err = tx.QueryRow(`
		select number, content_hash, refused, account_id, user_ref, user_version, answered_micros
		  from core_order where institution_id = $1 and order_key = $2`,
		institution, key).Scan(&o.number, &o.hash, &o.refused, &o.account, &o.user, &o.version, &o.micros)
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
		insert into core_order (institution_id, order_key, number, content_hash, refused, account_id, user_ref, user_version, answered_micros)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		asked.Institution, keyOf(asked), o.number, o.hash, o.refused, o.account, o.user, o.version, o.micros)
	if err != nil {
		return fmt.Errorf("store the order: %w", err)
	}
	return nil
}
