package stoppayment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// MaxPage is the most stops of one page.
const MaxPage = 500

// A Sort is what a list is ordered by.
type Sort string

const (
	ByPlaced Sort = "placed"
	ByCheck  Sort = "check"
	ByUntil  Sort = "until"
)

var orders = map[Sort]string{ByPlaced: "created_micros", ByCheck: "first_check", ByUntil: "until_day"}

// A Query is what a list is asked for; what is empty asks for everything.
type Query struct {
	Search     string           // a check's number, an amount, a part of the payee
	Matching   []bank.AccountID // accounts whose name fits the search
	State      State
	Account    bank.AccountID
	Sort       Sort
	Reverse    bool
	Page, Size int // the first page is 1
}

// A Page is a part of a list.
type Page struct {
	Stops    []Stop
	Matching int
	Fees     bank.Cents // of all that match and were placed
	Total    int
	Page     int
	Today    bank.Day
	CanAdd   bool                    // on some account
	See      entitlement.Explanation // why there is no account whose stops may be seen, or that there is one
}

// looking is the action of looking at an organization's stops. Those of an
// account that the caller may not see stops of are not there for them.
func looking(caller bank.Caller) guard.Action {
	return guard.Action{
		Event: "stop.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(caller.Organization)},
		Scope:  entitlement.Scope{AllAccounts: true},
	}
}

// allowed are the accounts on which a member may do something, by id.
func allowed(p *entitlement.Policy, op catalog.Operation, member bank.UserID, now time.Time) (ids []bank.AccountID) {
	for id := range p.Accounts {
		if entitlement.Decide(p, question(op, member, id, now)).Allowed {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// List lists the stops on accounts whose stops the caller may see.
func (s *Service) List(ctx context.Context, caller bank.Caller, q Query) (page Page, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		today := days.Today(v.Tx.Now)
		seen := allowed(v.Policy, catalog.StopsViewOperation, caller.Member(), v.Tx.Now)
		if len(seen) > 0 {
			page, err = list(v.Tx, place{caller.Institution, caller.Organization}, seen, len(seen) == len(v.Policy.Accounts), today, q)
		}
		page.Today = today
		page.See = entitlement.Explain(v.Policy, question(catalog.StopsViewOperation, caller.Member(), likeliest(v.Policy, caller.Member(), seen, v.Tx.Now), v.Tx.Now))
		page.CanAdd = len(allowed(v.Policy, catalog.StopsAddOperation, caller.Member(), v.Tx.Now)) > 0
		return err
	})
	return page, err
}

const listWhere = `
	 where institution_id = $1 and organization_id = $2
	   and (cast($3 as text) = '' or replace($3, ',' || account_id || ',', '') <> $3)
	   and (cast($4 as text) = '' or case when state = 'active' and until_day < $5 then 'expired' when state = 'lifting' then 'active' else state end = $4)
	   and (cast($6 as text) = '' or account_id = $6)
	   and (cast($7 as text) = '' or payee_key like $7 escape '\' or (first_check <= $8 and last_check >= $8) or cents = $9
	        or replace($10, ',' || account_id || ',', '') <> cast($10 as text))`

func list(tx *db.Tx, at place, seen []bank.AccountID, all bool, today bank.Day, q Query) (page Page, err error) {
	if q.Size <= 0 || q.Size > MaxPage {
		q.Size = MaxPage
	}
	visible := joined(seen)
	if all {
		visible = ""
	}
	number, err := strconv.ParseInt(strings.TrimSpace(q.Search), 10, 64)
	if err != nil {
		number = -1
	}
	cents, err := bank.ParseMoney(q.Search)
	if err != nil || cents == 0 {
		cents = -1
	}
	args := []any{at.institution, at.organization, visible, q.State, today, q.Account, db.Containing(q.Search), number, cents, joined(q.Matching)}
	const count = `select count(*), cast(coalesce(sum(case when state in ('active', 'lifting', 'lifted') then fee else 0 end), 0) as bigint) from stop_payment`
	if err := tx.QueryRow(count+listWhere, args...).Scan(&page.Matching, &page.Fees); err != nil {
		return Page{}, fmt.Errorf("count the stop payments: %w", err)
	}
	var fees bank.Cents
	if err := tx.QueryRow(count+listWhere, at.institution, at.organization, visible, "", today, "", "", -1, -1, "").Scan(&page.Total, &fees); err != nil {
		return Page{}, fmt.Errorf("count the stop payments: %w", err)
	}
	page.Page = max(1, min(q.Page, (page.Matching+q.Size-1)/q.Size))
	column, known := orders[q.Sort]
	if !known {
		column = orders[ByPlaced]
	}
	direction := " desc"
	if q.Reverse {
		direction = ""
	}
	page.Stops, err = db.All(tx, scan, `select `+columns+` from stop_payment`+listWhere+
		` order by `+column+direction+`, id`+direction+` limit $11 offset $12`, append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return Page{}, fmt.Errorf("list the stop payments: %w", err)
	}
	return page, nil
}

// joined writes ids so that one of them can be found between commas.
func joined(ids []bank.AccountID) string {
	if len(ids) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteByte(',')
	for _, id := range ids {
		b.WriteString(string(id))
		b.WriteByte(',')
	}
	return b.String()
}

// A Detail is a stop with all that is known of it.
type Detail struct {
	Stop
	Today  bank.Day
	Events []activity.Event
}

// Get reads one stop.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id ID) (d Detail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		stop, found, err := find(v.Tx, place{caller.Institution, caller.Organization}, id)
		if err != nil {
			return err
		}
		if !found || !entitlement.Decide(v.Policy, question(catalog.StopsViewOperation, caller.Member(), stop.Account, v.Tx.Now)).Allowed {
			return ErrNone
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		d.Stop, d.Today = stop, days.Today(v.Tx.Now)
		d.Events, err = activity.Feed(v.Tx, activity.Filter{Institution: caller.Institution, Organization: caller.Organization, Target: string(id), WithRefused: true})
		return err
	})
	return d, err
}

// Options are what somebody can choose from for a new stop.
type Options struct {
	Accounts []bank.AccountID // on which they may place one, by id
	May      entitlement.Explanation
	Terms    Terms
	Today    bank.Day
	Until    bank.Day
	Dated    calendar.Dating
}

// Options reads what the caller can choose from: a view of the one decision.
func (s *Service) Options(ctx context.Context, caller bank.Caller) (o Options, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		o.Accounts = allowed(v.Policy, catalog.StopsAddOperation, caller.Member(), v.Tx.Now)
		o.May = entitlement.Explain(v.Policy, question(catalog.StopsAddOperation, caller.Member(), likeliest(v.Policy, caller.Member(), o.Accounts, v.Tx.Now), v.Tx.Now))
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		o.Today = days.Today(v.Tx.Now)
		o.Until = calendar.AddMonths(o.Today, months)
		o.Dated = days.Date(calendar.Stops, v.Tx.Now, "")
		o.Terms, err = termsOf(v.Tx, caller.Institution)
		return err
	})
	return o, err
}

// likeliest is an account to explain with: one that is allowed, or else one
// that the member sees, or else any.
func likeliest(p *entitlement.Policy, member bank.UserID, ids []bank.AccountID, now time.Time) bank.AccountID {
	if len(ids) == 0 {
		ids = allowed(p, catalog.AccountView, member, now)
	}
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(p.Accounts))
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// Preview says whether a draft could be placed, and changes nothing.
func (s *Service) Preview(ctx context.Context, caller bank.Caller, d Draft) (may entitlement.Explanation, err error) {
	if err := d.checkShape(); err != nil {
		return may, err
	}
	d.tidy()
	action := looking(caller)
	action.Scope = entitlement.Scope{Accounts: []bank.AccountID{d.Account}}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		terms, err := termsOf(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		if err := d.check(terms, days.Today(v.Tx.Now)); err != nil {
			return err
		}
		may = entitlement.Explain(v.Policy, question(catalog.StopsAddOperation, caller.Member(), d.Account, v.Tx.Now))
		if !may.Allowed {
			return nil
		}
		return notStopped(v.Tx, place{caller.Institution, caller.Organization}, d, days.Today(v.Tx.Now))
	})
	return may, err
}
