// Package usage keeps what counts against daily limits: who reserved how much
// of which limit on which day. It decides nothing and knows no payment. Every
// function that changes something must be called with the organization's
// stream locked (guard, activity.Lock), in the transaction that also decided:
// that is what keeps parallel requests within the limit to the cent.
package usage

import (
	"errors"
	"fmt"

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
	return r.each(tx, add)
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
	return true, r.each(tx, take)
}

// Move makes a reservation count on another day. One that was released, or was
// never made, stays as it is.
func Move(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, id ID, to bank.Day) error {
	r, found, err := Find(tx, institution, organization, id)
	if err != nil || !found || r.Released || r.Day == to {
		return err
	}
	if err := r.each(tx, take); err != nil {
		return err
	}
	_, err = tx.Exec(`
		update usage_reservation set day = $1
		 where institution_id = $2 and organization_id = $3 and id = $4`, to, institution, organization, id)
	if err != nil {
		return fmt.Errorf("move %s: %w", id, err)
	}
	r.Day = to
	return r.each(tx, add)
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

// each changes every counter that the reservation is part of.
func (r Reservation) each(tx *db.Tx, change func(*db.Tx, Reservation, scope, bank.Cents) error) error {
	for _, s := range r.scopes() {
		if err := change(tx, r, s, r.Cents); err != nil {
			return err
		}
	}
	return nil
}

// A scope is whose usage a counter sums; empty is everybody's, or every
// account's.
type scope struct {
	member  bank.UserID
	account bank.AccountID
}

func (r Reservation) scopes() []scope {
	scopes := []scope{{}, {member: r.Member}}
	if r.Account != "" && r.Limit.Permission().At(catalog.AtAccount) {
		scopes = append(scopes, scope{r.Member, r.Account})
	}
	return scopes
}

func add(tx *db.Tx, r Reservation, s scope, cents bank.Cents) error {
	_, err := tx.Exec(`
		insert into usage_counter (institution_id, organization_id, day, limit_no, member_id, account_id, cents)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (institution_id, organization_id, day, limit_no, member_id, account_id)
		do update set cents = usage_counter.cents + excluded.cents`,
		r.Institution, r.Organization, r.Day, r.Limit, s.member, s.account, cents)
	if err != nil {
		return fmt.Errorf("count %s: %w", r.ID, err)
	}
	return nil
}

func take(tx *db.Tx, r Reservation, s scope, cents bank.Cents) error {
	counters, err := tx.Exec(`
		update usage_counter set cents = cents - $1
		 where institution_id = $2 and organization_id = $3 and day = $4 and limit_no = $5 and member_id = $6 and account_id = $7`,
		cents, r.Institution, r.Organization, r.Day, r.Limit, s.member, s.account)
	if err != nil {
		return fmt.Errorf("give back %s: %w", r.ID, err)
	}
	if counters != 1 {
		return fmt.Errorf("usage: %s was never counted on %s", r.ID, r.Day)
	}
	return nil
}
