package wire

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/guard"
)

// changing is the action of changing one wire. The change decides itself,
// because the question has an account and an amount.
func changing(caller bank.Caller, event string, id ID, accounts ...bank.AccountID) guard.Action {
	return guard.Action{
		Event: event, Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id), Name: "wire"}, Scope: scopeOf(caller.Member(), accounts...),
	}
}

// one reads the wire that a change is about. Version is the one that the person
// saw.
func one(c *guard.Change, id ID, version int64) (Wire, error) {
	w, found, err := find(c.Tx, place{c.Caller.Institution, c.Caller.Organization}, id)
	if err != nil {
		return Wire{}, err
	}
	if !found {
		return Wire{}, ErrNone
	}
	if err := c.Widen(scopeOf(c.Caller.Member(), w.Account)); err != nil {
		return Wire{}, err
	}
	if err := allow(c, on(catalog.WiresView, c.Caller.Member(), w.Account, c.Tx.Now)); err != nil {
		return Wire{}, err
	}
	if w.Version != version {
		return w, ErrStale
	}
	return w, nil
}

// Edit changes a wire that has not gone out, and sends back what was agreed to.
// Whom a wire pays that came from a template or a series stays as it is. It is
// ready then, or sent off again with the same save. What is counted of it is
// given back. It takes the right to edit such wires, and to send off the right
// to transmit and a high-risk authorization.
func (s *Service) Edit(ctx context.Context, caller bank.Caller, version int64, d Draft) error {
	if err := d.checkShape(); err != nil {
		return err
	}
	seen, err := s.glance(ctx, caller, d.ID)
	if err != nil {
		return err
	}
	if seen.Kind() != OneTime {
		d.Account = seen.Account
	}
	payer, err := s.payer(ctx, caller, d.Account, d.Send)
	if err != nil {
		return err
	}
	err = s.guard.Do(ctx, caller, changing(caller, EventEdited, d.ID, d.Account), func(c *guard.Change) error {
		w, err := one(c, d.ID, version)
		if err != nil {
			return err
		}
		days, err := s.calendar.In(c.Tx, caller.Institution)
		if err != nil {
			return err
		}
		before := w
		if err := s.revise(c, days, &w, &d); err != nil {
			return err
		}
		changes := differences(&before, &w)
		if d.Send {
			w.By, w.Originator = somebody(caller), payer
			if _, err := s.sendOff(c, days, &w, d.Anyway); err != nil {
				return err
			}
		}
		c.RecordQuiet(EventEdited, w.target(), w.Because, append(changes, activity.Change{Field: "state", Old: string(before.State), New: string(w.State)})...)
		return nil
	})
	if err == nil && d.Send {
		s.desk.Now(ctx)
	}
	return err
}

// revise takes an edit into a wire, which is ready then.
func (s *Service) revise(c *guard.Change, days *calendar.Calendar, w *Wire, d *Draft) error {
	if !w.State.can(edit) {
		return w.to(c.Tx, edit) // says why
	}
	op := editing[w.Kind()]
	if err := allow(c, on(op, c.Caller.Member(), w.Account, c.Tx.Now)); err != nil {
		return err
	}
	if w.Kind() != OneTime {
		cents, remarks := d.Cents, d.Remarks
		d.Instruction = w.Instruction
		d.Cents, d.Remarks = cents, remarks
	}
	d.Repeat = calendar.Once
	today := days.Today(c.Tx.Now)
	d.plan(today)
	if err := d.check(today); err != nil {
		return err
	}
	if err := c.Widen(scopeOf(c.Caller.Member(), d.Account)); err != nil {
		return err
	}
	if err := allow(c, on(op, c.Caller.Member(), d.Account, c.Tx.Now)); err != nil {
		return err
	}
	if err := w.free(c.Tx); err != nil {
		return err
	}
	if _, err := s.queue.EditedIn(c, RoomName, string(w.ID)); err != nil {
		return err
	}
	w.Instruction, w.Asked, w.Code, w.Problem = d.Instruction, d.On, "", ""
	if err := w.date(days, c.Tx); err != nil {
		return err
	}
	return w.to(c.Tx, edit)
}

// differences are what an edit changed.
func differences(before, after *Wire) []activity.Change {
	changes := before.Instruction.differences(&after.Instruction)
	if before.Day != after.Day {
		changes = append(changes, activity.Change{Field: "day", Old: string(before.Day), New: string(after.Day)})
	}
	return changes
}

func (i *Instruction) differences(after *Instruction) (changes []activity.Change) {
	for _, d := range []activity.Change{
		{Field: "account", Old: string(i.Account), New: string(after.Account)},
		{Field: "amount", Old: i.Cents.String(), New: after.Cents.String()},
		{Field: "payee", Old: i.Payee.Name, New: after.Payee.Name},
		{Field: "payee_account", Old: i.Payee.Account, New: after.Payee.Account},
		{Field: "address", Old: i.Address(), New: after.Address()},
		{Field: "routing", Old: i.Bank.Routing, New: after.Bank.Routing},
		{Field: "bank", Old: i.Bank.Name, New: after.Bank.Name},
		{Field: "via_routing", Old: i.Via.Routing, New: after.Via.Routing},
		{Field: "remarks", Old: i.Remarks, New: after.Remarks},
	} {
		if d.Old != d.New {
			changes = append(changes, d)
		}
	}
	return changes
}

// Cancel takes back a wire that has not gone out, for good. What is counted of
// it is given back; of a series the next one follows.
func (s *Service) Cancel(ctx context.Context, caller bank.Caller, id ID, version int64) error {
	return s.guard.Do(ctx, caller, changing(caller, EventDeleted, id), func(c *guard.Change) error {
		w, err := one(c, id, version)
		if err != nil {
			return err
		}
		if err := allow(c, takingBack(c.Policy.Institution.Edition, w.Kind(), caller.Member(), w.Account, c.Tx.Now)); err != nil {
			return err
		}
		if !w.State.can(cancel) {
			return w.to(c.Tx, cancel) // says why
		}
		if err := w.free(c.Tx); err != nil {
			return err
		}
		if _, err := s.queue.WithdrawIn(c, RoomName, string(w.ID)); err != nil {
			return err
		}
		old := w.State
		if err := w.to(c.Tx, cancel); err != nil {
			return err
		}
		c.RecordQuiet(EventDeleted, w.target(), "", activity.Change{Field: "state", Old: string(old), New: string(w.State)})
		return s.goOn(c, &w)
	})
}
