package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/guard"
	"mandate/internal/lease"
)

const (
	runLease = time.Minute // longer than a page of due wires takes
	runPage  = 100
)

// RunDue sends off the wires of series whose day has come, and hands what is
// due to the host; it says how much. One process at a time does it; doing it
// again is harmless: a wire leaves its state with the order that carries it. One
// that fails does not keep the others.
func (s *Service) RunDue(ctx context.Context) (ran int, err error) {
	l, taken, err := lease.Take(ctx, s.db, "wires", s.process, runLease)
	if err != nil || !taken {
		return 0, err
	}
	after := due{}
	for ctx.Err() == nil {
		var page []Wire
		e := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = dueAfter(tx, after, runPage)
			return err
		})
		if e != nil {
			return ran, errors.Join(err, e)
		}
		for i := range page {
			done, e := s.run(ctx, l, &page[i])
			if errors.Is(e, lease.ErrLost) {
				return ran, err // somebody else goes on
			}
			if e != nil {
				err = errors.Join(err, fmt.Errorf("run %s: %w", page[i].ID, e))
			}
			if done {
				ran++
			}
		}
		if len(page) < runPage {
			break
		}
		last := page[len(page)-1]
		after = due{last.Due.UnixMicro(), last.ID}
		if l, taken, e = lease.Take(ctx, s.db, "wires", s.process, runLease); e != nil || !taken {
			return ran, errors.Join(err, e)
		}
	}
	if ran > 0 {
		s.desk.Now(ctx)
	}
	return ran, err
}

// run does what is due of one wire, or makes it ready again where it may not
// go.
func (s *Service) run(ctx context.Context, l lease.Lease, seen *Wire) (done bool, err error) {
	payer := seen.Originator
	if seen.State == Scheduled {
		if payer, err = s.originators(ctx, seen.Institution, seen.Organization, seen.Account); err != nil {
			return false, err
		}
	}
	action := guard.Action{
		Event: EventReleased, Organization: seen.Organization, Target: seen.target(), Others: []bank.ActorKind{bank.ActorSystem},
		Scope: scopeOf(seen.By.ID, seen.Account),
	}
	err = s.guard.Do(ctx, bank.System(seen.Institution), action, func(c *guard.Change) error {
		if err := l.Check(c.Tx); err != nil {
			return err
		}
		w, found, err := find(c.Tx, place{seen.Institution, seen.Organization}, seen.ID)
		done = err == nil && found && w.State == seen.State && w.Version == seen.Version && !w.Due.After(c.Tx.Now)
		if err != nil || !done {
			return err
		}
		w.Originator = payer
		return s.runOne(c, &w)
	})
	return done && err == nil, err
}

func (s *Service) runOne(c *guard.Change, w *Wire) error {
	days, err := s.calendar.In(c.Tx, w.Institution)
	if err != nil {
		return err
	}
	old, event := w.State, EventReleased
	if old == Scheduled {
		event, err = s.sendOff(c, days, w, false)
	} else {
		err = s.release(c, days, w)
	}
	if code, problem, refused := refusedBecause(err, w.By.Name); refused {
		return s.returned(c, w, code, problem)
	}
	if err != nil {
		return err
	}
	c.RecordQuiet(event, w.target(), w.Because, activity.Change{Field: "state", Old: string(old), New: string(w.State)})
	return s.goOn(c, w)
}
