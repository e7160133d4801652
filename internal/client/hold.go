package client

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const eventReleased = "external_app.released"

// HoldRestored keeps out all clients of an institution whose database was
// restored: keys, certificates and clients that ended after the backup are there
// again, and nothing here tells them from those that are good. Each stays out,
// with all its proofs, until somebody lets it in.
func HoldRestored(tx *db.Tx, institution bank.InstitutionID) error {
	_, err := tx.Exec(`update api_client set held_micros = $1 where institution_id = $2 and revoked_micros = 0`, tx.Now.UnixMicro(), institution)
	if err != nil {
		return fmt.Errorf("keep the clients out: %w", err)
	}
	return nil
}

// Held are the clients that are kept out, by name: those of one institution, or of
// all where it is empty.
func Held(tx *db.Tx, institution bank.InstitutionID) ([]Client, error) {
	clients, err := db.All(tx, scanClient, selectClient+`
		 where held_micros > 0 and revoked_micros = 0 and ($1 = '' or institution_id = $1) order by institution_id, name, id`, institution)
	if err != nil {
		return nil, fmt.Errorf("list the clients that are kept out: %w", err)
	}
	return clients, nil
}

// Release lets clients in that are kept out, one or all of the institution's, and
// says how many.
func Release(change *guard.Change, id bank.ClientID) (int64, error) {
	return eachHeld(change, id, func(c Client) error {
		_, err := change.Tx.Exec(`update api_client set held_micros = 0 where institution_id = $1 and id = $2`, c.Institution, c.ID)
		if err != nil {
			return fmt.Errorf("let %s in: %w", c.ID, err)
		}
		change.RecordAs(eventReleased, c.target(), "")
		return nil
	})
}

// Drop ends clients that are kept out, one or all of the institution's, for good,
// and says how many.
func Drop(change *guard.Change, id bank.ClientID) (int64, error) {
	return eachHeld(change, id, func(c Client) error { return end(change, c) })
}

var errNotHeld = fault.New(fault.NotFound, "No such client is kept out there. mandate held list says which are.")

func eachHeld(change *guard.Change, id bank.ClientID, do func(Client) error) (n int64, err error) {
	clients, err := Held(change.Tx, change.Caller.Institution)
	if err != nil {
		return 0, err
	}
	for _, c := range clients {
		if id != "" && c.ID != id {
			continue
		}
		if err := do(c); err != nil {
			return 0, err
		}
		n++
	}
	if n == 0 {
		return 0, errNotHeld
	}
	return n, nil
}
