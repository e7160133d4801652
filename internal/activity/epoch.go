package activity

import (
	"fmt"

	"mandate/internal/db"
)

// Epoch numbers the life of the database: restoring a backup begins another one,
// with a greater number that no other life has. Revisions of different epochs
// cannot be compared.
func Epoch(tx *db.Tx) (int64, error) {
	epoch, err := db.One(tx, db.Value[int64], `select number from epoch`)
	if err != nil {
		return 0, fmt.Errorf("read the epoch: %w", err)
	}
	return epoch, nil
}
