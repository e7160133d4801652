package hostsim

import (
	"cmp"
	"context"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

// maxStatement is the most lines that one look shows.
const maxStatement = 500

// An Opening puts an account into the books. Its organization, where there is
// none of that ref yet, comes into being with it.
type Opening struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	Account      bank.AccountID
	Name, Kind   string // without a name it goes by its ref
	LastFour     string
	Number       string     // in full, as other banks know it; empty where it has none
	Balance      bank.Cents // to begin with; it comes from the institution's own books
	Floor        bank.Cents // how far the balance may go down: zero, or below it for a line of credit
}

// Open puts accounts of one institution into the books, all or none, and tells
// nobody. One that is there already stays as it is.
func (b *Bank) Open(ctx context.Context, openings ...Opening) error {
	if len(openings) == 0 {
		return nil
	}
	institution := openings[0].Institution
	return b.write(ctx, institution, func(tx *db.Tx, _ int64) error {
		ids := make([]bank.AccountID, len(openings))
		for i, o := range openings {
			ids[i] = o.Account
		}
		there, err := findAccounts(tx, institution, ids)
		if err != nil {
			return err
		}
		for _, o := range openings {
			if _, known := there[o.Account]; known {
				continue
			}
			if err := open(tx, institution, o); err != nil {
				return fmt.Errorf("open %s: %w", o.Account, err)
			}
		}
		return nil
	})
}

func open(tx *db.Tx, institution bank.InstitutionID, o Opening) error {
	if err := addOrganization(tx, institution, host.Ref(o.Organization), string(o.Organization)); err != nil {
		return err
	}
	err := insertAccount(tx, institution, account{
		id: o.Account, organization: o.Organization, name: cmp.Or(o.Name, string(o.Account)), kind: o.Kind, lastFour: o.LastFour, number: o.Number, floor: min(o.Floor, o.Balance),
	})
	if err != nil || o.Balance == 0 {
		return err
	}
	number, err := nextNumber(tx, institution)
	if err != nil {
		return err
	}
	order := host.Order{
		Institution: institution, Organization: o.Organization, Day: bank.DayOf(tx.Now, tx.Now.Location()), Memo: "Opening balance",
		Legs: host.Move(host.Internal("opening"), o.Account, o.Balance),
	}
	return post(tx, number, &order)
}

// Balances reads accounts as they stand.
func (b *Bank) Balances(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, error) {
	balances := make(map[bank.AccountID]host.Balance, len(accounts))
	err := b.db.Read(ctx, func(tx *db.Tx) error {
		pages, err := findAccounts(tx, institution, accounts)
		for id, a := range pages {
			if !a.internal {
				balances[id] = host.Balance{Ledger: a.balance, Available: a.available()}
			}
		}
		return err
	})
	return balances, err
}

// Numbers are the full numbers of accounts.
func (b *Bank) Numbers(ctx context.Context, institution bank.InstitutionID, accounts []bank.AccountID) (map[bank.AccountID]string, error) {
	numbers := map[bank.AccountID]string{}
	err := b.db.Read(ctx, func(tx *db.Tx) error {
		pages, err := findAccounts(tx, institution, accounts)
		for id, a := range pages {
			if a.number != "" {
				numbers[id] = a.number
			}
		}
		return err
	})
	return numbers, err
}

// Statement lists what was posted to an account, the latest first.
func (b *Bank) Statement(ctx context.Context, institution bank.InstitutionID, account bank.AccountID, most int) (lines []host.Line, err error) {
	err = b.db.Read(ctx, func(tx *db.Tx) error {
		lines, err = statement(tx, institution, account, min(most, maxStatement))
		return err
	})
	return lines, err
}
