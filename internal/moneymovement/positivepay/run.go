package positivepay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
	"mandate/internal/lease"
)

const (
	runLease = 5 * time.Minute // longer than a page takes
	runPage  = 100
)

// Run takes in what the host presents, and settles what nobody decided by its
// cut-off. One process at a time does it; doing it again is harmless. What
// fails does not keep the rest.
func (s *Service) Run(ctx context.Context) error {
	l, taken, err := lease.Take(ctx, s.db, RoomName, s.process, runLease)
	if err != nil || !taken {
		return err
	}
	var all []bank.InstitutionID
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		all, err = institutions(tx)
		return err
	})
	for _, institution := range all {
		if e := s.collect(ctx, l, institution); e != nil {
			err = errors.Join(err, fmt.Errorf("take in what came to %s: %w", institution, e))
		}
	}
	defaulted, e := s.cutOff(ctx, l)
	if defaulted > 0 {
		s.desk.Now(ctx)
	}
	if err = errors.Join(err, e); errors.Is(err, lease.ErrLost) {
		return nil // somebody else goes on
	}
	return err
}

// collect takes in what the host has presented since it was last listened to.
func (s *Service) collect(ctx context.Context, l lease.Lease, institution bank.InstitutionID) error {
	for ctx.Err() == nil {
		mark := ""
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			mark, err = markOf(tx, institution)
			return err
		})
		if err != nil {
			return err
		}
		page, err := s.desk.Host().Presented(ctx, institution, mark, runPage)
		if err != nil {
			return fmt.Errorf("ask the host: %w", err)
		}
		for _, p := range page {
			if err := s.take(ctx, l, institution, p); err != nil {
				return fmt.Errorf("%s: %w", p.Item, err)
			}
		}
		if len(page) == 0 { // a shorter one is not the end
			return nil
		}
	}
	return ctx.Err()
}

// take keeps an item, once, and remembers how far the host has been listened
// to. Those who may decide it are told, once a day for each account.
func (s *Service) take(ctx context.Context, l lease.Lease, institution bank.InstitutionID, p host.Presented) error {
	caller := bank.Caller{Kind: bank.ActorHost, Institution: institution, Channel: bank.ChannelCore}
	action := guard.Action{
		Event: EventPresented, Organization: p.Organization, Others: []bank.ActorKind{bank.ActorHost}, Target: organizationTarget(p.Organization),
		Scope: entitlement.Scope{AllMembers: p.Mismatch != "", Accounts: []bank.AccountID{p.Account}},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		if err := l.Check(c.Tx); err != nil {
			return err
		}
		if err := putMark(c.Tx, institution, p.Mark); err != nil {
			return err
		}
		i := itemOf(institution, p, c.Tx.Now)
		fresh, err := insertItem(c.Tx, &i)
		if err != nil || !fresh {
			return err
		}
		if i.State == Paid && i.Kind == host.CheckItem {
			return payIssue(c.Tx, place{institution, p.Organization}, i.Account, i.Number, i.Day)
		}
		if i.State != Open {
			return nil
		}
		c.RecordQuiet(EventPresented, i.target(), "", activity.Change{Field: "account", New: string(i.Account)}, activity.Change{Field: "amount", New: i.Cents.String()}, activity.Change{Field: "mismatch", New: string(i.Mismatch)})
		return s.teller.Tell(c.Tx, institution, deciders(c.Policy, &i, c.Tx.Now), fmt.Sprintf("arp %s %s %s", i.Account, i.Day, i.Kind), EventPresented, "Exceptions to decide",
			"Something came in on an account that does not match what you issued or authorized.", "Sign in and look under Positive Pay. What nobody decides by the cut-off is settled by your institution's rule.")
	})
}

// itemOf is an item as the host presents it.
func itemOf(institution bank.InstitutionID, p host.Presented, now time.Time) Item {
	i := Item{
		Institution: institution, Organization: p.Organization, ID: ItemID(bank.NewID("itm", now)), Account: p.Account, Kind: p.Kind, Day: p.Day, Number: p.Number,
		Cents: p.Cents, Payee: p.Payee, Mismatch: p.Mismatch, Company: p.Company, CompanyID: p.CompanyID, Class: p.Class, Description: p.Description, Trace: p.Trace,
		Sides: p.Sides, Created: now, Version: 1, hostID: p.Item,
	}
	i.State = map[host.Outcome]ItemState{host.Waiting: Open, host.Paid: Paid, host.Returned: Returned}[p.Outcome]
	return i
}

// deciders are the people who may decide about an item.
func deciders(p *entitlement.Policy, i *Item, now time.Time) (people []bank.UserID) {
	for id := range p.Members {
		if entitlement.Decide(p, question(i.Operation(), id, i.Account, now)).Allowed {
			people = append(people, id)
		}
	}
	return people
}

// cutOff does what the institution does with what nobody decided in time.
func (s *Service) cutOff(ctx context.Context, l lease.Lease) (done int, err error) {
	after := due{}
	for ctx.Err() == nil {
		var page []Item
		e := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			tomorrow := bank.DayOf(tx.Now.AddDate(0, 0, 1), time.UTC) // whatever the time zone, a later day's cut-off has not come
			page, err = dueItems(tx, after, tomorrow, runPage)
			return err
		})
		if e != nil {
			return done, errors.Join(err, e)
		}
		for n := range page {
			settled, e := s.settleDefault(ctx, l, &page[n])
			if errors.Is(e, lease.ErrLost) {
				return done, e
			}
			if e != nil {
				err = errors.Join(err, fmt.Errorf("settle %s: %w", page[n].ID, e))
			}
			if settled {
				done++
			}
		}
		if len(page) < runPage {
			break
		}
		after = due{page[len(page)-1].Day, page[len(page)-1].ID}
	}
	return done, err
}

// settleDefault settles one item by the institution's rule, where its cut-off
// is over and still nobody has decided. What the host could not pay goes back.
func (s *Service) settleDefault(ctx context.Context, l lease.Lease, seen *Item) (settled bool, err error) {
	action := guard.Action{
		Event: EventDefaulted, Organization: seen.Organization, Target: seen.target(), Others: []bank.ActorKind{bank.ActorSystem},
		Scope: entitlement.Scope{AllMembers: true, Accounts: []bank.AccountID{seen.Account}},
	}
	err = s.guard.Do(ctx, bank.System(seen.Institution), action, func(c *guard.Change) error {
		settled = false
		if err := l.Check(c.Tx); err != nil {
			return err
		}
		i, found, err := findItem(c.Tx, place{seen.Institution, seen.Organization}, seen.ID)
		if err != nil || !found || !i.State.Waits() {
			return err
		}
		days, err := s.calendar.In(c.Tx, i.Institution)
		if err != nil {
			return err
		}
		set, err := settingsOf(c.Tx, i.Institution)
		if err != nil {
			return err
		}
		if w := set.windowOf(days, i.Day, i.Created); w.Day == "" || c.Tx.Now.Before(w.Closes) {
			return nil
		}
		settled = true
		verdict, old := set.of(i.Kind), i.State
		if old == Refused {
			verdict = Return
		}
		i.Reason, i.By = ReasonNobody, somebody(c.Caller)
		if err := i.send(c, verdict); err != nil {
			return err
		}
		c.RecordQuiet(EventDefaulted, i.target(), "", activity.Change{Field: "state", Old: string(old), New: string(i.State)})
		return s.teller.Tell(c.Tx, i.Institution, deciders(c.Policy, &i, c.Tx.Now), fmt.Sprintf("arp default %s %s %s", i.Account, i.Day, i.Kind), EventDefaulted,
			"Exceptions were settled at the cut-off", "Nobody decided about some exceptions in time, so your institution's rule settled them.", "Sign in and look under Positive Pay.")
	})
	return settled && err == nil, err
}
