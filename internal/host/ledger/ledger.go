// Package ledger is a core-banking host inside the program: double-entry books
// in the same database. Every posting adds up to nothing, nothing is moved that
// an account does not have available, and every key is carried out once. Rooms
// meet it as a host.Connector, like any other host, and never in their own
// transactions; it knows nothing of them.
package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// maxStatement is the most lines that one look shows.
const maxStatement = 500

// A Ledger is the books of all institutions of a database.
type Ledger struct{ db *db.DB }

var _ host.Connector = (*Ledger)(nil)

// New returns the books of a database.
func New(d *db.DB) *Ledger { return &Ledger{db: d} }

// An Opening puts an account into the books.
type Opening struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	Account      bank.AccountID
	Number       string     // in full, as other banks know it; empty where it has none
	Balance      bank.Cents // to begin with; it comes from the institution's own books
	Floor        bank.Cents // how far the balance may go down: zero, or below it for a line of credit
}

// Open puts accounts into the books. One that is there already stays as it is.
func (l *Ledger) Open(ctx context.Context, openings ...Opening) error {
	return l.db.Write(ctx, func(tx *db.Tx) error {
		for _, o := range openings {
			if err := open(tx, o); err != nil {
				return fmt.Errorf("open %s: %w", o.Account, err)
			}
		}
		return nil
	})
}

func open(tx *db.Tx, o Opening) error {
	number, err := nextNumber(tx, o.Institution)
	if err != nil {
		return err
	}
	_, known, err := find(tx, o.Institution, o.Account)
	if known || err != nil {
		return err
	}
	if err := insertAccount(tx, o.Institution, account{id: o.Account, organization: o.Organization, number: o.Number, floor: min(o.Floor, o.Balance)}); err != nil {
		return err
	}
	if o.Balance == 0 {
		return nil
	}
	order := host.Order{
		Institution: o.Institution, Organization: o.Organization, Room: "ledger", Ref: "opening/" + string(o.Account),
		Day: bank.DayOf(tx.Now, tx.Now.Location()), Memo: "Opening balance",
		Legs: host.Move(host.Internal("opening"), o.Account, o.Balance),
	}
	return post(tx, number, &order)
}

// Balances reads accounts as they stand.
func (l *Ledger) Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, error) {
	balances := make(map[bank.AccountID]host.Balance, len(accounts))
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		for ids := range slices.Chunk(accounts, chunk) {
			if err := readBalances(tx, institution, ids, balances); err != nil {
				return err
			}
		}
		return nil
	})
	return balances, err
}

// Numbers are the full numbers of accounts.
func (l *Ledger) Numbers(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]string, error) {
	numbers := map[bank.AccountID]string{}
	err := l.db.Read(ctx, func(tx *db.Tx) error {
		for _, id := range accounts {
			a, known, err := find(tx, institution, id)
			if err != nil {
				return err
			}
			if known && a.number != "" {
				numbers[id] = a.number
			}
		}
		return nil
	})
	return numbers, err
}

// Statement lists what was posted to an account, the latest first.
func (l *Ledger) Statement(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, most int) (lines []host.Line, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		lines, err = statement(tx, institution, account, min(most, maxStatement))
		return err
	})
	return lines, err
}

// Carry carries an order out, once for each key.
func (l *Ledger) Carry(ctx context.Context, o host.Order) (receipt host.Receipt, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		return host.Receipt{}, fmt.Errorf("write the order: %w", err)
	}
	hash := sha256.Sum256(text)
	err = l.db.Write(ctx, func(tx *db.Tx) error {
		number, err := nextNumber(tx, o.Institution) // from here on nobody else posts for the institution
		if err != nil {
			return err
		}
		done, known, err := findOrder(tx, o.Institution, o.Key())
		switch {
		case err != nil:
			return err
		case known && !slices.Equal(done.hash, hash[:]):
			return host.ErrReused
		case known:
			receipt = done.receipt()
			return nil
		}
		if err := fillIn(tx, &o); err != nil {
			return err
		}
		record := order{number: number, hash: hash[:], micros: tx.Now.UnixMicro()}
		if record.refused, record.account, err = refuse(tx, &o); err != nil {
			return err
		}
		receipt = record.receipt()
		if err := insertOrder(tx, &o, record); err != nil {
			return err
		}
		if record.refused != "" {
			return nil
		}
		return carry(tx, number, &o)
	})
	return receipt, err
}

// refuse says why an order cannot be carried out; an empty code: it can. What
// it frees counts for what it moves.
func refuse(tx *db.Tx, o *host.Order) (host.Code, bank.AccountID, error) {
	if !host.Balanced(o.Legs) || o.Hold != nil && o.Hold.Cents <= 0 {
		return host.NotBalanced, "", nil
	}
	wanted, err := takes(o)
	if err != nil {
		return "", "", err
	}
	if o.Free != "" {
		h, open, err := findHold(tx, o.Institution, o.Free)
		if err != nil {
			return "", "", err
		}
		a, _, err := find(tx, o.Institution, h.account)
		if err != nil {
			return "", "", err
		}
		if !open || a.organization != o.Organization {
			return host.UnknownHold, "", nil
		}
		wanted[h.account] -= h.cents
	}
	if o.Lift != "" {
		known, err := hasStop(tx, o)
		if err != nil {
			return "", "", err
		}
		if !known {
			return host.UnknownStop, "", nil
		}
	}
	if code, err := refuseCard(tx, o); code != "" || err != nil {
		return code, "", err
	}
	if code, account, err := refuseItems(tx, o); code != "" || err != nil {
		return code, account, err
	}
	for _, id := range accountsOf(o) {
		a, known, err := find(tx, o.Institution, id)
		if err != nil {
			return "", "", err
		}
		if host.IsInternal(id) {
			continue
		}
		if !known || a.organization != o.Organization {
			return host.UnknownAccount, id, nil
		}
		if wanted[id] > 0 && wanted[id] > a.available() {
			return host.NotCovered, id, nil
		}
	}
	return "", "", nil
}

// takes sums what an order takes out of each account or sets aside there.
func takes(o *host.Order) (map[bank.AccountID]bank.Cents, error) {
	wanted := map[bank.AccountID]bank.Cents{}
	add := func(id bank.AccountID, cents bank.Cents) error {
		sum, fits := wanted[id].Add(cents)
		if !fits {
			return fmt.Errorf("ledger: the amounts of %s do not fit", o.Key())
		}
		wanted[id] = sum
		return nil
	}
	for _, leg := range o.Legs {
		if err := add(leg.Account, -leg.Cents); err != nil {
			return nil, err
		}
	}
	if o.Hold != nil {
		return wanted, add(o.Hold.Account, o.Hold.Cents)
	}
	return wanted, nil
}

// accountsOf are the accounts that an order names, each once, in order.
func accountsOf(o *host.Order) []bank.AccountID {
	var all []bank.AccountID
	for _, leg := range o.Legs {
		all = append(all, leg.Account)
	}
	if o.Hold != nil {
		all = append(all, o.Hold.Account)
	}
	if o.Stop != nil {
		all = append(all, o.Stop.Account)
	}
	if o.Enrol != nil {
		all = append(all, o.Enrol.Account)
	}
	if o.Issued != nil {
		all = append(all, o.Issued.Account)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// carry does what nothing stands against.
func carry(tx *db.Tx, number int64, o *host.Order) error {
	if o.Free != "" {
		if err := endHold(tx, o.Institution, o.Free); err != nil {
			return err
		}
	}
	if err := post(tx, number, o); err != nil {
		return err
	}
	if o.Hold != nil {
		if err := insertHold(tx, o); err != nil {
			return err
		}
	}
	if o.Stop != nil {
		if err := insertStop(tx, o); err != nil {
			return err
		}
	}
	if o.Lift != "" {
		if err := dropStop(tx, o); err != nil {
			return err
		}
	}
	if o.Card != nil {
		if err := carryCard(tx, o); err != nil {
			return err
		}
	}
	if o.File != nil {
		if err := insertFile(tx, o); err != nil {
			return err
		}
	}
	return carryItems(tx, o)
}

// post writes the legs of an order into the books.
func post(tx *db.Tx, number int64, o *host.Order) error {
	for i, leg := range o.Legs {
		after, err := move(tx, o.Institution, leg)
		if err != nil {
			return err
		}
		if err := insertLine(tx, number, i, o, leg, after); err != nil {
			return err
		}
	}
	return nil
}
