package wire

import (
	"context"
	"errors"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// A Twin is the cause of a fault: a wire that looks like another one of the same
// day, with the same amount and the same account at the same bank.
type Twin struct{ Wire }

func (t *Twin) Error() string { return "looks like " + string(t.ID) }

// Send sends a ready wire off, on the right of whoever asks. It asks for a
// high-risk authorization. Anyway says that it is meant although it looks like
// another one.
func (s *Service) Send(ctx context.Context, caller bank.Caller, id ID, version int64, anyway bool) error {
	seen, err := s.glance(ctx, caller, id)
	if err != nil {
		return err
	}
	payer, err := s.payer(ctx, caller, seen.Account, true)
	if err != nil {
		return err
	}
	err = s.guard.Do(ctx, caller, changing(caller, EventInitiated, id), func(c *guard.Change) error {
		w, err := one(c, id, version)
		if err != nil {
			return err
		}
		if w.Account != seen.Account {
			return ErrStale
		}
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		if today := days.Today(c.Tx.Now); w.Asked != "" && w.Asked < today {
			w.Asked = "" // the day it was wanted on is over
		}
		w.By, w.Originator = somebody(caller), payer
		event, err := s.sendOff(c, days, &w, anyway)
		if err != nil {
			return err
		}
		c.RecordQuiet(event, w.target(), w.Because, w.told()...)
		return nil
	})
	if err == nil {
		s.desk.Now(ctx)
	}
	return err
}

// glance reads a wire before the door is passed, for what is looked up outside.
func (s *Service) glance(ctx context.Context, caller bank.Caller, id ID) (w Wire, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		var found bool
		if w, found, err = find(tx, place{caller.Institution, caller.Organization}, id); err == nil && !found {
			err = ErrNone
		}
		return err
	})
	return w, err
}

// date finds the business day of a wire and when it goes out.
func (w *Wire) date(days *calendar.Calendar, tx *db.Tx) error {
	dated := days.Date(calendar.Wires, tx.Now, w.Asked)
	if dated.Day == "" {
		return fault.New(fault.Unavailable, dated.Sentence())
	}
	w.Day, w.Because = dated.Day, dated.Sentence()
	w.Due, _ = days.Window(calendar.Wires, w.Day)
	return nil
}

// sendOff judges a stored wire for whoever it goes by, counts its amount, and
// lets it go: to the host where its day has come, into the queue where a second
// person must agree. It returns the event that happened and records nothing.
func (s *Service) sendOff(c *guard.Change, days *calendar.Calendar, w *Wire, anyway bool) (event string, err error) {
	step := initiate
	if !w.State.can(step) {
		return "", w.to(c.Tx, step) // says why
	}
	if err := w.date(days, c.Tx); err != nil {
		return "", err
	}
	if err := c.Widen(scopeOf(w.By.ID, w.Account)); err != nil {
		return "", err
	}
	req := w.sending(catalog.WiresTransmitOperation, w.By.ID, c.Tx.Now)
	e, err := explain(c.Tx, c.Policy, req, "")
	if err != nil {
		return "", err
	}
	if !e.Allowed {
		return "", refusal(req.Operation, e)
	}
	if err := w.alone(c, anyway); err != nil {
		return "", err
	}
	if err := w.writable(c.Tx); err != nil {
		return "", err
	}
	if !w.proven {
		if err := c.RequireProof(append([]byte("wire "), w.content()...)); err != nil {
			return "", err
		}
	}
	w.Attempt++
	w.Initiated, w.Code, w.Problem = c.Tx.Now, "", ""
	if err := w.reserve(c, req); err != nil {
		return "", err
	}
	if e.ApprovalRequired {
		return EventPending, s.ask(c, days, w)
	}
	if err := w.to(c.Tx, initiate); err != nil {
		return "", err
	}
	if w.Due.After(c.Tx.Now) {
		return EventInitiated, nil
	}
	return EventInitiated, s.release(c, days, w)
}

// writable makes sure that a message can carry the wire.
func (w *Wire) writable(tx *db.Tx) error {
	terms, err := termsOf(tx, w.Institution)
	if err != nil {
		return err
	}
	_, err = w.message(terms, 1, tx.Now)
	return err
}

// alone refuses a wire that looks like another one: always at credit unions,
// elsewhere unless it is meant.
func (w *Wire) alone(c *guard.Change, anyway bool) error {
	creditUnion := c.Policy.Institution.Edition == bank.EditionCreditUnion
	if anyway && !creditUnion {
		return nil
	}
	other, found, err := findTwin(c.Tx, w)
	if err != nil || !found {
		return err
	}
	if creditUnion {
		return fault.New(fault.Conflict, "A wire of the same amount to the same account is on its way that day already.").With("DUPLICATE").Because(&Twin{other})
	}
	return fault.New(fault.Conflict, "A wire of the same amount to the same account is on its way that day already. Say that you mean it, or leave it.").With("LOOKS_DOUBLE").Because(&Twin{other})
}

// reserve counts the amount against the daily limit, where the edition has one.
func (w *Wire) reserve(c *guard.Change, req entitlement.Request) error {
	limit, day, counts := entitlement.Counting(c.Policy.Institution, req)
	if !counts {
		return nil
	}
	err := usage.Reserve(c.Tx, usage.Reservation{
		Institution: w.Institution, Organization: w.Organization, ID: w.reservation(), Limit: limit, Day: day, Member: w.By.ID, Account: w.Account, Cents: w.Cents,
	})
	if errors.Is(err, usage.ErrOther) {
		return errors.Join(err, errors.New("wire: an attempt was counted before"))
	}
	return err
}

// free gives back what a wire counts, where it counts.
func (w *Wire) free(tx *db.Tx) error {
	if !w.State.counts() {
		return nil
	}
	_, err := usage.Release(tx, w.Institution, w.Organization, w.reservation())
	return err
}

// ask puts a wire into the queue: until the cut-off of its day somebody else
// must agree to exactly this.
func (s *Service) ask(c *guard.Change, days *calendar.Calendar, w *Wire) error {
	if err := w.to(c.Tx, submit); err != nil {
		return err
	}
	_, closes := days.Window(calendar.Wires, w.Day)
	item, _, err := s.queue.AskIn(c, approval.Ask{
		Kind: RoomName, Ref: string(w.ID), Initiator: approval.Somebody(w.By), Editors: []bank.UserID{w.Maker.ID}, Expires: closes,
	})
	if err != nil {
		return err
	}
	w.Item = item.ID
	w.Version++
	return update(c.Tx, w)
}
