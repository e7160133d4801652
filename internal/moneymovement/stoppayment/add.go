package stoppayment

import (
	"context"
	"fmt"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// Add places a stop. It has been at the host when Add returns, unless the host
// takes its time. It asks for a high-risk authorization. The same draft again
// places nothing.
func (s *Service) Add(ctx context.Context, caller bank.Caller, d Draft) error {
	if err := d.checkShape(); err != nil {
		return err
	}
	hash := hashOf(d)
	d.tidy()
	action := guard.Action{
		Event: EventAdded, Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember}, // the engine is asked with the account
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(d.ID), Name: "stop payment of " + strings.ToLower(checks(d.First, d.Last))},
		Scope:  entitlement.Scope{Accounts: []bank.AccountID{d.Account}},
	}
	err := s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		known, found, err := find(c.Tx, place{caller.Institution, caller.Organization}, d.ID)
		switch {
		case err != nil:
			return err
		case found && known.hash == hash && known.By.ID == caller.Member():
			return nil
		case found:
			return fault.New(fault.Conflict, "This form was sent before with something else in it. Open it again.").With("ID_REUSED")
		}
		stop, err := s.judge(c, d)
		if err != nil {
			return err
		}
		if err := c.RequireProof([]byte("stop " + hash)); err != nil {
			return err
		}
		stop.hash = hash
		if err := insert(c.Tx, &stop); err != nil {
			return err
		}
		c.RecordQuiet(EventAdded, stop.target(), "", stop.told()...)
		return host.Queue(c.Tx, stop.order())
	})
	if err != nil {
		return err
	}
	s.desk.Now(ctx)
	return nil
}

// judge makes a stop of a draft, or says why it cannot be placed.
func (s *Service) judge(c *guard.Change, d Draft) (Stop, error) {
	days, err := s.calendar.In(c.Tx, c.Caller.Institution)
	if err != nil {
		return Stop{}, err
	}
	terms, err := termsOf(c.Tx, c.Caller.Institution)
	if err != nil {
		return Stop{}, err
	}
	if err := d.check(terms, days.Today(c.Tx.Now)); err != nil {
		return Stop{}, err
	}
	e := entitlement.Explain(c.Policy, question(catalog.StopsAddOperation, c.Caller.Member(), d.Account, c.Tx.Now))
	if !e.Allowed {
		return Stop{}, fault.New(fault.Forbidden, "You may not place this stop payment.").With(string(e.Reasons[0].Code)).Because(&Refusal{e})
	}
	at := place{c.Caller.Institution, c.Caller.Organization}
	if err := notStopped(c.Tx, at, d, days.Today(c.Tx.Now)); err != nil {
		return Stop{}, err
	}
	if d.Terms != terms.Seen() {
		return Stop{}, ErrTermsChanged
	}
	dated := days.Date(calendar.Stops, c.Tx.Now, "")
	if dated.Day == "" {
		return Stop{}, fault.New(fault.Unavailable, dated.Sentence())
	}
	return Stop{
		Institution: at.institution, Organization: at.organization, ID: d.ID, Account: d.Account, First: d.First, Last: d.Last,
		Cents: d.Cents, CheckDay: d.CheckDay, Payee: d.Payee, Fee: terms.Fee, State: Sent,
		Day: dated.Day, Until: calendar.AddMonths(days.Today(c.Tx.Now), months),
		By: Somebody{c.Caller.Member(), c.Caller.Name}, Created: c.Tx.Now,
	}, nil
}

// notStopped refuses checks that are stopped already: nobody pays twice for the
// same.
func notStopped(tx *db.Tx, at place, d Draft, today bank.Day) error {
	same, err := overlapping(tx, at, d.Account, d.First, d.Last, today)
	if err != nil || len(same) == 0 {
		return err
	}
	var problems fault.Problems
	problems.Addf("first", "%s of this account %s stopped until %s already.", same[0].Checks(), isOrAre(&same[0]), calendar.Long(same[0].Until))
	return problems.Err("This stop payment cannot be placed as it stands.")
}

func isOrAre(s *Stop) string {
	if s.First == s.Last {
		return "is"
	}
	return "are"
}

// order is what the host is asked for.
func (s *Stop) order() host.Order {
	o := host.Order{
		Institution: s.Institution, Organization: s.Organization, Room: RoomName, Ref: string(s.ID) + "/place", Day: s.Day,
		Memo: "Stop payment, " + strings.ToLower(s.Checks()),
		Stop: &host.Stop{Account: s.Account, First: s.First, Last: s.Last, Cents: s.Cents, Until: s.Until},
	}
	if s.Fee > 0 {
		o.Legs = host.Move(s.Account, host.Internal("fees"), s.Fee)
	}
	return o
}

// told is a stop as history keeps it.
func (s *Stop) told() []activity.Change {
	changes := []activity.Change{{Field: "account", New: string(s.Account)}, {Field: "checks", New: s.Checks()}, {Field: "until", New: string(s.Until)}}
	if s.Cents > 0 {
		changes = append(changes, activity.Change{Field: "amount", New: s.Cents.String()})
	}
	if s.Fee > 0 {
		changes = append(changes, activity.Change{Field: "fee", New: s.Fee.String()})
	}
	return changes
}

// Lift ends a stop before its time. Only the institution does that.
func (s *Service) Lift(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, id ID, why string) error {
	action := guard.Action{
		Event: EventLiftAsked, Organization: organization, Staff: catalog.PeopleManageAll.ID(), Others: []bank.ActorKind{bank.ActorHost, bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetPayment, ID: string(id)},
	}
	err := s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		stop, found, err := find(c.Tx, place{caller.Institution, organization}, id)
		if err != nil {
			return err
		}
		if !found {
			return ErrNone
		}
		if err := stop.to(c.Tx, lift); err != nil {
			return err
		}
		c.RecordQuiet(EventLiftAsked, stop.target(), why, activity.Change{Field: "state", Old: string(Active), New: string(Lifting)})
		o := stop.order()
		return host.Queue(c.Tx, host.Order{
			Institution: o.Institution, Organization: o.Organization, Room: RoomName, Day: stop.Day, Memo: "End of " + o.Memo,
			Ref: fmt.Sprintf("%s/lift/%d", stop.ID, c.Tx.Now.UnixMicro()), Lift: o.Key(),
		})
	})
	if err == nil {
		s.desk.Now(ctx)
	}
	return err
}

// settled hears from the host. It may hear twice, and late.
func (s *Service) settled(ctx context.Context, o host.Order, r host.Receipt) error {
	id, what, _ := strings.Cut(o.Ref, "/")
	caller := bank.Caller{Kind: bank.ActorHost, Institution: o.Institution, Channel: bank.ChannelCore}
	action := guard.Action{
		Event: EventPlaced, Organization: o.Organization, Others: []bank.ActorKind{bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetPayment, ID: id},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		stop, found, err := find(c.Tx, place{o.Institution, o.Organization}, ID(id))
		waits := map[bool]State{true: Sent, false: Lifting}[what == "place"]
		if err != nil || !found || stop.State != waits {
			return err
		}
		old := stop.State
		if r.Done() {
			if stop.State == Sent {
				stop.Reference = r.Reference
			}
			if err := stop.to(c.Tx, accept); err != nil {
				return err
			}
			event := map[State]string{Active: EventPlaced, Lifted: EventLifted}[stop.State]
			c.RecordQuiet(event, stop.target(), "", activity.Change{Field: "state", Old: string(old), New: string(stop.State)})
			return nil
		}
		return s.hearNo(c, &stop, r)
	})
}

// hearNo takes a refusal of the host and tells whoever asked.
func (s *Service) hearNo(c *guard.Change, stop *Stop, r host.Receipt) error {
	old := stop.State
	problem := r.Sentence(func(bank.AccountID) string { return "the account for the fee" })
	if stop.State == Sent {
		stop.Code, stop.Problem = string(r.Refused), problem
	}
	if err := stop.to(c.Tx, refuse); err != nil {
		return err
	}
	c.RecordRefused(EventRefused, stop.target(), string(r.Refused), problem, activity.Change{Field: "state", Old: string(old), New: string(stop.State)})
	if stop.State != Refused {
		return nil
	}
	return s.teller.Tell(c.Tx, stop.Institution, []bank.UserID{stop.By.ID}, "stop "+string(stop.ID), EventRefused, "A stop payment was not placed",
		"The host did not place a stop payment that you asked for. The check can still be paid.", "Sign in and look under Stop payments.")
}
