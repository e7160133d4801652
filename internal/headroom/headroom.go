// Package headroom says how much room a payment has: every limit that would be
// tested on it, who set it, what is used of it today, what is left, and when it
// begins anew. It is a view of the one decision (entitlement.Explain) and decides
// nothing.
package headroom

import (
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/usage"
)

// A Ceiling is one limit that bears on a payment.
type Ceiling struct {
	Level      entitlement.Level
	Permission catalog.Permission
	Account    bank.AccountID // of an account's limit
	Limit      bank.Cents
	Daily      bool
	Used       bank.Cents // of a daily limit, on the payment's day
	Left       bank.Cents
	Resets     time.Time // of a daily limit: when its day is over
	SetBy      string    // who set it last, as the history names them; empty where it does not say
	SetAt      time.Time
}

// A Room is the room that a payment has.
type Room struct {
	Ceilings []Ceiling  // the tightest first
	UpTo     bank.Cents // the most that may be moved now
	Alone    bank.Cents // of UpTo, without a second person
}

// Of finds the room of a payment, whatever its amount. The policy must hold its
// member and accounts.
func Of(tx *db.Tx, p *entitlement.Policy, req entitlement.Request) (room Room, err error) {
	req.Amount = entitlement.AmountOf(1)
	if req.Used, err = usage.For(tx, p, req); err != nil {
		return Room{}, err
	}
	room.UpTo, room.Alone = entitlement.Largest(p, req)
	for _, rung := range entitlement.Explain(p, req).Rungs {
		for _, c := range rung.Checks {
			if c.Code == entitlement.LimitPerTransaction || c.Code == entitlement.LimitDaily {
				room.Ceilings = append(room.Ceilings, ceiling(p, req, c))
			}
		}
	}
	slices.SortStableFunc(room.Ceilings, func(a, b Ceiling) int { return int(max(-1, min(1, a.Left-b.Left))) })
	return room, room.findSetters(tx, p, req.Member)
}

func ceiling(p *entitlement.Policy, req entitlement.Request, c entitlement.Check) Ceiling {
	found := Ceiling{
		Level: c.Level, Permission: c.Permission, Account: c.Account, Limit: c.Limit, Used: c.Used,
		Daily: c.Code == entitlement.LimitDaily, Left: max(0, c.Limit-c.Used),
	}
	if _, day, counts := entitlement.Counting(p.Institution, req); found.Daily && counts {
		found.Resets = endOf(day, p.Institution.Location)
	}
	return found
}

// endOf is the moment at which a day is over.
func endOf(day bank.Day, place *time.Location) time.Time {
	noon := day.Time(place)
	return time.Date(noon.Year(), noon.Month(), noon.Day()+1, 0, 0, 0, 0, place)
}

// findSetters looks up in the history who set each limit last.
func (r *Room) findSetters(tx *db.Tx, p *entitlement.Policy, member bank.UserID) error {
	events := map[string][]activity.Event{}
	for i := range r.Ceilings {
		c := &r.Ceilings[i]
		target := string(member)
		if c.Level == entitlement.LevelOrganization {
			target = string(p.Organization.ID)
		}
		feed, read := events[target]
		if !read {
			var err error
			feed, err = activity.Feed(tx, activity.Filter{Institution: p.Institution.ID, Organization: p.Organization.ID, Target: target})
			if err != nil {
				return err
			}
			events[target] = feed
		}
		c.findSetter(feed)
	}
	return nil
}

func (c *Ceiling) findSetter(feed []activity.Event) {
	for _, e := range feed {
		for _, change := range e.Changes {
			if change.Field == c.field() && c.on(change.Accounts) {
				c.SetBy, c.SetAt = e.Actor.Name, e.Time
				return
			}
		}
	}
}

// field is what history calls the limit.
func (c *Ceiling) field() string {
	if c.Level == entitlement.LevelOrganization {
		return "ceiling." + c.Permission.ID()
	}
	return c.Permission.ID()
}

// on reports whether a change of those accounts is one of this limit.
func (c *Ceiling) on(accounts []string) bool {
	if c.Level == entitlement.LevelUserAccount {
		return slices.Contains(accounts, string(c.Account))
	}
	return len(accounts) == 0
}
