package follow

import (
	"fmt"
	"time"

	"mandate/internal/db"
)

// A Copy is a process that answers from memory, as it last said of itself.
type Copy struct {
	ID, Name      string
	Version       string
	State         State
	Started       time.Time
	Seen          time.Time     // when the database last confirmed it
	Lag           time.Duration // how old its answers were then
	Organizations int64
	Bytes         int64
}

// Copies are the processes that answer from memory, in the order of their
// names. Those that ended without a word are among them until Forget.
func Copies(tx *db.Tx) ([]Copy, error) {
	copies, err := db.All(tx, func(row db.Scanner) (c Copy, err error) {
		var started, seen, lag int64
		err = row.Scan(&c.ID, &c.Name, &c.Version, &c.State, &started, &seen, &lag, &c.Organizations, &c.Bytes)
		c.Started, c.Seen, c.Lag = time.UnixMicro(started).UTC(), time.UnixMicro(seen).UTC(), time.Duration(lag)*time.Microsecond
		return c, err
	}, `
		select id, name, version, state, started_micros, seen_micros, lag_micros, organizations, bytes
		  from decision_copy order by name, started_micros`)
	if err != nil {
		return nil, fmt.Errorf("read the copies of the decision service: %w", err)
	}
	return copies, nil
}

// kept is how long a copy that says nothing is listed.
const kept = 24 * time.Hour

// Forget takes copies off the list that have said nothing for a day.
func Forget(tx *db.Tx) error {
	_, err := tx.Exec(`delete from decision_copy where seen_micros < $1`, tx.Now.Add(-kept).UnixMicro())
	return err
}

func (c *Copy) leave(tx *db.Tx) error {
	_, err := tx.Exec(`delete from decision_copy where id = $1`, c.ID)
	return err
}

// ForgetCopies forgets every copy: those of a database that was restored belong
// to the life before.
func ForgetCopies(tx *db.Tx) error {
	if _, err := tx.Exec(`delete from decision_copy`); err != nil {
		return fmt.Errorf("forget the decision copies: %w", err)
	}
	return nil
}
