package identity

import (
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Source is where an attempt or a request comes from.
type Source struct {
	Channel     bank.Channel
	IP          string
	Device      string // what the browser says it is
	DeviceToken Secret // the cookie by which a browser is known again; may be empty
	Unattended  bool   // a page asks by itself and nobody need be there: it does not keep a sign-in alive
}

// meetDevice remembers the browser of a subject. It is new where the subject
// has signed in before, and never from there.
func meetDevice(tx *db.Tx, who Subject, deviceHash []byte, device string) (isNew bool, err error) {
	n, err := tx.Exec(`
		update known_device set last_micros = $1, device = $2
		 where institution_id = $3 and subject_kind = $4 and subject_id = $5 and device_hash = $6`,
		tx.Now.UnixMicro(), device, who.Institution, who.Kind, who.ID, deviceHash)
	if err != nil {
		return false, fmt.Errorf("meet the device again: %w", err)
	}
	if n > 0 {
		return false, nil
	}
	others, err := countDevices(tx, who)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(`
		insert into known_device (institution_id, subject_kind, subject_id, device_hash, device, first_micros, last_micros)
		values ($1, $2, $3, $4, $5, $6, $6)`,
		who.Institution, who.Kind, who.ID, deviceHash, device, tx.Now.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("meet the device: %w", err)
	}
	return others > 0, forgetOldDevices(tx, who)
}

func countDevices(tx *db.Tx, who Subject) (n int64, err error) {
	err = tx.QueryRow(`select count(*) from known_device where institution_id = $1 and subject_kind = $2 and subject_id = $3`,
		who.Institution, who.Kind, who.ID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the devices: %w", err)
	}
	return n, nil
}

func forgetOldDevices(tx *db.Tx, who Subject) error {
	var before int64
	err := tx.QueryRow(`
		select last_micros from known_device where institution_id = $1 and subject_kind = $2 and subject_id = $3
		 order by last_micros desc limit 1 offset $4`, who.Institution, who.Kind, who.ID, maxDevices).Scan(&before)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find old devices: %w", err)
	}
	_, err = tx.Exec(`delete from known_device where institution_id = $1 and subject_kind = $2 and subject_id = $3 and last_micros <= $4`,
		who.Institution, who.Kind, who.ID, before)
	if err != nil {
		return fmt.Errorf("forget old devices: %w", err)
	}
	return nil
}
