// Package usage keeps what counts against daily limits: who reserved how much
// of which limit on which day. It decides nothing and knows no payment. Every
// function that changes something must be called with the organization's
// stream locked (guard, activity.Lock), in the transaction that also decided:
// that is what keeps parallel requests within the limit to the cent.
package usage

import (
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
)

// An ID names one reservation within its organization, for ever: an id that
// was released never counts again.
type ID string

// A Reservation is an amount that counts against a daily limit.
type Reservation struct {
	Institution  bank.InstitutionID
	Organization bank.OrganizationID
	ID           ID
	Limit        catalog.Limit
	Day          bank.Day // in the institution's time zone
	Member       bank.UserID
	Account      bank.AccountID // empty where the payment has none
	Cents        bank.Cents
	Released     bool // given back; it counts no longer
}

// ErrOther says that the id belongs to another reservation already, or to one
// that was released.
var ErrOther = errors.New("usage: the id is another reservation's already")

// Reserve counts an amount. Doing it again under the same id changes nothing.
func Reserve(tx *db.Tx, r Reservation) error {
	inserted, err := tx.Exec(`
		insert into usage_reservation (institution_id, organization_id, id, limit_no, day, member_id, account_id, cents, released)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (institution_id, organization_id, id) do nothing`,
		r.Institution, r.Organization, r.ID, r.Limit, r.Day, r.Member, r.Account, r.Cents, false)
	if err != nil {
		return fmt.Errorf("reserve %s: %w", r.ID, err)
	}
	if inserted == 0 {
		return sameAgain(tx, r)
	}
	return add(tx, r)
}

func sameAgain(tx *db.Tx, r Reservation) error {
	known, _, err := Find(tx, r.Institution, r.Organization, r.ID)
	if err != nil {
		return err
	}
	if known != r {
		return ErrOther
	}
	return nil
}

// Release gives a reservation's amount back and reports whether it did: not
// where there is none, or where it was given back before.
func Release(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id ID) (bool, error) {
	r, found, err := Find(tx, institution, organization, id)
	if err != nil || !found || r.Released {
		return false, err
	}
	_, err = tx.Exec(`
		update usage_reservation set released = $1
		 where institution_id = $2 and organization_id = $3 and id = $4`, true, institution, organization, id)
	if err != nil {
		return false, fmt.Errorf("release %s: %w", id, err)
	}
	return true, take(tx, r)
}

// Move makes a reservation count on another day. One that was released, or was
// never made, stays as it is.
func Move(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id ID, to bank.Day) error {
	r, found, err := Find(tx, institution, organization, id)
	if err != nil || !found || r.Released || r.Day == to {
		return err
	}
	if err := take(tx, r); err != nil {
		return err
	}
	_, err = tx.Exec(`
		update usage_reservation set day = $1
		 where institution_id = $2 and organization_id = $3 and id = $4`, to, institution, organization, id)
	if err != nil {
		return fmt.Errorf("move %s: %w", id, err)
	}
	r.Day = to
	return add(tx, r)
}

// Find reads a reservation; there may be none of that id.
func Find(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id ID) (Reservation, bool, error) {
	r := Reservation{Institution: institution, Organization: organization, ID: id}
	err := tx.QueryRow(`
		select limit_no, day, member_id, account_id, cents, released from usage_reservation
		 where institution_id = $1 and organization_id = $2 and id = $3`, institution, organization, id).
		Scan(&r.Limit, &r.Day, &r.Member, &r.Account, &r.Cents, &r.Released)
	if errors.Is(err, db.ErrNoRows) {
		return Reservation{}, false, nil
	}
	if err != nil {
		return Reservation{}, false, fmt.Errorf("read the reservation %s: %w", id, err)
	}
	return r, true, nil
}

// onAccount is the account on which the member's own counter sums a
// reservation, besides the member's of all accounts and everybody's. Where the
// limit does not exist per account there is none.
func (r Reservation) onAccount() bank.AccountID {
	if r.Limit.Permission().At(catalog.AtAccount) {
		return r.Account
	}
	return ""
}

// counters is how many a reservation is part of.
func (r Reservation) counters() int64 {
	if r.onAccount() == "" {
		return 2
	}
	return 3
}

// add counts a reservation everywhere it counts. A counter whose member or
// account is empty sums all of them.
func add(tx *db.Tx, r Reservation) error {
	_, err := tx.Exec(`
		insert into usage_counter (institution_id, organization_id, day, limit_no, member_id, account_id, cents)
		select $1, $2, $3, $4, at.member_id, at.account_id, $5
		  from (select '' as member_id, '' as account_id
		        union all select $6, ''
		        union all select $6, $7 where $7 <> '') as at
		 where true
		on conflict (institution_id, organization_id, day, limit_no, member_id, account_id)
		do update set cents = usage_counter.cents + excluded.cents`,
		r.Institution, r.Organization, r.Day, r.Limit, r.Cents, r.Member, r.onAccount())
	if err != nil {
		return fmt.Errorf("count %s: %w", r.ID, err)
	}
	return note(tx, r, r.Cents)
}

// note keeps for ever that an amount was counted, or with a minus sign given
// back: at the event of the organization's chain that this transaction is about
// to add, before which nobody sees it.
func note(tx *db.Tx, r Reservation, cents bank.Cents) error {
	sequence, err := activity.Next(tx, r.Institution, r.Organization)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`
		insert into past_usage (institution_id, organization_id, day, limit_no, sequence, member_id, account_id, cents)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.Institution, r.Organization, r.Day, r.Limit, sequence, r.Member, r.onAccount(), cents)
	if err != nil {
		return fmt.Errorf("note %s for later: %w", r.ID, err)
	}
	return nil
}

// take takes a reservation out of everything it counts in.
func take(tx *db.Tx, r Reservation) error {
	counters, err := tx.Exec(`
		update usage_counter set cents = cents - $1
		 where institution_id = $2 and organization_id = $3 and day = $4 and limit_no = $5
		   and member_id in ('', $6) and account_id in ('', $7)`,
		r.Cents, r.Institution, r.Organization, r.Day, r.Limit, r.Member, r.onAccount())
	if err != nil {
		return fmt.Errorf("give back %s: %w", r.ID, err)
	}
	if counters != r.counters() {
		return fmt.Errorf("usage: %s was never counted on %s", r.ID, r.Day)
	}
	return note(tx, r, -r.Cents)
}
