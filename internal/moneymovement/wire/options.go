package wire

import (
	"context"
	"slices"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/headroom"
	"mandate/internal/host"
)

// Options are what somebody can choose from for a new wire or template.
type Options struct {
	Create    []bank.AccountID // from which one-time wires may be written down
	Send      []bank.AccountID // from which wires may be sent off
	Templates []bank.AccountID // for which templates may be made
	May       entitlement.Explanation
	MaySend   entitlement.Explanation
	MayMake   entitlement.Explanation // of making templates
	Room      headroom.Room           // of the account asked about, or the first one
	Balances  map[bank.AccountID]host.Balance
	Unread    bool // the host did not tell the balances
	Today     bank.Day
	Now       calendar.Dating // of a wire that is sent off at once
}

// Options reads what the caller can choose from. Every list is a view of the
// one decision. The account is that of the headroom; an empty one is any.
func (s *Service) Options(ctx context.Context, caller bank.Caller, account bank.AccountID) (o Options, err error) {
	err = s.guard.Look(ctx, caller, looking(caller), func(v *guard.View) error {
		me, now := caller.Member(), v.Tx.Now
		create := func(id bank.AccountID) entitlement.Request {
			return on(catalog.WiresOneTimeCreateOperation, me, id, now)
		}
		send := func(id bank.AccountID) entitlement.Request { return leastSending(me, id, now) }
		make := func(id bank.AccountID) entitlement.Request {
			return on(catalog.WiresTemplateCreateOperation, me, id, now)
		}
		o.Create, o.Send, o.Templates = accounts(v.Policy, create), accounts(v.Policy, send), accounts(v.Policy, make)
		o.May, o.MaySend, o.MayMake = best(v, create), best(v, send), best(v, make)
		if _, known := v.Policy.Accounts[account]; !known {
			account = first(slices.Concat(o.Send, o.Create))
		}
		if o.Room, err = headroom.Of(v.Tx, v.Policy, leastSending(me, account, now)); err != nil {
			return err
		}
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		o.Today, o.Now = days.Today(now), days.Date(calendar.Wires, now, "")
		return nil
	})
	if err != nil {
		return Options{}, err
	}
	o.Balances, o.Unread = s.balances(ctx, caller, slices.Concat(o.Create, o.Send))
	return o, nil
}

func first(ids []bank.AccountID) bank.AccountID {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// balances asks the host; a host that does not answer keeps nobody from working.
func (s *Service) balances(ctx context.Context, caller bank.Caller, accounts []bank.AccountID) (map[bank.AccountID]host.Balance, bool) {
	slices.Sort(accounts)
	balances, err := s.desk.Host().Balances(ctx, caller.Institution, slices.Compact(accounts))
	return balances, err != nil
}

// A Preview is what a draft would become.
type Preview struct {
	Draft     Draft                   // as it would be kept, whom it pays from its template
	Template  string                  // the template's name
	MayKeep   entitlement.Explanation // of writing it down, or editing it
	May       entitlement.Explanation // of sending it off
	Day       calendar.Dating
	Next      []calendar.Dating   // of a series: the next days
	Second    bool                // a second person must agree
	Approvers []approval.Somebody // who could; there may be nobody
	Twin      *Wire               // one that looks the same
	Refused   bool                // because of the twin it cannot be sent at all
	From      host.Balance
	Known     bool // the balance is
	Covered   bool // as the balance stands; the host decides when it goes out
	Room      headroom.Room
}

// seriesShown is how many days of a series are shown before it is made.
const seriesShown = 5

// Preview says what a draft would become, or what an edit would make of a wire
// that is there already, and changes nothing. What is wrong with it is a fault of
// kind Invalid; what the engine refuses is in MayKeep and May.
func (s *Service) Preview(ctx context.Context, caller bank.Caller, d Draft) (p Preview, err error) {
	if err := d.checkShape(); err != nil {
		return Preview{}, err
	}
	action := looking(caller)
	action.Scope = entitlement.Scope{AllMembers: true, AllAccounts: true}
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		days, err := s.calendar.In(v.Tx, caller.Institution)
		if err != nil {
			return err
		}
		w, err := p.begin(v, caller, &d)
		if err != nil {
			return err
		}
		today := days.Today(v.Tx.Now)
		d.plan(today)
		if err := d.check(today); err != nil {
			return err
		}
		w.Instruction, w.Asked, w.By = d.Instruction, d.On, somebody(caller)
		if d.Repeat != calendar.Once {
			series := d.asSeries()
			p.Next = series.Next(days, seriesShown)
			w.Series, w.Asked = series.ID, ""
		}
		p.Day = days.Date(calendar.Wires, v.Tx.Now, d.On)
		w.Day = p.Day.Day
		return s.foretell(v, caller, &p, w)
	})
	if err != nil {
		return Preview{}, err
	}
	p.Draft = d
	if p.May.Allowed {
		balances, _ := s.balances(ctx, caller, []bank.AccountID{d.Account})
		p.From, p.Known = balances[d.Account]
		p.Covered = p.Known && p.From.Available >= d.Cents
	}
	return p, nil
}

// begin finds what a draft is drawn from or edits, and whether the caller may
// write it down.
func (p *Preview) begin(v *guard.View, caller bank.Caller, d *Draft) (*Wire, error) {
	at, me := place{caller.Institution, caller.Organization}, caller.Member()
	w, found, err := find(v.Tx, at, d.ID)
	if err != nil {
		return nil, err
	}
	if found {
		if !sees(v.Policy, me, w.Account, v.Tx.Now) {
			return nil, ErrNone
		}
		if w.Kind() != OneTime {
			cents, remarks := d.Cents, d.Remarks
			d.Instruction = w.Instruction
			d.Cents, d.Remarks = cents, remarks
		}
		d.Repeat, p.Template = calendar.Once, w.TemplateName
		p.MayKeep = entitlement.Explain(v.Policy, on(editing[w.Kind()], me, d.Account, v.Tx.Now))
		return &w, nil
	}
	w = Wire{Institution: caller.Institution, Organization: caller.Organization, ID: d.ID, Maker: somebody(caller)}
	if d.Template == "" {
		p.MayKeep = entitlement.Explain(v.Policy, on(catalog.WiresOneTimeCreateOperation, me, d.Account, v.Tx.Now))
		return &w, nil
	}
	t, found, err := findTemplate(v.Tx, at, d.Template)
	switch {
	case err != nil:
		return nil, err
	case !found || t.Deleted || !sees(v.Policy, me, t.Account, v.Tx.Now):
		return nil, ErrNoTemplate
	case t.Version != d.TemplateVersion:
		return nil, ErrStalePattern
	}
	cents, remarks := d.Cents, d.Remarks
	d.Instruction = t.Instruction
	d.Cents, d.Remarks = cents, remarks
	p.Template, p.MayKeep.Allowed = t.Name, true
	return &w, nil
}

// foretell asks about sending a wire off, and who would have to agree.
func (s *Service) foretell(v *guard.View, caller bank.Caller, p *Preview, w *Wire) (err error) {
	req := w.sending(catalog.WiresTransmitOperation, caller.Member(), v.Tx.Now)
	own := w.reservation()
	if !w.State.counts() {
		own = ""
	}
	if p.May, err = explain(v.Tx, v.Policy, req, own); err != nil {
		return err
	}
	if p.Room, err = headroom.Of(v.Tx, v.Policy, req); err != nil {
		return err
	}
	twin, found, err := findTwin(v.Tx, w)
	if err != nil {
		return err
	}
	if found {
		p.Twin, p.Refused = &twin, v.Policy.Institution.Edition == bank.EditionCreditUnion
		if !sees(v.Policy, caller.Member(), twin.Account, v.Tx.Now) {
			p.Twin.ID = "" // it is there, and not for the caller to look at
		}
	}
	if p.Second = p.May.ApprovalRequired; !p.Second {
		return nil
	}
	p.Approvers, err = s.whoCould(v, caller, w)
	return err
}

// whoCould are those who could agree to a wire that the caller sends off.
func (s *Service) whoCould(v *guard.View, caller bank.Caller, w *Wire) ([]approval.Somebody, error) {
	m := w.matter(v.Tx)
	hands := []bank.UserID{caller.Member(), w.Maker.ID}
	ids := approval.Approvers(v.Policy, &m, hands, v.Tx.Now)
	if len(ids) == 0 {
		return nil, nil
	}
	names, err := s.names(v.Tx, caller.Institution, caller.Organization, ids)
	if err != nil {
		return nil, err
	}
	all := make([]approval.Somebody, len(ids))
	for i, id := range ids {
		all[i] = approval.Somebody{ID: id, Name: names[id]}
	}
	return all, nil
}
