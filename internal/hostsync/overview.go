package hostsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/outbox"
)

// An Overview is how an institution and its host stand to each other.
type Overview struct {
	Orders    outbox.Backlog // of all rooms
	Events    int64          // told and not taken over yet
	OldestAt  time.Time      // when the oldest of these arrived; zero where there is none
	Parked    int64
	Importing int64
	ReadAt    time.Time // when the host was last read; zero: never
	Compared  *Reconciliation
}

// Overview reads how things stand.
func (s *Service) Overview(ctx context.Context, caller bank.Caller) (o Overview, err error) {
	err = s.guard.Look(ctx, caller, tending(caller.Institution, eventViewed), func(v *guard.View) error {
		o, err = overview(v.Tx, caller.Institution)
		return err
	})
	return o, err
}

func overview(tx *db.Tx, institution bank.InstitutionID) (o Overview, err error) {
	if o.Orders, err = outbox.BacklogOf(tx, institution, outbox.Host); err != nil {
		return o, err
	}
	var oldest int64
	err = tx.QueryRow(`
		select count(*), coalesce(min(arrived_micros), 0), (select count(*) from host_arrival where institution_id = $1 and state = 'parked'),
		       (select count(*) from host_announced where institution_id = $1)
		  from host_arrival where institution_id = $1 and state = 'waiting'`, institution).Scan(&o.Events, &oldest, &o.Parked, &o.Importing)
	if err != nil {
		return o, fmt.Errorf("count what the host told: %w", err)
	}
	o.OldestAt = moment(oldest)
	read, err := db.One(tx, db.Value[int64], `select read_micros from host_feed where institution_id = $1`, institution)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return o, fmt.Errorf("look when the host was read: %w", err)
	}
	o.ReadAt = moment(read)
	o.Compared, err = lastReconciliation(tx, institution)
	return o, err
}

// moment is a stored time; zero where there is none.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
