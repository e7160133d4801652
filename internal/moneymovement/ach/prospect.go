package ach

import (
	"context"

	"mandate/internal/approval"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/headroom"
	"mandate/internal/usage"
)

// A Prospect is what somebody should know of a batch before they say when and
// from where it is sent.
type Prospect struct {
	Batch
	Room      headroom.Room
	Alone     entitlement.Explanation // may the caller send it alone, as far as is known by now?
	Approvers []Somebody              // who could approve it, were it submitted; there may be nobody
	Next      calendar.Dating         // when it is sent where no date is given
	SameDay   bool                    // it could still be sent today, as far as the clock goes
	Latest    bank.Day
}

// Prospect looks ahead at one batch.
func (s *Service) Prospect(ctx context.Context, caller bank.Caller, id BatchID) (p Prospect, err error) {
	err = s.lookingAt(ctx, caller, entitlement.Scope{AllMembers: true}, func(v *guard.View, at place, restricted bool) error {
		if p.Batch, err = findBatch(v.Tx, at, id); err != nil {
			return err
		}
		if p.Restricted() && !restricted {
			return ErrNoBatch
		}
		days, err := s.calendar.In(v.Tx, at.institution)
		if err != nil {
			return err
		}
		p.date(days, v)
		return s.weigh(v, at, caller, &p)
	})
	return p, err
}

func (p *Prospect) date(days *calendar.Calendar, v *guard.View) {
	today := days.Today(v.Tx.Now)
	p.Next = days.Date(calendar.ACH, v.Tx.Now, calendar.AddDays(today, 1))
	p.SameDay = days.Date(calendar.SameDayACH, v.Tx.Now, today).Day == today
	p.Latest = calendar.AddDays(today, MaxDaysAhead)
}

func (s *Service) weigh(v *guard.View, at place, caller bank.Caller, p *Prospect) error {
	run := Run{hasDebits: p.HasDebits, Credits: p.Credits, Debits: p.Debits, lastEditor: p.LastEditor.ID == caller.Member()}
	req := run.asking(&p.Batch).request(caller.Member(), catalog.ACHBatchInitiate)
	req.Now = v.Tx.Now
	used, err := usage.For(v.Tx, v.Policy, req)
	if err != nil {
		return err
	}
	req.Used = used
	p.Alone = entitlement.Explain(v.Policy, req)
	m := approval.Matter{MayOwn: hasFullControl, Approve: s.approveRequest(&run, &p.Batch)}
	if p.Approvers, err = s.called(v.Tx, at, approval.Approvers(v.Policy, &m, []bank.UserID{caller.Member(), p.LastEditor.ID}, v.Tx.Now)); err != nil {
		return err
	}
	p.Room, err = headroom.Of(v.Tx, v.Policy, req)
	return err
}

// NeedsSecond reports whether the caller may not send the batch alone, for no
// other reason than that they edited it last.
func (p *Prospect) NeedsSecond() bool {
	return !p.Alone.Allowed && len(p.Alone.Reasons) == 1 && p.Alone.Reasons[0].Code == entitlement.SecondPersonRequired
}
