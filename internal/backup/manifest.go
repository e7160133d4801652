package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"mandate/internal/activity"
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

// dataParts are the names under which the data of each database stands.
var dataParts = map[string]string{db.SQLite.String(): partFile, db.PostgreSQL.String(): partDump}

// parseManifest reads a manifest and refuses one that no backup has.
func parseManifest(text []byte) (m Manifest, err error) {
	if err := json.Unmarshal(text, &m); err != nil {
		return m, damaged(err)
	}
	if dataParts[m.Database] == "" || m.Made.IsZero() || len(m.Migrations) == 0 {
		return m, damaged(errors.New("its manifest lacks what every backup says"))
	}
	return m, nil
}

// readHeads reads the heads of the histories one by one, exactly as many as the
// manifest says.
func readHeads(from io.Reader, chains int) (heads []activity.Anchor, err error) {
	in := json.NewDecoder(&bounded{from, min(maxHeads, maxHead*(int64(min(chains, maxHeads))+1))})
	begun, err := in.Token()
	for begun != nil && err == nil && in.More() && len(heads) <= chains { // nil: there are none
		var head activity.Anchor
		if err = in.Decode(&head); err == nil {
			heads = append(heads, head)
		}
	}
	if err == nil && begun != nil {
		_, err = in.Token()
	}
	if err != nil {
		return nil, damaged(noEOF(err))
	}
	if len(heads) != chains {
		return nil, damaged(fmt.Errorf("it does not have the heads of %d histories", chains))
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) { // here the digest is proven, and that nothing follows
		return nil, damaged(err)
	}
	return heads, nil
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
