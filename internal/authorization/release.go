package authorization

import (
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// find reads a reference of the change's organization.
func (s *Service) find(c *guard.Change, ref Ref) (Authorization, bool, error) {
	a, found, err := Find(c.Tx, c.Caller.Institution, ref)
	if found && a.Organization != c.Policy.Organization.ID {
		return Authorization{}, false, nil
	}
	return a, found, err
}

// ApproveIn is the second person's yes. A refused approval leaves the payment
// waiting for another.
func (s *Service) ApproveIn(c *guard.Change, ref Ref, member bank.UserID) (Answer, error) {
	a, found, err := s.find(c, ref)
	switch {
	case err != nil:
		return Answer{}, err
	case !found:
		return a.refused(entitlement.UnknownRef), nil
	case s.state(&a, c.Tx.Now) != Pending || a.ApprovedBy != "":
		return a.refused(entitlement.NotPending), nil
	}
	if err := c.Widen(a.scope(member)); err != nil {
		return Answer{}, err
	}
	initiator, approver, err := a.judgeBoth(c.Tx, c.Policy, member)
	if err != nil {
		return Answer{}, err
	}
	if !a.ApprovalRequired && !initiator.ApprovalRequired {
		return a.refused(entitlement.NotPending), nil
	}
	reasons := approver.Reasons
	if !initiator.Allowed {
		reasons = append(reasons, aboutMember(entitlement.InitiatorNotAllowed))
	}
	if len(reasons) > 0 {
		return Answer{Decision: entitlement.Decision{Reasons: reasons}, Authorization: a}, nil
	}
	a.ApprovedBy = member
	return yes(&a), update(c.Tx, &a)
}

func yes(a *Authorization) Answer {
	return Answer{Decision: entitlement.Decision{Allowed: true}, Authorization: *a}
}

// ConfirmIn is the moment of release: everybody is judged once more, and
// nothing is released where the answer is no.
func (s *Service) ConfirmIn(c *guard.Change, ref Ref) (Answer, error) {
	a, found, err := s.find(c, ref)
	if err != nil {
		return Answer{}, err
	}
	if !found {
		return a.refused(entitlement.UnknownRef), nil
	}
	switch s.state(&a, c.Tx.Now) {
	case Refused, Voided:
		return a.refused(entitlement.NotPending), nil
	case Confirmed:
		return repeated(&a), nil
	}
	if err := c.Widen(a.scope(a.ApprovedBy)); err != nil {
		return Answer{}, err
	}
	refusal, err := a.mayRelease(c.Tx, c.Policy)
	if err != nil || len(refusal.Reasons) > 0 {
		return Answer{Decision: refusal, Authorization: a}, err
	}
	a.State = Confirmed
	if err := a.moveToToday(c); err != nil {
		return Answer{}, err
	}
	return yes(&a), update(c.Tx, &a)
}

func repeated(a *Authorization) Answer {
	answer := yes(a)
	answer.Repeated = true
	return answer
}

// mayRelease tests whoever had a part in the payment; no reason is a yes.
func (a *Authorization) mayRelease(tx *db.Tx, p *entitlement.Policy) (entitlement.Decision, error) {
	initiator, approver, err := a.judgeBoth(tx, p, a.ApprovedBy)
	if err != nil {
		return entitlement.Decision{}, err
	}
	if a.ApprovedBy == "" && (a.ApprovalRequired || initiator.ApprovalRequired) {
		return entitlement.Refused(entitlement.NotApproved), nil
	}
	var d entitlement.Decision
	if !initiator.Allowed {
		d.Reasons = append(d.Reasons, aboutMember(entitlement.InitiatorNotAllowed))
	}
	if a.ApprovedBy != "" && !approver.Allowed {
		d.Reasons = append(d.Reasons, aboutMember(entitlement.ApproverNotAllowed))
	}
	return d, nil
}

// moveToToday makes a payment without a date of its own count on the day of its
// release.
func (a *Authorization) moveToToday(c *guard.Change) error {
	if _, given := a.request(c.Policy, c.Tx.Now).Context.EffectiveDate(); given {
		return nil
	}
	today := bank.DayOf(c.Tx.Now, c.Policy.Institution.Location)
	return usage.Move(c.Tx, a.Institution, a.Organization, usage.ID(a.ID), today)
}

// VoidIn gives the amount back. What is confirmed stays confirmed.
func (s *Service) VoidIn(c *guard.Change, ref Ref) (Answer, error) {
	a, found, err := s.find(c, ref)
	switch {
	case err != nil:
		return Answer{}, err
	case !found:
		return a.refused(entitlement.UnknownRef), nil
	case a.State == Confirmed:
		return a.refused(entitlement.Confirmed), nil
	case a.State == Voided:
		return repeated(&a), nil
	}
	if _, err := usage.Release(c.Tx, a.Institution, a.Organization, usage.ID(a.ID)); err != nil {
		return Answer{}, err
	}
	a.State = Voided
	return yes(&a), update(c.Tx, &a)
}
