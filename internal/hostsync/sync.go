package hostsync

import (
	"context"
	"errors"
	"fmt"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/host"
	"mandate/internal/lease"
)

// Sync reads what an institution's host has told since, and takes it over. One
// process does so at a time; the others find the work taken.
func (s *Service) Sync(ctx context.Context, institution bank.InstitutionID) error {
	name := "host events of " + string(institution)
	l, taken, err := lease.Take(ctx, s.db, name, s.process, leaseTime)
	if err != nil || !taken {
		return err
	}
	// What arrived is taken over even while the host does not answer.
	reading := s.read(ctx, institution, l)
	if l, taken, err = lease.Take(ctx, s.db, name, s.process, leaseTime); err != nil || !taken {
		return err
	}
	if err := s.takeAll(ctx, institution, l); err != nil {
		return err
	}
	return reading
}

// read stores what the host has told since, page by page, each with its mark.
func (s *Service) read(ctx context.Context, institution bank.InstitutionID, l lease.Lease) error {
	for {
		more, err := s.readPage(ctx, institution, l)
		if err != nil || !more {
			return err
		}
	}
}

func (s *Service) readPage(ctx context.Context, institution bank.InstitutionID, l lease.Lease) (more bool, err error) {
	var mark string
	if err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		mark, err = markOf(tx, institution)
		return err
	}); err != nil {
		return false, fmt.Errorf("read the mark: %w", err)
	}
	asking, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	events, err := s.desk.People().Events(asking, institution, mark, pageSize)
	switch {
	case errors.Is(err, host.ErrNotOffered):
		return false, nil
	case errors.Is(err, host.ErrNoMark): // it forgot: what it tells again is known by its name and version
		s.log.Warn("the host does not know how far its events were read; they are read from the beginning", "institution", institution)
		return mark != "", s.db.Write(ctx, func(tx *db.Tx) error { return setMark(tx, institution, "", 0) })
	case err != nil:
		return false, fmt.Errorf("ask the host what happened: %w", err)
	}
	next, stored := mark, 0
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if err := l.Check(tx); err != nil {
			return err
		}
		place, err := toldSoFar(tx, institution)
		if err != nil {
			return err
		}
		stored = 0
		for i, e := range events {
			a, err := received(e)
			if err != nil {
				return err
			}
			a.Place = place + int64(i) + 1
			isNew, err := a.insert(tx, institution)
			if err != nil {
				return err
			}
			if isNew {
				stored++
			}
			if e.Mark != "" {
				next = e.Mark
			}
		}
		return setMark(tx, institution, next, int64(len(events)))
	})
	// A host that repeats a mark would be read for ever.
	return len(events) > 0 && (stored > 0 || next != mark), err
}

// takeAll takes over what has arrived, organizations first, then defaults, then
// users. What waits for an order to be answered goes on waiting.
func (s *Service) takeAll(ctx context.Context, institution bank.InstitutionID, l lease.Lease) error {
	for range maxRounds {
		again, err := s.takeRound(ctx, institution, l)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// maxRounds is how often what is parked is looked at again within one run,
// because something else was taken over since.
const maxRounds = 5

// maxFailed is how many arrivals may fail before a run ends: one that fails
// keeps waiting and holds up none of the others, but a database that does not
// answer is not asked for all of them.
const maxFailed = 20

// takeRound goes through all that waits, once, and reports whether something
// waits anew.
func (s *Service) takeRound(ctx context.Context, institution bank.InstitutionID, l lease.Lease) (healed bool, err error) {
	kind, place := Kind(""), int64(0)
	var failed []error
	for {
		var page []arrival
		if err := s.db.Write(ctx, func(tx *db.Tx) error {
			if err := l.Check(tx); err != nil {
				return err
			}
			page, err = db.All(tx, scanArrival, selectArrival+`
				 where institution_id = $1 and state = 'waiting' and (kind > $2 or kind = $2 and place > $3)
				 order by kind, place limit $4`, institution, kind, place, pageSize)
			return err
		}); err != nil {
			return healed, err
		}
		if len(page) == 0 {
			return healed, errors.Join(failed...)
		}
		kind, place = page[len(page)-1].Kind, page[len(page)-1].Place
		for i := range page {
			changed, err := s.take(ctx, institution, &page[i])
			if err != nil {
				failed = append(failed, fmt.Errorf("take over the event %s: %w", page[i].ID, err))
			}
			if len(failed) >= maxFailed || ctx.Err() != nil {
				return healed, errors.Join(append(failed, ctx.Err())...)
			}
			healed = healed || changed
		}
		if _, taken, err := lease.Take(ctx, s.db, l.Name, s.process, leaseTime); err != nil || !taken {
			return false, err
		}
	}
}

// take takes one arrival over and reports whether that may heal others.
func (s *Service) take(ctx context.Context, institution bank.InstitutionID, a *arrival) (healed bool, err error) {
	e, err := a.event()
	if err != nil {
		return false, s.db.Write(ctx, func(tx *db.Tx) error {
			return a.settle(tx, institution, parked, codeMalformed, "The event cannot be read.")
		})
	}
	switch a.Kind {
	case kindOrganization:
		return s.takeOrganization(ctx, institution, a, *e.Organization)
	case kindDefaults:
		return false, s.takeDefaults(ctx, institution, a, *e.Defaults)
	case kindAnnounced:
		return false, s.takeAnnounced(ctx, institution, a, *e.Announced)
	}
	return s.takeUser(ctx, institution, a, *e.User)
}

// by is who made what an arrival tells of.
func (a *arrival) by(institution bank.InstitutionID) bank.Caller {
	if a.Channel == host.Ordered {
		return outside(institution, a.Channel, hostName)
	}
	return outside(institution, a.Channel, a.By)
}
