package wire

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/host"
)

// MaxPage is the most wires of one page.
const MaxPage = 500

// A Sort is what a list is ordered by.
type Sort string

const (
	ByDay    Sort = "day"
	ByAmount Sort = "amount"
	ByState  Sort = "state"
	ByPayee  Sort = "payee"
)

var orders = map[Sort]string{ByDay: "day", ByAmount: "cents", ByState: "state", ByPayee: "payee_name"}

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
	Wires    []Wire
	Matching int
	Sum      bank.Cents // of all that match
	Total    int
	Page     int
	May      entitlement.Explanation // whether wires may be seen at all
}

// looking is the action of looking at an organization's wires. A wire of an
// account whose wires the caller may not see is not there for them.
func looking(caller bank.Caller) guard.Action {
	return guard.Action{
		Event: "wire.viewed", Organization: caller.Organization, Others: []bank.ActorKind{bank.ActorMember},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(caller.Organization)},
		Scope:  entitlement.Scope{AllAccounts: true},
	}
}

// accounts are the organization's accounts on which a question is answered with
// yes, in order.
func accounts(p *entitlement.Policy, ask func(bank.AccountID) entitlement.Request) (free []bank.AccountID) {
	for id := range p.Accounts {
		if entitlement.Decide(p, ask(id)).Allowed {
			free = append(free, id)
		}
	}
	slices.Sort(free)
	return free
}

func seen(v *guard.View, member bank.UserID) []bank.AccountID {
	return accounts(v.Policy, func(id bank.AccountID) entitlement.Request { return on(catalog.WiresView, member, id, v.Tx.Now) })
}

// best explains a question for the account on which least stands in the way.
func best(v *guard.View, ask func(bank.AccountID) entitlement.Request) entitlement.Explanation {
	ids := make([]bank.AccountID, 0, len(v.Policy.Accounts))
	for id := range v.Policy.Accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	least := entitlement.Explain(v.Policy, ask(""))
	for i, id := range ids {
		if e := entitlement.Explain(v.Policy, ask(id)); i == 0 || len(e.Reasons) < len(least.Reasons) {
			least = e
		}
	}
	return least
}

// List lists the wires of accounts whose wires the caller may see.
func (s *Service) List(ctx context.Context, caller bank.Caller, q Query) (page Page, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		ids := seen(v, caller.Member())
		if len(ids) == 0 {
			page.May = best(v, func(id bank.AccountID) entitlement.Request {
				return on(catalog.WiresView, caller.Member(), id, v.Tx.Now)
			})
			return nil
		}
		page, err = list(v.Tx, place{caller.Institution, caller.Organization}, restriction(ids, len(v.Policy.Accounts)), q)
		page.May.Allowed = true
		return err
	})
	return page, err
}

// restriction is the list of accounts for a statement; empty where all are seen.
func restriction(ids []bank.AccountID, all int) string {
	if len(ids) == all {
		return ""
	}
	return joined(ids)
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

const listWhere = `
	 where institution_id = $1 and organization_id = $2
	   and (cast($3 as text) = '' or replace($3, ',' || account_id || ',', '') <> $3)
	   and (cast($4 as text) = '' or state = $4)
	   and (cast($5 as text) = '' or account_id = $5)
	   and (cast($6 as text) = '' or day >= $6) and (cast($7 as text) = '' or day <= $7)
	   and (cast($8 as text) = '' or search_key like $8 escape '\' or cents = $9 or replace($10, ',' || account_id || ',', '') <> cast($10 as text))`

func list(tx *db.Tx, at place, visible string, q Query) (page Page, err error) {
	if q.Size <= 0 || q.Size > MaxPage {
		q.Size = MaxPage
	}
	args := []any{at.institution, at.organization, visible, q.State, q.Account, q.From, q.Until, db.Containing(q.Search), amountOf(q.Search), joined(q.Matching)}
	if err := tx.QueryRow(`select count(*), cast(coalesce(sum(cents), 0) as bigint) from wire`+listWhere, args...).Scan(&page.Matching, &page.Sum); err != nil {
		return Page{}, fmt.Errorf("count the wires: %w", err)
	}
	all := []any{at.institution, at.organization, visible, "", "", "", "", "", -1, ""}
	if err := tx.QueryRow(`select count(*) from wire`+listWhere, all...).Scan(&page.Total); err != nil {
		return Page{}, fmt.Errorf("count the wires: %w", err)
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
	page.Wires, err = db.All(tx, scan, `select `+columns+` from wire`+listWhere+
		` order by `+column+direction+`, created_micros`+direction+`, id`+direction+` limit $11 offset $12`, append(args, q.Size, (page.Page-1)*q.Size)...)
	if err != nil {
		return Page{}, fmt.Errorf("list the wires: %w", err)
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

// A Detail is a wire with all that is known of it, and what the caller may do
// with it.
type Detail struct {
	Wire
	Repeats   *Series // nil: it is none of a series
	Events    []activity.Event
	CanEdit   bool
	CanTake   bool                    // it can be cancelled by the caller
	CanSend   bool                    // it is ready, and the caller may send it off as it stands
	May       entitlement.Explanation // of sending it off
	Waits     bool                    // for a second person
	CanDecide bool                    // the caller may approve and reject
	Hash      string                  // of what would be approved
	Since     time.Time
	Until     time.Time
	Approvers []approval.Somebody  // who may approve it now; there may be nobody
	Reasons   []entitlement.Reason // why the caller may not
}

// Get reads one wire.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id ID) (d Detail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		w, found, err := find(v.Tx, place{caller.Institution, caller.Organization}, id)
		if err != nil {
			return err
		}
		me, now := caller.Member(), v.Tx.Now
		if !found || !sees(v.Policy, me, w.Account, now) {
			return ErrNone
		}
		d.Wire = w
		if w.State == Sent {
			if d.Code, d.Problem, err = host.Unanswered(v.Tx, w.Institution, RoomName, w.ref()); err != nil {
				return err
			}
		}
		if d.Events, err = feed(v, caller, string(id)); err != nil {
			return err
		}
		if w.Series != "" {
			series, _, err := findSeries(v.Tx, place{caller.Institution, caller.Organization}, w.Series)
			if err != nil {
				return err
			}
			d.Repeats = &series
		}
		may := func(req entitlement.Request) bool { return entitlement.Decide(v.Policy, req).Allowed }
		d.CanEdit = w.State.can(edit) && may(on(editing[w.Kind()], me, w.Account, now))
		d.CanTake = w.State.can(cancel) && may(takingBack(v.Policy.Institution.Edition, w.Kind(), me, w.Account, now))
		if w.State == Ready {
			if d.May, err = s.wouldSend(v, caller, &w); err != nil {
				return err
			}
			d.CanSend = d.May.Allowed
		}
		return nil
	})
	if err != nil || d.State != Pending || d.Item == "" {
		return d, err
	}
	return d, s.seeWaiting(ctx, caller, &d)
}

// wouldSend explains whether the caller may send a ready wire off now.
func (s *Service) wouldSend(v *guard.View, caller bank.Caller, w *Wire) (entitlement.Explanation, error) {
	days, err := s.calendar.In(v.Tx, caller.Institution)
	if err != nil {
		return entitlement.Explanation{}, err
	}
	dated := *w
	if dated.Asked != "" && dated.Asked < days.Today(v.Tx.Now) {
		dated.Asked = ""
	}
	if err := dated.date(days, v.Tx); err != nil {
		return entitlement.Explanation{}, err
	}
	return explain(v.Tx, v.Policy, dated.sending(catalog.WiresTransmitOperation, caller.Member(), v.Tx.Now), "")
}

// seeWaiting reads from the queue what a pending wire waits for.
func (s *Service) seeWaiting(ctx context.Context, caller bank.Caller, d *Detail) error {
	e, err := s.queue.Get(ctx, caller, d.Item)
	if err != nil {
		return err
	}
	d.Waits, d.CanDecide, d.Hash, d.Since, d.Until = e.State == approval.Waiting, e.Mine, e.Hash, e.Asked, e.Expires
	d.Approvers, d.Reasons = e.Approvers, e.Reasons
	return nil
}

func feed(v *guard.View, caller bank.Caller, target string) ([]activity.Event, error) {
	return activity.Feed(v.Tx, activity.Filter{Institution: caller.Institution, Organization: caller.Organization, Target: target, WithRefused: true})
}

// ListSeries lists the series of accounts whose wires the caller may see.
func (s *Service) ListSeries(ctx context.Context, caller bank.Caller) (all []Series, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		ids := seen(v, caller.Member())
		if len(ids) == 0 {
			return nil
		}
		all, err = listSeries(v.Tx, place{caller.Institution, caller.Organization}, restriction(ids, len(v.Policy.Accounts)))
		return err
	})
	return all, err
}

// A SeriesDetail is a series with its wires.
type SeriesDetail struct {
	Series
	Wires   []Wire // the latest first
	Events  []activity.Event
	CanEdit bool
	CanTake bool
}

// GetSeries reads one series.
func (s *Service) GetSeries(ctx context.Context, caller bank.Caller, id SeriesID) (d SeriesDetail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		at := place{caller.Institution, caller.Organization}
		series, found, err := findSeries(v.Tx, at, id)
		if err != nil {
			return err
		}
		me, now := caller.Member(), v.Tx.Now
		if !found || !sees(v.Policy, me, series.Account, now) {
			return ErrNone
		}
		d.Series = series
		may := func(req entitlement.Request) bool {
			return series.State == Active && entitlement.Decide(v.Policy, req).Allowed
		}
		d.CanEdit = may(on(catalog.WiresRecurringEditOperation, me, series.Account, now))
		d.CanTake = may(takingBack(v.Policy.Institution.Edition, Recurring, me, series.Account, now))
		if d.Wires, err = db.All(v.Tx, scan, `
			select `+columns+` from wire where institution_id = $1 and organization_id = $2 and series_id = $3 and series_id <> ''
			 order by occurrence desc limit $4`, at.institution, at.organization, id, MaxPage); err != nil {
			return fmt.Errorf("read the series: %w", err)
		}
		d.Events, err = feed(v, caller, string(id))
		return err
	})
	return d, err
}

// ListTemplates lists the templates of accounts whose wires the caller may see.
func (s *Service) ListTemplates(ctx context.Context, caller bank.Caller, search string) (all []Template, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		ids := seen(v, caller.Member())
		if len(ids) == 0 {
			return nil
		}
		all, err = listTemplates(v.Tx, place{caller.Institution, caller.Organization}, restriction(ids, len(v.Policy.Accounts)), search)
		return err
	})
	return all, err
}

// A TemplateDetail is a template and what the caller may do with it.
type TemplateDetail struct {
	Template
	Events  []activity.Event
	CanUse  bool
	CanEdit bool
	CanTake bool
}

// GetTemplate reads one template.
func (s *Service) GetTemplate(ctx context.Context, caller bank.Caller, id TemplateID) (d TemplateDetail, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		t, found, err := findTemplate(v.Tx, place{caller.Institution, caller.Organization}, id)
		if err != nil {
			return err
		}
		me, now := caller.Member(), v.Tx.Now
		if !found || t.Deleted || !sees(v.Policy, me, t.Account, now) {
			return ErrNoTemplate
		}
		d.Template = t
		may := func(req entitlement.Request) bool { return entitlement.Decide(v.Policy, req).Allowed }
		d.CanUse = may(leastSending(me, t.Account, now))
		d.CanEdit = may(on(catalog.WiresTemplateEditOperation, me, t.Account, now))
		d.CanTake = may(on(catalog.WiresTemplateCreateOperation, me, t.Account, now))
		if v.Policy.Institution.Edition == bank.EditionCreditUnion {
			d.CanTake = may(deleting(me, t.Account, now))
		}
		d.Events, err = feed(v, caller, string(id))
		return err
	})
	return d, err
}

// leastSending asks about sending the smallest wire: whether anything can be
// sent at all.
func leastSending(member bank.UserID, account bank.AccountID, now time.Time) entitlement.Request {
	w := Wire{Instruction: Instruction{Account: account, Cents: 1}}
	return w.sending(catalog.WiresTransmitOperation, member, now)
}
