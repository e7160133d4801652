package application

import (
	"context"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// Lookup is the application with an id at an institution, or at none, as it is
// now, by one query. Whether it is enabled is for the asker to see.
func (s *Service) Lookup(ctx context.Context, institution bank.InstitutionID, id bank.ApplicationID) (a Application, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		a, err = Find(tx, institution, id)
		return err
	})
	return a, err
}

const (
	useGrain = time.Minute            // how exactly the last use is known
	useWait  = 250 * time.Millisecond // how long a request may wait for noting it
)

// Used remembers that an application was here, once a minute. The request goes
// on whether or not it can be written.
func (s *Service) Used(ctx context.Context, a Application, now time.Time) {
	if now.Sub(a.LastUsed) < useGrain {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, useWait)
	defer cancel()
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`update external_application set last_used_micros = $1 where institution_id = $2 and id = $3 and last_used_micros <= $4`,
			now.UnixMicro(), a.Institution, a.ID, now.Add(-useGrain).UnixMicro())
		return err
	})
	if err != nil {
		s.log.Warn("the use of an application was not noted", "application", a.ID, "error", err)
	}
}
