package transfer

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/guard"
)

// changing is the action of changing one transfer.
func changing(caller bank.Caller, event string, id ID) guard.Action {
	return guard.Action{
		Event: event, Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "transfer"}, Scope: scopeOf(caller.Member()),
	}
}

// one reads the transfer that a change is about. Version is the one that the
// person saw.
func one(c *guard.Change, id ID, version int64) (Transfer, error) {
	t, found, err := find(c.Tx, place{c.Caller.Institution, c.Caller.Organization}, id)
	if err != nil {
		return Transfer{}, err
	}
	if !found {
		return Transfer{}, ErrNone
	}
	if err := c.Widen(scopeOf(c.Caller.Member(), t.From, t.To)); err != nil {
		return Transfer{}, err
	}
	if !visible(c.Policy, c.Caller.Member(), &t, c.Tx.Now) {
		return Transfer{}, ErrNone
	}
	if t.Version != version {
		return t, ErrStale
	}
	return t, nil
}

// mayTakeBack asks for the right that makes such a transfer. Taking back has no
// amount, so the smallest one is asked about.
func mayTakeBack(c *guard.Change, from, to bank.AccountID) error {
	if err := c.Widen(scopeOf(c.Caller.Member(), from, to)); err != nil {
		return err
	}
	return require(c, question(c.Caller.Member(), from, to, 1, c.Tx.Now))
}

// Edit changes a scheduled transfer. From then on it goes on the right of
// whoever edited it. Of a series, this one transfer alone changes. It asks for
// a high-risk authorization.
func (s *Service) Edit(ctx context.Context, caller bank.Caller, version int64, d Draft) error {
	if err := d.checkShape(); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, changing(caller, EventEdited, d.ID), func(c *guard.Change) error {
		t, err := one(c, d.ID, version)
		if err != nil {
			return err
		}
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		today := days.Today(c.Tx.Now)
		d.Repeat = Once
		d.tidy(today)
		if d.On == "" {
			d.On = calendar.AddDays(today, 1) // what is scheduled stays scheduled; for today one makes another
		}
		if err := d.check(today); err != nil {
			return err
		}
		if err := mayTakeBack(c, t.From, t.To); err != nil {
			return err
		}
		if err := c.Widen(scopeOf(caller.Member(), d.From, d.To)); err != nil {
			return err
		}
		if err := require(c, question(caller.Member(), d.From, d.To, d.Cents, c.Tx.Now)); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("transfer " + hashOf(d))); err != nil {
			return err
		}
		before := t
		t.From, t.To, t.Cents, t.Memo, t.By = d.From, d.To, d.Cents, d.Memo, somebody(caller)
		if err := t.date(days, c.Tx, d.On); err != nil {
			return err
		}
		if err := t.to(c.Tx, edit); err != nil {
			return err
		}
		c.RecordQuiet(EventEdited, t.target(), t.Because, differences(&before, &t)...)
		return nil
	})
}

// differences are what an edit changed.
func differences(before, after *Transfer) (changes []activity.Change) {
	add := func(field, old, new string) {
		if old != new {
			changes = append(changes, activity.Change{Field: field, Old: old, New: new})
		}
	}
	add("from", string(before.From), string(after.From))
	add("to", string(before.To), string(after.To))
	add("amount", before.Cents.String(), after.Cents.String())
	add("memo", before.Memo, after.Memo)
	add("day", string(before.Day), string(after.Day))
	return changes
}

// Cancel takes back a transfer that has not gone out. Of a series the next one
// follows. It takes the right to make such a transfer, of whatever amount.
func (s *Service) Cancel(ctx context.Context, caller bank.Caller, id ID, version int64) error {
	return s.guard.Do(ctx, caller, changing(caller, EventCancelled, id), func(c *guard.Change) error {
		t, err := one(c, id, version)
		if err != nil {
			return err
		}
		if err := mayTakeBack(c, t.From, t.To); err != nil {
			return err
		}
		old := t.State
		if err := t.to(c.Tx, cancel); err != nil {
			return err
		}
		c.RecordQuiet(EventCancelled, t.target(), "", activity.Change{Field: "state", Old: string(old), New: string(t.State)})
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		return goOn(c, days, &t)
	})
}

// Retry sends a parked transfer out now, on the right of whoever asks. It asks
// for a high-risk authorization.
func (s *Service) Retry(ctx context.Context, caller bank.Caller, id ID, version int64) error {
	err := s.guard.Do(ctx, caller, changing(caller, EventSent, id), func(c *guard.Change) error {
		t, err := one(c, id, version)
		if err != nil {
			return err
		}
		if err := require(c, question(caller.Member(), t.From, t.To, t.Cents, c.Tx.Now)); err != nil {
			return err
		}
		if err := c.RequireProof([]byte("retry " + t.ref())); err != nil {
			return err
		}
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		t.By = somebody(caller)
		if err := t.date(days, c.Tx, ""); err != nil {
			return err
		}
		c.RecordQuiet(EventSent, t.target(), "Tried again.", activity.Change{Field: "day", New: string(t.Day)})
		return t.hand(c, retry)
	})
	if err == nil {
		s.desk.Now(ctx)
	}
	return err
}
