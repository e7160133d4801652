package hostsim

import (
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
)

type hold struct {
	account bank.AccountID
	cents   bank.Cents
}

// openHold is the hold that an order frees, and whether there is one: open, and
// on an account of the order's organization.
func openHold(tx *db.Tx, o *host.Order) (h hold, open bool, err error) {
	err = tx.QueryRow(`
		select h.account_id, h.cents from core_hold h join core_account a on a.institution_id = h.institution_id and a.id = h.account_id
		 where h.institution_id = $1 and h.order_key = $2 and h.open and a.organization_id = $3`, o.Institution, o.Free, o.Organization).
		Scan(&h.account, &h.cents)
	if errors.Is(err, db.ErrNoRows) {
		return hold{}, false, nil
	}
	if err != nil {
		return hold{}, false, fmt.Errorf("read the hold %s: %w", o.Free, err)
	}
	return h, true, nil
}

func insertHold(tx *db.Tx, o *host.Order) error {
	_, err := tx.Exec(`insert into core_hold (institution_id, order_key, account_id, cents, open) values ($1, $2, $3, $4, $5)`,
		o.Institution, keyOf(o), o.Hold.Account, o.Hold.Cents, true)
	if err == nil {
		_, err = tx.Exec(`update core_account set held = held + $1 where institution_id = $2 and id = $3`,
			o.Hold.Cents, o.Institution, o.Hold.Account)
	}
	if err != nil {
		return fmt.Errorf("set aside: %w", err)
	}
	return nil
}

func endHold(tx *db.Tx, institution bank.InstitutionID, key string) error {
	_, err := tx.Exec(`
		update core_account set held = held - (select cents from core_hold where institution_id = $1 and order_key = $2)
		 where institution_id = $1 and id = (select account_id from core_hold where institution_id = $1 and order_key = $2 and open)`, institution, key)
	if err == nil {
		_, err = tx.Exec(`update core_hold set open = $1 where institution_id = $2 and order_key = $3`, false, institution, key)
	}
	if err != nil {
		return fmt.Errorf("free what was set aside: %w", err)
	}
	return nil
}

func insertStop(tx *db.Tx, o *host.Order) error {
	_, err := tx.Exec(`
		insert into core_stop (institution_id, order_key, account_id, first_check, last_check, cents, until_day)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		o.Institution, keyOf(o), o.Stop.Account, o.Stop.First, o.Stop.Last, o.Stop.Cents, o.Stop.Until)
	if err != nil {
		return fmt.Errorf("place the stop: %w", err)
	}
	return nil
}

// hasStop reports whether the stop that an order lifts is there, on an account
// of the order's organization.
func hasStop(tx *db.Tx, o *host.Order) (bool, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from core_stop s join core_account a on a.institution_id = s.institution_id and a.id = s.account_id
		 where s.institution_id = $1 and s.order_key = $2 and a.organization_id = $3`, o.Institution, o.Lift, o.Organization)
	if err != nil {
		return false, fmt.Errorf("read the stop: %w", err)
	}
	return n == 1, nil
}

// isStopped reports whether a stop holds for a check that came in.
func isStopped(tx *db.Tx, c *clearing) (bool, error) {
	n, err := db.One(tx, db.Value[int], `
		select count(*) from core_stop
		 where institution_id = $1 and account_id = $2 and first_check <= $3 and last_check >= $3 and (cents = 0 or cents = $4) and (until_day = '' or until_day >= $5)`,
		c.institution, c.Account, c.Number, c.Cents, c.Day)
	if err != nil {
		return false, fmt.Errorf("look for a stop: %w", err)
	}
	return n > 0, nil
}

func dropStop(tx *db.Tx, o *host.Order) error {
	if _, err := tx.Exec(`delete from core_stop where institution_id = $1 and order_key = $2`, o.Institution, o.Lift); err != nil {
		return fmt.Errorf("lift the stop: %w", err)
	}
	return nil
}
