package activity

import (
	"fmt"

	"mandate/internal/db"
)

// Renew begins another life of the database, after a restore. Its number is
// greater than that of the backup, and than that of any restore of the same
// backup before: it is not smaller than the seconds since 1970.
func Renew(tx *db.Tx) (epoch int64, err error) {
	was, err := Epoch(tx)
	if err != nil {
		return 0, err
	}
	epoch = max(was+1, tx.Now.Unix())
	if _, err := tx.Exec(`update epoch set number = $1`, epoch); err != nil {
		return 0, fmt.Errorf("begin another epoch: %w", err)
	}
	// Numbers of another server's transactions say nothing about this one's.
	if _, err := tx.Exec(`update stream set moved = 0 where moved <> 0`); err != nil {
		return 0, fmt.Errorf("forget which transaction moved the chains: %w", err)
	}
	return epoch, nil
}
