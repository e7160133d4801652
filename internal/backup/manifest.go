package backup

import (
	"time"

	"mandate/internal/db"
	"mandate/internal/fault"
)

// A Manifest says what a backup is. It stands first in the file, so that a file
// that does not fit is refused before anything is done with it.
type Manifest struct {
	Made        time.Time        `json:"made"`
	Database    string           `json:"database"` // SQLite or PostgreSQL
	Epoch       int64            `json:"epoch"`
	Migrations  []int64          `json:"migrations"`
	Rows        map[string]int64 `json:"rows"`   // of each table
	Chains      int              `json:"chains"` // whose heads follow
	KeyIDs      []string         `json:"key_ids"`
	WithRootKey bool             `json:"with_root_key"`
}

// fits refuses a backup that this program cannot restore here.
func (m *Manifest) fits(into db.Dialect) error {
	if m.Database != into.String() {
		return fault.Newf(fault.Invalid, "The backup is of a database in %s and cannot be restored into %s.", m.Database, into)
	}
	unknown, err := db.UnknownMigration(m.Migrations)
	if err != nil {
		return err
	}
	if unknown != 0 {
		return fault.Newf(fault.Invalid, "The backup was made by a newer version of the program: it has migration %d. Restore it with that version.", unknown)
	}
	return nil
}
