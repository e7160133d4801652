package transfer

import (
	"context"
	"maps"
	"slices"
	"time"

	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/headroom"
	"mandate/internal/host"
)

// Options are what somebody can choose from for a new transfer.
type Options struct {
	From, To  []bank.AccountID // what transfer-from and transfer-to allow, by id
	May       entitlement.Explanation
	Room      headroom.Room
	MadeToday bank.Cents // what went out today on this person's right; nothing limits it
	Balances  map[bank.AccountID]host.Balance
	Unread    bool // the host did not tell the balances
	Today     bank.Day
	Now       calendar.Dating // of a transfer that is made at once
}

// Options reads what the caller can choose from. Every list is a view of the
// one decision.
func (s *Service) Options(ctx context.Context, caller bank.Caller) (o Options, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		o.From, o.To = sides(v.Policy, caller.Member(), v.Tx.Now)
		req := question(caller.Member(), "", "", 1, v.Tx.Now)
		req.Account, req.ToAccount = o.pair(v.Policy, caller.Member(), v.Tx.Now)
		if o.May, err = explain(v.Tx, v.Policy, req); err != nil {
			return err
		}
		if o.Room, err = headroom.Of(v.Tx, v.Policy, req); err != nil {
			return err
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		o.Today, o.Now = days.Today(v.Tx.Now), days.Date(calendar.Transfers, v.Tx.Now, "")
		o.MadeToday, err = madeOn(v.Tx, place{caller.Institution, caller.Organization}, caller.Member(), o.Today)
		return err
	})
	if err != nil {
		return Options{}, err
	}
	o.Balances, o.Unread = s.balances(ctx, caller, slices.Concat(o.From, o.To))
	return o, nil
}

// pair are two accounts to explain with: between which money could move, or
// else such that the answer says what is missing.
func (o *Options) pair(p *entitlement.Policy, member bank.UserID, now time.Time) (from, to bank.AccountID) {
	for _, from := range o.From {
		for _, to := range o.To {
			if from != to {
				return from, to
			}
		}
	}
	var seen, others []bank.AccountID
	for _, id := range slices.Sorted(maps.Keys(p.Accounts)) {
		if sees(p, member, id, now) {
			seen = append(seen, id)
		} else {
			others = append(others, id)
		}
	}
	from = first(slices.Concat(o.From, seen, others))
	rest := slices.DeleteFunc(slices.Concat(o.To, seen, others), func(id bank.AccountID) bool { return id == from })
	return from, first(rest)
}

func first(ids []bank.AccountID) bank.AccountID {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// sides are the accounts that money may come from and go to. What blocks on one
// account does not depend on the other, so each is asked about once a side.
func sides(p *entitlement.Policy, member bank.UserID, now time.Time) (from, to []bank.AccountID) {
	ids := make([]bank.AccountID, 0, len(p.Accounts))
	for id := range p.Accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(ids) < 2 {
		return nil, nil
	}
	for i, id := range ids {
		other := ids[(i+1)%len(ids)]
		if free(p, question(member, id, other, 1, now), id) {
			from = append(from, id)
		}
		if free(p, question(member, other, id, 1, now), id) {
			to = append(to, id)
		}
	}
	return from, to
}

// free reports whether nothing blocks on one account of a question.
func free(p *entitlement.Policy, req entitlement.Request, account bank.AccountID) bool {
	return !slices.ContainsFunc(entitlement.Decide(p, req).Reasons, func(r entitlement.Reason) bool { return r.Account == account })
}

func madeOn(tx *db.Tx, at place, member bank.UserID, day bank.Day) (bank.Cents, error) {
	return db.One(tx, db.Value[bank.Cents], `
		select cast(coalesce(sum(cents), 0) as bigint) from transfer
		 where institution_id = $1 and organization_id = $2 and day = $3 and by_id = $4 and state in ('sent', 'completed')`,
		at.institution, at.organization, day, member)
}

// balances asks the host; a host that does not answer keeps nobody from working.
func (s *Service) balances(ctx context.Context, caller bank.Caller, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, bool) {
	slices.Sort(accounts)
	balances, err := s.desk.Host().Balances(ctx, caller.Institution, slices.Compact(accounts))
	return balances, err != nil
}

// A Preview is what a draft would become.
type Preview struct {
	May     entitlement.Explanation
	Day     calendar.Dating
	Next    []calendar.Dating // of a series: the next days
	From    host.Balance
	Known   bool // the balance is
	Covered bool // as the balance stands; the host decides when it goes out
	AtOnce  bool
	Draft   Draft
}

// seriesShown is how many days of a series are shown before it is made.
const seriesShown = 5

// Preview says what a draft would become, and changes nothing. What is wrong
// with it is a fault of kind Invalid; what the engine refuses is in May.
func (s *Service) Preview(ctx context.Context, caller bank.Caller, d Draft) (p Preview, err error) {
	if err := d.checkShape(); err != nil {
		return Preview{}, err
	}
	action := looking(caller)
	action.Scope = entitlement.Scope{Accounts: []bank.AccountID{d.From, d.To}}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		today := days.Today(v.Tx.Now)
		d.tidy(today)
		if err := d.check(today); err != nil {
			return err
		}
		p.Day = days.Date(calendar.Transfers, v.Tx.Now, d.On)
		if d.Repeat != Once {
			series := d.asSeries()
			p.Next = series.Next(days, seriesShown)
		}
		p.May, err = explain(v.Tx, v.Policy, question(caller.Member(), d.From, d.To, d.Cents, v.Tx.Now))
		return err
	})
	if err != nil {
		return Preview{}, err
	}
	p.Draft, p.AtOnce = d, d.On == ""
	if p.May.Allowed {
		balances, _ := s.balances(ctx, caller, []bank.AccountID{d.From})
		p.From, p.Known = balances[d.From]
		p.Covered = p.Known && p.From.Available >= d.Cents
	}
	return p, nil
}
