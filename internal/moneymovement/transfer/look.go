package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// MaxPage is the most transfers of one page.
const MaxPage = 500

// A Sort is what a list is ordered by.
type Sort string

const (
	ByDay    Sort = "day"
	ByAmount Sort = "amount"
	ByState  Sort = "state"
)

var orders = map[Sort]string{ByDay: "day", ByAmount: "cents", ByState: "state"}

// A Query is what a list is asked for; what is empty asks for everything.
type Query struct {
	Search      string
	Matching    []bank.AccountID // accounts whose name fits the search
	State       State
	Account     bank.AccountID
	From, Until bank.Day
	Sort        Sort
	Reverse     bool
	Page, Size  int // the first page is 1
}

// A Page is a part of a list.
type Page struct {
	Transfers []Transfer // an account that may not be seen is empty
	Matching  int
	Sum       bank.Cents // of all that match
	Total     int
	Page      int
}

// looking is the action of looking at an organization's transfers. Whatever is
// on no account that the caller may view is not there for them.
func looking(caller bank.Caller) guard.Action {
	return guard.Action{
		Event: "transfer.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(caller.Organization)},
		Scope:  entitlement.Scope{AllAccounts: true},
	}
}

func sees(p *entitlement.Policy, member bank.UserID, account bank.AccountID, now time.Time) bool {
	return entitlement.Decide(p, entitlement.Request{Member: member, Operation: catalog.AccountView, Account: account, Now: now}).Allowed
}

// visible reports whether a member sees a transfer: they may view one of its
// accounts.
func visible(p *entitlement.Policy, member bank.UserID, t *Transfer, now time.Time) bool {
	return sees(p, member, t.From, now) || sees(p, member, t.To, now)
}

// hide takes away the accounts that may not be seen.
func hide(seen map[bank.AccountID]bool, t *Transfer) {
	if !seen[t.From] {
		t.From = ""
	}
	if !seen[t.To] {
		t.To = ""
	}
}

func seenBy(v *guard.View, member bank.UserID) map[bank.AccountID]bool {
	seen := make(map[bank.AccountID]bool, len(v.Policy.Accounts))
	for id := range v.Policy.Accounts {
		if sees(v.Policy, member, id, v.Tx.Now) {
			seen[id] = true
		}
	}
	return seen
}

// List lists the transfers on accounts that the caller may view.
func (s *Service) List(ctx context.Context, caller bank.Caller, q Query) (page Page, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		seen := seenBy(v, caller.Member())
		if len(seen) == 0 {
			return nil
		}
		page, err = list(v.Tx, place{caller.Institution, caller.Organization}, restriction(seen, len(v.Policy.Accounts)), q)
		for i := range page.Transfers {
			hide(seen, &page.Transfers[i])
		}
		return err
	})
	return page, err
}

// restriction is the list of accounts for a statement; empty where all are seen.
func restriction(seen map[bank.AccountID]bool, all int) string {
	if len(seen) == all {
		return ""
	}
	ids := make([]bank.AccountID, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	return joined(ids)
}

// joined writes ids so that one of them can be found between commas.
func joined(ids []bank.AccountID) string {
	if len(ids) == 0 {
		return ""
	}
	slices.Sort(ids)
	var b strings.Builder
	b.WriteByte(',')
	for _, id := range ids {
		b.WriteString(string(id))
		b.WriteByte(',')
	}
	return b.String()
}

const listWhere = `
	 where institution_id = $1 and organization_id = $2
	   and (cast($3 as text) = '' or replace($3, ',' || from_account || ',', '') <> $3 or replace($3, ',' || to_account || ',', '') <> $3)
	   and (cast($4 as text) = '' or state = $4)
	   and (cast($5 as text) = '' or from_account = $5 or to_account = $5)
	   and (cast($6 as text) = '' or day >= $6) and (cast($7 as text) = '' or day <= $7)
	   and (cast($8 as text) = '' or memo_key like $8 escape '\' or cents = $9
	        or replace($10, ',' || from_account || ',', '') <> cast($10 as text) or replace($10, ',' || to_account || ',', '') <> cast($10 as text))`

func list(tx *db.Tx, at place, visible string, q Query) (page Page, err error) {
	if q.Size <= 0 || q.Size > MaxPage {
		q.Size = MaxPage
	}
	args := []any{at.institution, at.organization, visible, q.State, q.Account, q.From, q.Until, db.Containing(q.Search), amountOf(q.Search), joined(q.Matching)}
	if err := tx.QueryRow(`select count(*), cast(coalesce(sum(cents), 0) as bigint) from transfer`+listWhere, args...).Scan(&page.Matching, &page.Sum); err != nil {
		return Page{}, fmt.Errorf("count the transfers: %w", err)
	}
	all := []any{at.institution, at.organization, visible, "", "", "", "", "", -1, ""}
	if err := tx.QueryRow(`select count(*) from transfer`+listWhere, all...).Scan(&page.Total); err != nil {
		return Page{}, fmt.Errorf("count the transfers: %w", err)
	}
	page.Page = max(1, min(q.Page, (page.Matching+q.Size-1)/q.Size))
	column, known := orders[q.Sort]
	if !known {
		column = orders[ByDay]
	}
	direction := " desc"
	if q.Reverse {
		direction = ""
	}
	page.Transfers, err = db.All(tx, scan, `select `+columns+` from transfer`+listWhere+
		` order by `+column+direction+`, created_micros`+direction+`, id`+direction+` limit $11 offset $12`, append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return Page{}, fmt.Errorf("list the transfers: %w", err)
	}
	return page, nil
}

// amountOf is the amount that somebody searches for; a text is none.
func amountOf(search string) bank.Cents {
	cents, err := bank.ParseMoney(search)
	if err != nil {
		return -1
	}
	return cents
}

// A Detail is a transfer with all that is known of it, and what the caller may
// do with it.
type Detail struct {
	Transfer
	Repeats *Series // nil: it is none of a series
	Events  []activity.Event
	CanEdit bool // it waits, and the caller may make it as it stands
	CanTake bool // it can be cancelled by the caller
	CanCopy bool // another one like it can be asked for
	CanTry  bool // it is parked, and the caller may make it as it stands
	Refused []entitlement.Reason
}

// Get reads one transfer.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id ID) (d Detail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		t, found, err := find(v.Tx, place{caller.Institution, caller.Organization}, id)
		if err != nil {
			return err
		}
		if !found || !visible(v.Policy, caller.Member(), &t, v.Tx.Now) {
			return ErrNone
		}
		d.Transfer = t
		if t.State == Sent {
			if d.Code, d.Problem, err = host.Unanswered(v.Tx, t.Institution, RoomName, t.ref()); err != nil {
				return err
			}
		}
		if d.Events, err = feed(v, caller, string(id)); err != nil {
			return err
		}
		if t.Series != "" {
			series, _, err := findSeries(v.Tx, place{caller.Institution, caller.Organization}, t.Series)
			if err != nil {
				return err
			}
			d.Repeats = &series
		}
		whole := entitlement.Decide(v.Policy, question(caller.Member(), t.From, t.To, t.Cents, v.Tx.Now))
		least := entitlement.Decide(v.Policy, question(caller.Member(), t.From, t.To, 1, v.Tx.Now))
		d.Refused = whole.Reasons
		d.CanCopy = least.Allowed
		d.CanEdit, d.CanTake, d.CanTry = t.State.can(edit) && least.Allowed, t.State.can(cancel) && least.Allowed, t.State.can(retry) && whole.Allowed
		hide(seenBy(v, caller.Member()), &d.Transfer)
		return nil
	})
	return d, err
}

func feed(v *guard.View, caller bank.Caller, target string) ([]activity.Event, error) {
	return activity.Feed(v.Tx, activity.Filter{Institution: caller.Institution, Organization: caller.Organization, Target: target, WithRefused: true})
}

// A SeriesDetail is a series with its transfers.
type SeriesDetail struct {
	Series
	Transfers []Transfer // the latest first
	Events    []activity.Event
	CanTake   bool
}

// GetSeries reads one series.
func (s *Service) GetSeries(ctx context.Context, caller bank.Caller, id SeriesID) (d SeriesDetail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		at := place{caller.Institution, caller.Organization}
		series, found, err := findSeries(v.Tx, at, id)
		if err != nil {
			return err
		}
		seen := seenBy(v, caller.Member())
		if !found || !seen[series.From] && !seen[series.To] {
			return ErrNone
		}
		d.Series = series
		d.CanTake = series.State == Active && entitlement.Decide(v.Policy, question(caller.Member(), series.From, series.To, 1, v.Tx.Now)).Allowed
		if d.Transfers, err = db.All(v.Tx, scan, `
			select `+columns+` from transfer where institution_id = $1 and organization_id = $2 and series_id = $3 and series_id <> ''
			 order by occurrence desc limit $4`, at.institution, at.organization, id, MaxPage); err != nil {
			return fmt.Errorf("read the series: %w", err)
		}
		for i := range d.Transfers {
			hide(seen, &d.Transfers[i])
		}
		if !seen[d.From] {
			d.From = ""
		}
		if !seen[d.To] {
			d.To = ""
		}
		d.Events, err = feed(v, caller, string(id))
		return err
	})
	return d, err
}
