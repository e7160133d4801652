package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// useGrain is how exactly the last use of a client is known.
const useGrain = time.Minute

// A use is when a client was here last. It is written now and then (NoteUses),
// never while a caller waits.
type use struct {
	institution bank.InstitutionID
	last        atomic.Int64 // microseconds
	written     int64        // what the database knows of it; NoteUses' own
}

// noteUse remembers that a client was here.
func (s *Service) noteUse(c *Client) {
	if now := s.db.Now().UnixMicro(); now-c.use.last.Load() >= useGrain.Microseconds() {
		c.use.last.Store(now)
	}
}

// useOf is the use of a client, which outlives what is known of it otherwise.
func (s *Service) useOf(c *Client) *use {
	found, _ := s.roll.used.LoadOrStore(c.ID, &use{institution: c.Institution})
	return found.(*use)
}

// NoteUses writes when clients were here last, to the minute. It is called now
// and then by one at a time, and once more before the process ends.
func (s *Service) NoteUses(ctx context.Context) error {
	var failures []error
	s.roll.used.Range(func(id, found any) bool {
		u := found.(*use)
		last := u.last.Load()
		if last == u.written {
			return true
		}
		err := s.db.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(`update api_client set last_used_micros = $1 where institution_id = $2 and id = $3 and last_used_micros < $1`, last, u.institution, id)
			return err
		})
		if err != nil {
			failures = append(failures, fmt.Errorf("note the use of %s: %w", id, err))
			return ctx.Err() == nil
		}
		u.written = last
		return true
	})
	return errors.Join(failures...)
}
