package follow

import (
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/db"
)

// beat writes the copy's own row and returns the server that it was written to.
// The transaction waits for the standby whatever the operator's settings say of
// others: what only the old primary of a failover has confirms nothing.
func (c *Copy) beat(tx *db.Tx) (server string, err error) {
	if _, err := tx.Exec(`set local synchronous_commit = on`); err != nil {
		return "", err
	}
	_, err = tx.Exec(`
		insert into decision_copy (id, name, version, state, started_micros, seen_micros, lag_micros, organizations, bytes)
		values ($1, $2, $3, $4, (extract(epoch from clock_timestamp()) * 1000000)::bigint,
		        (extract(epoch from clock_timestamp()) * 1000000)::bigint, $5, $6, $7)
		on conflict (id) do update
		   set state = excluded.state, seen_micros = excluded.seen_micros, lag_micros = excluded.lag_micros,
		       organizations = excluded.organizations, bytes = excluded.bytes`,
		c.ID, c.Name, c.Version, string(c.State), c.Lag.Microseconds(), c.Organizations, c.Bytes)
	if err != nil {
		return "", fmt.Errorf("write the copy's row: %w", err)
	}
	m, err := activity.MomentOf(tx, false)
	return m.Server, err
}
