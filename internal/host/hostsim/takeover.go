package hostsim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// A Place is an account by the product's ids and by the bank's refs.
type Place struct {
	OrganizationID  bank.OrganizationID
	AccountID       bank.AccountID
	Organization    host.Ref
	Account         host.Ref
	OrganizationNow string // what it is called
	Name, Kind      string
	LastFour        string
}

// Before is what the product knew before the bank had a database of its own.
type Before struct {
	Places []Place
	Users  []host.User
}

// TakeOver copies the books that an earlier version kept in the product's own
// database: balances, what is set aside, every entry, and every order that was
// answered, so that one whose answer did not arrive is not carried out again. It
// is done once for each institution, all of it or nothing; what it asks known for
// is asked only then.
func (b *Bank) TakeOver(ctx context.Context, product *db.DB, institution bank.InstitutionID, known func() (Before, error)) error {
	return product.Read(ctx, func(old *db.Tx) error {
		last, err := db.One(old, db.Value[int64], oldBook, institution)
		if errors.Is(err, db.ErrNoRows) {
			return nil // there never were any
		}
		if err != nil {
			return fmt.Errorf("read the product's books: %w", err)
		}
		return b.db.Write(ctx, func(tx *db.Tx) error {
			n, err := tx.Exec(`
				insert into core_book (institution_id, last_number, last_place) values ($1, $2, 0) on conflict (institution_id) do nothing`, institution, last)
			if err != nil || n == 0 {
				return err
			}
			before, err := known()
			if err != nil {
				return err
			}
			return takeOver(old, tx, institution, before)
		})
	})
}

// renaming knows the bank's refs of the product's ids. What has none keeps its
// id: the institution's own accounts.
type renaming map[string]string

func (r renaming) of(id string) string {
	if ref, known := r[id]; known {
		return ref
	}
	return id
}

func takeOver(old, tx *db.Tx, institution bank.InstitutionID, before Before) error {
	names := renaming{}
	for _, p := range before.Places {
		names[string(p.OrganizationID)], names[string(p.AccountID)] = string(p.Organization), string(p.Account)
		if err := addOrganization(tx, institution, p.Organization, p.OrganizationNow); err != nil {
			return err
		}
	}
	c := copying{old, tx, institution, names}
	steps := []error{
		c.rows(7, []int{0, 1}, oldAccounts, `
			insert into core_account (institution_id, id, organization_id, number, internal, balance, held, floor, name, kind, last_four, closed)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $2, '', '', false)`),
		c.rows(5, []int{3}, oldOrders, `
			insert into core_order (institution_id, order_key, number, refused, account_id, answered_micros, content_hash, user_ref, user_version)
			values ($1, $2, $3, $4, $5, $6, '', '', 0)`),
		c.rows(8, []int{2}, oldLines, `
			insert into core_line (institution_id, number, place, account_id, cents, after, day, memo, posted_micros) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`),
		c.rows(4, []int{1}, oldHolds, `insert into core_hold (institution_id, order_key, account_id, cents, open) values ($1, $2, $3, $4, $5)`),
		c.rows(6, []int{1}, oldStops, `
			insert into core_stop (institution_id, order_key, account_id, first_check, last_check, cents, until_day) values ($1, $2, $3, $4, $5, $6, $7)`),
		c.rows(1, []int{0}, oldEnrolled, `insert into core_enrolled (institution_id, account_id) values ($1, $2)`),
		c.rows(6, []int{0}, oldIssued, `insert into core_issued (institution_id, account_id, number, cents, payee, void, paid) values ($1, $2, $3, $4, $5, $6, $7)`),
		c.rows(18, []int{1, 2}, oldItems, `
			insert into core_item (institution_id, number, organization_id, account_id, kind, day, check_number, cents, payee, mismatch,
			       company, company_id, class, description, trace, outcome, front, back, presented_micros)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`),
		c.rows(11, []int{1, 2}, oldCards, `
			insert into core_card (institution_id, id, organization_id, account_id, holder, kind, last_four, expires, state, changed_micros, replaces, replacement)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`),
		c.files(),
		c.called(before.Places),
	}
	for _, u := range before.Users {
		u.Version = 1
		steps = append(steps, insertUser(tx, institution, &u))
	}
	return errors.Join(steps...)
}

// copying goes from the product's database into ours.
type copying struct {
	old, tx     *db.Tx
	institution bank.InstitutionID
	names       renaming
}

// rows copies rows of so many columns, of which some are names.
func (c copying) rows(columns int, named []int, from, into string) error {
	all, err := db.All(c.old, func(s db.Scanner) ([]any, error) {
		row, places := make([]any, columns), make([]any, columns)
		for i := range row {
			places[i] = &row[i]
		}
		return row, s.Scan(places...)
	}, from, c.institution)
	if err != nil {
		return fmt.Errorf("read the product's books: %w", err)
	}
	for _, row := range all {
		for i, v := range row {
			if v == nil { // an empty picture
				row[i] = []byte{}
			}
		}
		for _, i := range named {
			row[i] = c.names.of(fmt.Sprint(row[i]))
		}
		if _, err := c.tx.Exec(into, append([]any{c.institution}, row...)...); err != nil {
			return fmt.Errorf("take the product's books over: %w", err)
		}
	}
	return nil
}

// files takes over what was handed over, and reads it again.
func (c copying) files() error {
	type file struct {
		host.File
		key            string
		number, micros int64
	}
	all, err := db.All(c.old, func(s db.Scanner) (f file, err error) {
		err = s.Scan(&f.key, &f.number, &f.Name, &f.Kind, &f.Body, &f.micros)
		return f, err
	}, oldFiles, c.institution)
	if err != nil {
		return fmt.Errorf("read the product's files: %w", err)
	}
	for _, f := range all {
		taken, _ := readFile(&f.File) // one that cannot be read was taken all the same, and settles nothing
		_, err := c.tx.Exec(`
			insert into core_file (institution_id, order_key, number, name, kind, body, day, entries, credits, debits, received_micros, settled_day)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '')`,
			c.institution, f.key, f.number, f.Name, f.Kind, f.Body, bank.DayOf(time.UnixMicro(f.micros), time.UTC), taken.entries, taken.credits, taken.debits, f.micros)
		if err != nil {
			return fmt.Errorf("take the product's files over: %w", err)
		}
	}
	return nil
}

// called names the accounts as the product does.
func (c copying) called(places []Place) error {
	for _, p := range places {
		_, err := c.tx.Exec(`update core_account set name = $1, kind = $2, last_four = $3 where institution_id = $4 and id = $5`,
			p.Name, p.Kind, p.LastFour, c.institution, p.Account)
		if err != nil {
			return fmt.Errorf("name the accounts: %w", err)
		}
	}
	return nil
}
