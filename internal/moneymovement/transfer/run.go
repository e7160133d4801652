package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/lease"
)

const (
	runLease = time.Minute // longer than a page of due transfers takes
	runPage  = 100
)

// RunDue sends what is due to the host and says how much. One process at a time
// does it; doing it again is harmless: a transfer leaves its state with the
// order that carries it. One that fails does not keep the others.
func (s *Service) RunDue(ctx context.Context) (ran int, err error) {
	l, taken, err := lease.Take(ctx, s.db, "transfers", s.process, runLease)
	if err != nil || !taken {
		return 0, err
	}
	after := due{}
	for ctx.Err() == nil {
		var page []Transfer
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
		if l, taken, e = lease.Take(ctx, s.db, "transfers", s.process, runLease); e != nil || !taken {
			return ran, errors.Join(err, e)
		}
	}
	if ran > 0 {
		s.desk.Now(ctx)
	}
	return ran, err
}

// run sends one due transfer, or parks it where it may not go.
func (s *Service) run(ctx context.Context, l lease.Lease, seen *Transfer) (done bool, err error) {
	action := guard.Action{
		Event: EventSent, Organization: seen.Organization, Target: seen.target(), Others: []bank.ActorKind{bank.ActorSystem},
		Scope: scopeOf(seen.By.ID, seen.From, seen.To),
	}
	err = s.guard.Do(ctx, bank.System(seen.Institution), action, func(c *guard.Change) error {
		if err := l.Check(c.Tx); err != nil {
			return err
		}
		t, found, err := find(c.Tx, place{seen.Institution, seen.Organization}, seen.ID)
		done = err == nil && found && t.State == Scheduled && !t.Due.After(c.Tx.Now)
		if err != nil || !done {
			return err
		}
		if err := c.Widen(scopeOf(t.By.ID, t.From, t.To)); err != nil {
			return err
		}
		days, err := s.calendar.In(c.Tx, seen.Institution)
		if err != nil {
			return err
		}
		if today := days.Today(c.Tx.Now); !days.Open(today) {
			return t.moveOn(c, days, today)
		}
		return s.goOut(c, days, &t)
	})
	return done && err == nil, err
}

// moveOn gives a transfer whose day is no business day any more another one.
func (t *Transfer) moveOn(c *guard.Change, days *calendar.Calendar, today bank.Day) error {
	old := t.Day
	if err := t.date(days, c.Tx, today); err != nil {
		return err
	}
	c.RecordQuiet(EventMoved, t.target(), t.Because, activity.Change{Field: "day", Old: string(old), New: string(t.Day)})
	return t.to(c.Tx, edit)
}

// goOut judges a due transfer again and sends or parks it. Either way a series
// goes on.
func (s *Service) goOut(c *guard.Change, days *calendar.Calendar, t *Transfer) error {
	e, err := explain(c.Tx, c.Policy, question(t.By.ID, t.From, t.To, t.Cents, c.Tx.Now))
	if err != nil {
		return err
	}
	if !e.Allowed {
		if err := s.park(c, t, string(e.Reasons[0].Code), e.Reasons[0].Sentence(entitlement.Names{Member: t.By.Name})); err != nil {
			return err
		}
		return goOn(c, days, t)
	}
	c.RecordQuiet(EventSent, t.target(), "", activity.Change{Field: "state", Old: string(t.State), New: string(Sent)})
	if err := t.hand(c, send); err != nil {
		return err
	}
	return goOn(c, days, t)
}

// park puts a transfer aside until somebody looks, and tells them.
func (s *Service) park(c *guard.Change, t *Transfer, code, problem string) error {
	return s.stop(c, t, park, code, problem)
}

// stop ends an attempt that did not succeed and tells the people.
func (s *Service) stop(c *guard.Change, t *Transfer, step Step, code, problem string) error {
	old := t.State
	t.Code, t.Problem = code, problem
	if err := t.to(c.Tx, step); err != nil {
		return err
	}
	c.RecordRefused(EventRefused, t.target(), code, problem, activity.Change{Field: "state", Old: string(old), New: string(t.State)})
	what, then := "A transfer was not carried out", "Nothing has moved. Sign in and look under Transfers: you can make another one."
	if t.State == Parked {
		what, then = "A scheduled transfer needs attention", "Nothing has moved. Sign in and look under Transfers: you can try it again or cancel it."
	}
	key := fmt.Sprintf("transfer %s %d %s", t.ID, t.Attempt, t.State)
	return s.teller.Tell(c.Tx, t.Institution, t.people(c.Policy), key, EventRefused, what, fmt.Sprintf("%s, made by %s, could not be carried out.", what2(t), t.Maker.Name), then)
}

func what2(t *Transfer) string {
	if t.Series != "" {
		return "A transfer of a series"
	}
	return "A transfer"
}

// people are those who are told what became of a transfer: whoever made it, on
// whose right it goes, and the admins where that person cannot act any more.
func (t *Transfer) people(p *entitlement.Policy) []bank.UserID {
	people := []bank.UserID{t.By.ID}
	if t.Maker.ID != t.By.ID {
		people = append(people, t.Maker.ID)
	}
	if m := p.Members[t.By.ID]; m == nil || m.Status != bank.StatusActive || m.Held {
		people = append(people, p.UsableAdmins...)
	}
	return people
}

// settled hears from the host. It may hear twice, and late.
func (s *Service) settled(ctx context.Context, o host.Order, r host.Receipt) error {
	id, _, _ := cutRef(o.Ref)
	caller := bank.Caller{Kind: bank.ActorHost, Institution: o.Institution, Channel: bank.ChannelCore}
	action := guard.Action{
		Event: EventExecuted, Organization: o.Organization, Others: []bank.ActorKind{bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id)},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		t, found, err := find(c.Tx, place{o.Institution, o.Organization}, id)
		if err != nil || !found || t.State != Sent || t.ref() != o.Ref {
			return err
		}
		if err := c.Widen(scopeOf(t.By.ID)); err != nil {
			return err
		}
		t.Reference = r.Reference
		if r.Done() {
			c.RecordQuiet(EventExecuted, t.target(), "", activity.Change{Field: "state", Old: string(t.State), New: string(Completed)}, activity.Change{Field: "reference", New: r.Reference})
			return t.to(c.Tx, complete)
		}
		step := fail
		if t.wasScheduled() {
			step = park
		}
		return s.stop(c, &t, step, string(r.Refused), r.Sentence(func(bank.AccountID) string { return "the account that the money comes from" }))
	})
}

// wasScheduled reports whether nobody was there when it went out.
func (t *Transfer) wasScheduled() bool { return t.Series != "" || t.Due.After(t.Created) }
