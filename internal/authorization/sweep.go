package authorization

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
)

// sweepPage is how many authorizations are read at a time.
const sweepPage = 200

// Sweep voids what was not confirmed in time and says how many it voided. Doing
// it again, or on several machines at once, is harmless. One that fails does
// not keep the others.
func (s *Service) Sweep(ctx context.Context) (voided int, err error) {
	if s.lifetime <= 0 {
		return 0, nil
	}
	last := ""
	for {
		var page []Authorization
		e := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = waitingSince(tx, tx.Now.Add(-s.lifetime), last, sweepPage)
			return err
		})
		if e != nil {
			return voided, errors.Join(err, e)
		}
		for i := range page {
			done, e := s.lapse(ctx, &page[i])
			if e != nil {
				err = errors.Join(err, fmt.Errorf("void %s: %w", page[i].ID, e))
			}
			if done {
				voided++
			}
		}
		if len(page) < sweepPage || ctx.Err() != nil {
			return voided, err
		}
		last = page[len(page)-1].ID
	}
}

// lapse voids one that waited too long, unless that was settled meanwhile.
func (s *Service) lapse(ctx context.Context, a *Authorization) (done bool, err error) {
	action := guard.Action{
		Event: EventVoided, Organization: a.Organization, Target: a.Target(), Others: []bank.ActorKind{bank.ActorSystem},
	}
	err = s.guard.Do(ctx, bank.System(a.Institution), action, func(c *guard.Change) error {
		done = false
		now, found, err := s.find(c, a.Ref)
		if err != nil || !found || now.State != Pending {
			return err
		}
		answer, err := s.VoidIn(c, a.Ref)
		if err != nil || !answer.Allowed {
			return err
		}
		done = true
		c.RecordQuiet(EventVoided, a.Target(), fmt.Sprintf("It was not confirmed within %s.", s.lifetime),
			append(a.Asked.changes(), activity.Change{Field: "state", Old: "pending", New: "voided"})...)
		return nil
	})
	return done && err == nil, err
}
