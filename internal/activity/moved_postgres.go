package activity

import (
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// A Moment is the moment of a transaction in the life of a PostgreSQL server.
type Moment struct {
	// Horizon is below every transaction that this moment does not know.
	Horizon int64

	// Server names the server and the connection to it. Horizons of one name
	// can be compared: after a failover or a crash, numbers of transactions
	// that nobody confirmed are given out again.
	Server string

	// Standby says that the server repeats what another one writes.
	Standby bool

	// Chains and Events count all there are: what nobody has missed adds up.
	Chains, Events int64
}

// MomentOf is the moment of a transaction. Counting is looking at every chain,
// and is left out unless it is wanted.
func MomentOf(tx *db.Tx, count bool) (m Moment, err error) {
	err = tx.QueryRow(`
		select pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
		       pg_backend_pid()::text || '/' || pg_postmaster_start_time()::text || '/' ||
		       case when pg_is_in_recovery() then '' else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end,
		       pg_is_in_recovery()`).Scan(&m.Horizon, &m.Server, &m.Standby)
	if err == nil && count {
		err = tx.QueryRow(`select count(*), coalesce(sum(sequence), 0)::bigint from stream`).Scan(&m.Chains, &m.Events)
	}
	if err != nil {
		return Moment{}, fmt.Errorf("find the database's moment: %w", err)
	}
	return m, nil
}

// MovedSince finds the chains that moved in a transaction that a horizon does
// not know. It misses none, and may find some that the horizon did know.
//
// A transaction below the horizon had ended when the horizon was taken. One that
// commits later has a number that is not below it, and left that number, or the
// number of another one that ended later still, in the chain's row, which it
// kept locked until its end.
func MovedSince(tx *db.Tx, horizon int64) ([]Head, error) {
	return db.All(tx, scanHead, `
		select institution_id, organization_id, revision, sequence, head from stream where moved >= $1`, horizon)
}

func startPostgres(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) error {
	_, err := tx.Exec(`
		insert into stream (institution_id, organization_id, revision, sequence, head, moved)
		values ($1, $2, 0, 0, $3, pg_current_xact_id()::text::bigint)`, institution, organization, []byte{})
	return err
}

func (s *Stream) advancePostgres() error {
	_, err := s.tx.Exec(`
		update stream set revision = $1, sequence = $2, head = $3, last_micros = $4, moved = pg_current_xact_id()::text::bigint
		 where institution_id = $5 and organization_id = $6`,
		s.Revision, s.sequence, s.head, s.last, s.Institution, s.Organization)
	return err
}
