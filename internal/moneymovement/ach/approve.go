package ach

import (
	"fmt"

	"mandate/internal/approval"
	"mandate/internal/authorization"
	"mandate/internal/bank"
	"mandate/internal/calendar"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// The room is a kind of the queue of approvals: its items are runs.
var _ approval.Kind = (*Service)(nil)

// Events are what happens to what waits, as history names it.
func (s *Service) Events() approval.Events {
	return approval.Events{Approved: "ach.batch_approved", Rejected: "ach.batch_returned", Expired: "ach.batch_returned"}
}

// Matter is a run that waits. What is agreed to is bound to the batch's version
// and to what would be sent.
func (s *Service) Matter(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID, ref string) (approval.Matter, error) {
	at := place{institution, organization}
	r, err := findRun(tx, at, RunID(ref))
	if err != nil {
		return approval.Matter{}, err
	}
	b, err := findAny(tx, at, r.Batch)
	if err != nil {
		return approval.Matter{}, err
	}
	own, err := s.reservation(tx, institution, &r)
	if err != nil {
		return approval.Matter{}, err
	}
	m := approval.Matter{
		Title: r.Title, Account: r.Offset, Cents: r.Amount(), Reservation: own,
		Content: fmt.Appendf(proofOf(r), "version now %d\n", b.Version),
		Approve: s.approveRequest(&r, &b),
		See: func(member bank.UserID) entitlement.Request {
			return asking{restricted: b.Restricted()}.request(member, catalog.ACHBatchView)
		},
		Initiate: r.asking(&b).request(r.Initiator.ID, catalog.ACHBatchInitiate),
		MayOwn:   hasFullControl,
		Lines:    r.lines(&b),
	}
	return m, nil
}

// Sights are what is asked of whoever wants to see a run.
func (s *Service) Sights(tx *db.Tx, institution bank.InstitutionID, organization bank.OrganizationID) (map[string]entitlement.Request, error) {
	sights := map[string]entitlement.Request{}
	_, err := db.All(tx, func(s db.Scanner) (id string, err error) {
		var restricted bool
		if err = s.Scan(&id, &restricted); err == nil {
			sights[id] = asking{restricted: restricted}.request("", catalog.ACHBatchView)
		}
		return id, err
	}, `
		select r.id, b.restricted or coalesce(c.restricted, false)
		  from ach_run r
		  join ach_batch b on b.institution_id = r.institution_id and b.organization_id = r.organization_id and b.id = r.batch_id
		  left join ach_category c on c.institution_id = b.institution_id and c.organization_id = b.organization_id and c.id = b.category_id
		 where r.institution_id = $1 and r.organization_id = $2 and r.second`, institution, organization)
	if err != nil {
		return nil, fmt.Errorf("read which runs there are: %w", err)
	}
	return sights, nil
}

// lines are what a person reads before they agree.
func (r *Run) lines(b *Batch) []approval.Line {
	lines := []approval.Line{{Term: "Company", Value: b.Header.CompanyName + ", " + r.Company}, {Term: "Description", Value: b.Header.Description},
		{Term: "Effective date", Value: calendar.Long(r.Effective)}, {Term: "Recipients", Value: fmt.Sprint(r.Entries)},
		{Term: "Credits", Value: r.Credits.Dollars()}, {Term: "Debits", Value: r.Debits.Dollars()}}
	if r.SameDay {
		lines = append(lines, approval.Line{Term: "Same day", Value: "Yes"})
	}
	return append(lines, approval.Line{Term: "Edited last by", Value: b.LastEditor.Name})
}

// approveRequest is what is asked of whoever approves.
func (s *Service) approveRequest(r *Run, b *Batch) func(bank.UserID) entitlement.Request {
	return func(member bank.UserID) entitlement.Request {
		ask := r.asking(b)
		ask.recurring, ask.lastEditor = false, b.LastEditor.ID == member
		return ask.request(member, catalog.ACHBatchApprove)
	}
}

// hasFullControl reports whether a member may take several steps alone.
func hasFullControl(p *entitlement.Policy, member bank.UserID) bool {
	m := p.Members[member]
	return m != nil && m.Settings.On.Has(catalog.ACHFullControl)
}

// reservation is the id under which a run counts; empty where it does not.
func (s *Service) reservation(tx *db.Tx, institution bank.InstitutionID, r *Run) (usage.ID, error) {
	if !r.counted {
		return "", nil
	}
	a, found, err := authorization.Find(tx, institution, r.ref())
	if err != nil || !found {
		return "", err
	}
	return usage.ID(a.ID), nil
}

// Approved takes the second person's yes: the batch is initiated, and goes out
// at its cut-off.
func (s *Service) Approved(c *guard.Change, item approval.Item) error {
	at := place{item.Institution, item.Organization}
	r, b, err := waiting(c.Tx, at, item)
	if err != nil {
		return err
	}
	if !c.Tx.Now.Before(r.Due) {
		return fault.New(fault.Conflict, "It is past the cut-off of the effective date. The batch must be submitted again.").With("PAST_CUTOFF")
	}
	was := b
	if err := b.to(stepApprove); err != nil {
		return err
	}
	r.State, r.Approver = string(b.State), item.By.Name
	if err := updateRun(c.Tx, at, &r); err != nil {
		return err
	}
	c.RecordQuiet("ach.batch_initiated", b.target(), item.Comment, append(r.described(), moved(&was, &b)...)...)
	return updateBatch(c.Tx, at, &b)
}

// Ended takes back what was rejected or was not decided in time.
func (s *Service) Ended(c *guard.Change, item approval.Item) error {
	at := place{item.Institution, item.Organization}
	_, b, err := waiting(c.Tx, at, item)
	if err != nil {
		return err
	}
	reason := item.Comment
	if reason == "" {
		reason = map[approval.State]string{approval.Rejected: "It was rejected.", approval.Expired: "Nobody approved it before its cut-off."}[item.State]
	}
	return s.giveBack(c, at, &b, reason)
}

// waiting reads the run and the batch of an item that is decided.
func waiting(tx *db.Tx, at place, item approval.Item) (r Run, b Batch, err error) {
	if r, err = findRun(tx, at, RunID(item.Ref)); err != nil {
		return r, b, err
	}
	if b, err = findBatch(tx, at, r.Batch); err != nil {
		return r, b, err
	}
	if b.Run != r.ID {
		return r, b, approval.ErrDecided
	}
	return r, b, nil
}
