package ach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mandate/internal/activity"
	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/headroom"
	"mandate/internal/moneymovement/ach/recipients"
	"mandate/internal/usage"
)

// A Filter narrows a list of batches. The zero value asks for everything.
type Filter struct {
	Search   string // in name, company and description
	States   []State
	Category CategoryID
	Kind     Kind
	Sort     Sort // empty: those edited last first
	Reverse  bool
	Offset   int
	Limit    int // at most MaxPage; 0 means MaxPage
}

// A Sort is an order of lists.
type Sort string

const (
	ByEdited Sort = "edited" // the latest first
	ByName   Sort = "name"
	ByAmount Sort = "amount" // the largest first
	ByState  Sort = "state"
)

// order sorts batches that come with those edited last first.
func (f *Filter) order(all []Batch) {
	slices.SortStableFunc(all, func(a, b Batch) int {
		switch f.Sort {
		case ByName:
			return cmp.Compare(db.Fold(a.Name), db.Fold(b.Name))
		case ByAmount:
			return cmp.Compare(b.Amount(), a.Amount())
		case ByState:
			return cmp.Compare(slices.Index(States(), a.State), slices.Index(States(), b.State))
		}
		return 0
	})
	if f.Reverse {
		slices.Reverse(all)
	}
}

// A List is a page of batches, with totals over all that the filter lets
// through. What the caller may not know of is in neither.
type List struct {
	Batches []Batch
	Total   int
	Credits bank.Cents
	Debits  bank.Cents
	Entries int
}

// looking reads something for a member who may see ACH.
func (s *Service) looking(ctx context.Context, caller bank.Caller, read func(v *guard.View, at place, restricted bool) error) error {
	return s.lookingAt(ctx, caller, entitlement.Scope{}, read)
}

// lookingAt is looking with more people's or accounts' facts.
func (s *Service) lookingAt(ctx context.Context, caller bank.Caller, scope entitlement.Scope, read func(v *guard.View, at place, restricted bool) error) error {
	action := doing("ach.viewed", caller.Organization, activity.Target{Kind: activity.TargetPayment, ID: "ach", Name: "ACH"})
	action.Scope = scope
	return s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		req := asking{}.request(caller.Member(), catalog.ACHBatchView)
		req.Now = v.Tx.Now
		if e := entitlement.Explain(v.Policy, req); !e.Allowed {
			return refused(catalog.ACHBatchView, e)
		}
		restricted := allowed(v.Policy, caller.Member(), catalog.ACHBatchView, asking{restricted: true}, v.Tx)
		return read(v, place{caller.Institution, caller.Organization}, restricted)
	})
}

// List lists batches, those edited last first.
func (s *Service) List(ctx context.Context, caller bank.Caller, f Filter) (l List, err error) {
	err = s.looking(ctx, caller, func(v *guard.View, at place, restricted bool) error {
		all, err := listBatches(v.Tx, at)
		if err != nil {
			return err
		}
		l = f.page(slices.DeleteFunc(all, func(b Batch) bool { return b.Restricted() && !restricted || !f.takes(&b) }))
		return nil
	})
	return l, err
}

func (f *Filter) takes(b *Batch) bool {
	text := db.Fold(b.Name + " " + b.Header.CompanyName + " " + b.Header.CompanyID + " " + b.Header.Description)
	return (len(f.States) == 0 || slices.Contains(f.States, b.State)) && (f.Category == "" || f.Category == b.Category) &&
		(f.Kind == "" || f.Kind == b.Kind) && strings.Contains(text, db.Fold(f.Search))
}

func (f *Filter) page(all []Batch) (l List) {
	f.order(all)
	for i := range all {
		l.Credits, l.Debits, l.Entries = l.Credits+all[i].Credits, l.Debits+all[i].Debits, l.Entries+all[i].Entries
	}
	limit := f.Limit
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	from := min(max(0, f.Offset), len(all))
	l.Batches, l.Total = all[from:min(from+limit, len(all))], len(all)
	return l
}

// A Detail is a batch with all that belongs to it.
type Detail struct {
	Batch
	All         []Entry
	Runs        []Run // the latest first
	Schedule    *Schedule
	History     []activity.Event                              // the latest first
	May         map[catalog.Operation]entitlement.Explanation // what the caller may do with it as it stands
	PartialEdit entitlement.Explanation                       // may they change the five fields of an entry?
}

// Get reads a batch for its page.
func (s *Service) Get(ctx context.Context, caller bank.Caller, id BatchID) (d Detail, err error) {
	err = s.looking(ctx, caller, func(v *guard.View, at place, restricted bool) error {
		if d.Batch, err = findBatch(v.Tx, at, id); err != nil {
			return err
		}
		if d.Restricted() && !restricted {
			return ErrNoBatch
		}
		if d.All, err = entriesOf(v.Tx, at, &d.Batch); err != nil {
			return err
		}
		if d.Runs, err = runsOf(v.Tx, at, id); err != nil {
			return err
		}
		if sch, found, err := scheduleOf(v.Tx, at, id); err != nil {
			return err
		} else if found {
			d.Schedule = &sch
		}
		if d.History, err = d.history(v.Tx, at); err != nil {
			return err
		}
		return finish(v, caller, &d)
	})
	return d, err
}

// BatchOf finds the batch of a run, for those who may know of it.
func (s *Service) BatchOf(ctx context.Context, caller bank.Caller, id RunID) (batch BatchID, err error) {
	err = s.looking(ctx, caller, func(v *guard.View, at place, restricted bool) error {
		r, err := findRun(v.Tx, at, id)
		if err != nil {
			return err
		}
		b, err := findBatch(v.Tx, at, r.Batch)
		if err == nil && b.Restricted() && !restricted {
			err = ErrNoBatch
		}
		batch = b.ID
		return err
	})
	return batch, err
}

// finish adds what the caller may do.
func finish(v *guard.View, caller bank.Caller, d *Detail) error {
	d.May = map[catalog.Operation]entitlement.Explanation{}
	for _, op := range []catalog.Operation{catalog.ACHBatchEdit, catalog.ACHRecipientsImport, catalog.ACHBatchInitiate, catalog.ACHBatchApprove,
		catalog.ACHBatchUninitiate, catalog.ACHBatchDelete, catalog.ACHBatchCreate} {
		ask := asking{restricted: d.Restricted(), debits: d.HasDebits, lastEditor: d.LastEditor.ID == caller.Member(), amount: d.Amount()}
		req := ask.request(caller.Member(), op)
		req.Now = v.Tx.Now
		used, err := usage.For(v.Tx, v.Policy, req)
		if err != nil {
			return err
		}
		req.Used = used
		d.May[op] = entitlement.Explain(v.Policy, req)
	}
	partial := asking{restricted: d.Restricted(), debits: d.HasDebits, entryOnly: true}.request(caller.Member(), catalog.ACHBatchEdit)
	partial.Now = v.Tx.Now
	d.PartialEdit = entitlement.Explain(v.Policy, partial)
	return nil
}

// history is what happened to a batch and to its runs.
func (d *Detail) history(tx *db.Tx, at place) (all []activity.Event, err error) {
	targets := []string{string(d.ID)}
	for i := range d.Runs[:min(len(d.Runs), maxRunsSaid)] {
		targets = append(targets, string(d.Runs[i].ID))
	}
	for _, target := range targets {
		events, err := activity.Feed(tx, activity.Filter{Institution: at.institution, Organization: at.organization, Target: target, WithRefused: true})
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	slices.SortFunc(all, func(a, b activity.Event) int { return int(b.Sequence - a.Sequence) })
	return all, nil
}

// maxRunsSaid is of how many runs a batch's page tells the history.
const maxRunsSaid = 20

// Choices are what a form about batches offers.
type Choices struct {
	Companies  []Company
	Categories []Category
	Layouts    map[recipients.Format]recipients.Layout
	Restricted bool       // the caller may mark batches as restricted
	Seeing     []Somebody // who may see restricted batches
	Create     entitlement.Explanation
	Upload     entitlement.Explanation
	Import     entitlement.Explanation
	Edit       entitlement.Explanation
}

// Choices reads what the caller may choose from.
func (s *Service) Choices(ctx context.Context, caller bank.Caller) (ch Choices, err error) {
	err = s.lookingAt(ctx, caller, entitlement.Scope{AllMembers: true}, func(v *guard.View, at place, restricted bool) error {
		ch = Choices{Layouts: map[recipients.Format]recipients.Layout{}, Restricted: restricted}
		if ch.Companies, err = companiesAt(v.Tx, at); err != nil {
			return err
		}
		if ch.Categories, err = categoriesAt(v.Tx, at); err != nil {
			return err
		}
		if ch.Seeing, err = s.seeing(v, at); err != nil {
			return err
		}
		for op, e := range map[catalog.Operation]*entitlement.Explanation{catalog.ACHBatchCreate: &ch.Create, catalog.ACHFileUpload: &ch.Upload,
			catalog.ACHRecipientsImport: &ch.Import, catalog.ACHBatchEdit: &ch.Edit} {
			req := asking{}.request(caller.Member(), op)
			req.Now = v.Tx.Now
			*e = entitlement.Explain(v.Policy, req)
		}
		ch.Categories = slices.DeleteFunc(ch.Categories, func(k Category) bool { return k.Restricted && !restricted })
		for _, f := range recipients.Formats() {
			l, found, err := layoutOf(v.Tx, at, f)
			if err != nil {
				return err
			}
			if found {
				ch.Layouts[f] = l
			}
		}
		return nil
	})
	return ch, err
}

// seeing are the members who may see restricted batches.
func (s *Service) seeing(v *guard.View, at place) ([]Somebody, error) {
	var ids []bank.UserID
	for _, id := range slices.Sorted(maps.Keys(v.Policy.Members)) {
		if allowed(v.Policy, id, catalog.ACHBatchView, asking{restricted: true}, v.Tx) {
			ids = append(ids, id)
		}
	}
	return s.called(v.Tx, at, ids)
}

// A Plan is what would become of an order, before anything is saved.
type Plan struct {
	Run
	Note      string                  // why the day is another than the one asked for
	Alone     entitlement.Explanation // may the caller initiate it alone?
	Submit    entitlement.Explanation // may they submit it for approval?
	Approvers []Somebody              // who could approve it then; there may be nobody
	Room      headroom.Room
}

// Preview says what would become of an order, and by whom it would have to be
// approved. It keeps nothing.
func (s *Service) Preview(ctx context.Context, caller bank.Caller, o Order) (p Plan, err error) {
	err = s.guard.Do(ctx, caller, doing("ach.viewed", caller.Organization, batchTarget(o.Batch)), func(c *guard.Change) error {
		at := place{caller.Institution, caller.Organization}
		b, err := s.seen(c, at, o.Batch)
		if err != nil {
			return err
		}
		if p.Run, p.Note, err = s.plan(c, at, &b, o, byCaller(c, true)); err != nil {
			return err
		}
		if err := c.Widen(approvalScope(o.Offset)); err != nil {
			return err
		}
		if p.Submit, err = s.judge(c, &b, &p.Run); err != nil {
			return err
		}
		alone := p.Run
		alone.lastEditor = b.LastEditor.ID == caller.Member()
		if p.Alone, err = s.judge(c, &b, &alone); err != nil {
			return err
		}
		m := approval.Matter{MayOwn: hasFullControl, Approve: s.approveRequest(&p.Run, &b)}
		p.Approvers, err = s.called(c.Tx, at, approval.Approvers(c.Policy, &m, []bank.UserID{caller.Member(), b.LastEditor.ID}, c.Tx.Now))
		if err != nil {
			return err
		}
		p.Room, err = headroom.Of(c.Tx, c.Policy, p.roomAsked(c, &b))
		return err
	})
	return p, err
}

// roomAsked is the question whose headroom is shown beside a run.
func (p *Plan) roomAsked(c *guard.Change, b *Batch) entitlement.Request {
	req := p.asking(b).request(c.Caller.Member(), catalog.ACHBatchInitiate)
	req.Now = c.Tx.Now
	return req
}

// called are members as history names them.
func (s *Service) called(tx *db.Tx, at place, members []bank.UserID) (people []Somebody, err error) {
	names, err := s.names(tx, at.institution, at.organization, members)
	if err != nil {
		return nil, err
	}
	for _, id := range members {
		people = append(people, Somebody{id, names[id]})
	}
	return people, nil
}

func approvalScope(offset bank.AccountID) entitlement.Scope {
	scope := entitlement.Scope{AllMembers: true}
	if offset != "" {
		scope.Accounts = []bank.AccountID{offset}
	}
	return scope
}

// Visible are the events of a feed that a member may know of: those about
// restricted batches are for holders of the right.
func (s *Service) Visible(tx *db.Tx, p *entitlement.Policy, member bank.UserID, events []activity.Event) ([]activity.Event, error) {
	if allowed(p, member, catalog.ACHBatchView, asking{restricted: true}, tx) {
		return events, nil
	}
	hidden := map[string]bool{}
	var visible []activity.Event
	for _, e := range events {
		if e.Target.Kind != activity.TargetPayment {
			visible = append(visible, e)
			continue
		}
		id := e.Target.ID
		if run, ok := strings.CutPrefix(e.Target.Name, refPrefix); ok { // a payment authorization, such as one that lapsed
			id = run
		}
		hide, known := hidden[id]
		if !known {
			var err error
			if hide, err = restrictedTarget(tx, place{p.Institution.ID, p.Organization.ID}, id); err != nil {
				return nil, err
			}
			hidden[id] = hide
		}
		marked := slices.ContainsFunc(e.Changes, func(c activity.Change) bool { return c.Field == "restricted" && (c.Old == "true" || c.New == "true") })
		if !hide && !(marked && strings.HasPrefix(e.Name, "ach.")) {
			visible = append(visible, e)
		}
	}
	return visible, nil
}

// restrictedTarget reports whether an id is that of a restricted batch, deleted
// or not, of one of its runs or payments, or of a restricted category.
func restrictedTarget(tx *db.Tx, at place, id string) (bool, error) {
	var n int
	err := tx.QueryRow(`
		select count(*) from (
			select 1 as one from ach_batch b
			  left join ach_category c on c.institution_id = b.institution_id and c.organization_id = b.organization_id and c.id = b.category_id
			 where b.institution_id = $1 and b.organization_id = $2 and (b.restricted or coalesce(c.restricted, false))
			   and (b.id = $3 or b.id in (select r.batch_id from ach_run r where r.institution_id = $1 and r.organization_id = $2 and r.id = $3))
			union all
			select 1 from ach_category k where k.institution_id = $1 and k.organization_id = $2 and k.id = $3 and k.restricted) found`,
		at.institution, at.organization, id).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up whether it is restricted: %w", err)
	}
	return n > 0, nil
}

// ReasonsOf are the reasons of a refusal.
func ReasonsOf(err error) []entitlement.Reason {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal.Reasons
	}
	return nil
}
