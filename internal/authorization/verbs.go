package authorization

import (
	"time"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
	"mandate/internal/usage"
)

// A Service keeps the authorizations of one database.
type Service struct {
	db       *db.DB
	guard    *guard.Guard
	lifetime time.Duration
	once     string // the caller's key for this call; empty: none
}

// New returns the service. Lifetime is how long a payment may wait to be
// confirmed before it is void; zero is for ever.
func New(d *db.DB, g *guard.Guard, lifetime time.Duration) *Service {
	return &Service{db: d, guard: g, lifetime: lifetime}
}

// AuthorizeIn decides a payment and, where it may go, counts its amount, inside
// a change. A refusal is an answer too and is kept under the reference: the
// change must commit for it. Under a known reference nothing is decided again.
func (s *Service) AuthorizeIn(c *guard.Change, ref Ref, asked Asked) (Answer, error) {
	if err := checkRef(ref.Name); err != nil {
		return Answer{}, err
	}
	text, err := asked.content()
	if err != nil {
		return Answer{}, err
	}
	known, found, err := Find(c.Tx, c.Caller.Institution, ref)
	if err != nil {
		return Answer{}, err
	}
	if found {
		return s.again(c, known, text), nil
	}
	a, err := s.judge(c, ref, asked, text)
	if err != nil {
		return Answer{}, err
	}
	free, err := insert(c.Tx, &a)
	if err != nil {
		return Answer{}, err
	}
	if !free { // taken meanwhile, for another organization
		return (&Authorization{}).refused(entitlement.RefReused), nil
	}
	return Answer{Decision: a.answer(), Authorization: a}, s.reserve(c, &a)
}

// again answers for a reference that is known: each reason alone, in this
// order.
func (s *Service) again(c *guard.Change, a Authorization, text string) Answer {
	switch {
	case a.Organization != c.Policy.Organization.ID:
		return (&Authorization{}).refused(entitlement.RefReused)
	case a.content != text:
		return a.refused(entitlement.RefReused)
	case s.state(&a, c.Tx.Now) == Voided:
		return a.refused(entitlement.RefVoided)
	}
	return Answer{Decision: a.answer(), Repeated: true, Authorization: a}
}

// state is where an authorization stands now: one that was not confirmed in
// time is void, whether or not the sweep has come by.
func (s *Service) state(a *Authorization, now time.Time) State {
	if a.State == Pending && s.lifetime > 0 && !now.Before(a.WaitsFrom.Add(s.lifetime)) {
		return Voided
	}
	return a.State
}

// judge decides a new payment.
func (s *Service) judge(c *guard.Change, ref Ref, asked Asked, text string) (Authorization, error) {
	if err := c.Widen(asked.Scope()); err != nil {
		return Authorization{}, err
	}
	d, err := Decide(c.Tx, c.Policy, asked)
	if err != nil {
		return Authorization{}, err
	}
	now := c.Tx.Now
	a := Authorization{
		Institution: c.Caller.Institution, Organization: c.Policy.Organization.ID, Ref: ref,
		ID: bank.NewID(prefixAuthorization, now), Asked: asked, content: text,
		State: Refused, ApprovalRequired: d.ApprovalRequired, Reasons: d.Reasons, Created: now, WaitsFrom: now,
	}
	if d.Allowed {
		a.State = Pending
		a.WaitsFrom = waitsFrom(c.Policy, &a, now)
	}
	return a, nil
}

// waitsFrom is when the wait for the confirmation begins: a payment for a later
// day may well be released on that day only.
func waitsFrom(p *entitlement.Policy, a *Authorization, now time.Time) time.Time {
	req := a.request(p, now)
	if date, given := req.Context.EffectiveDate(); given {
		if day := bank.Day(date).Time(p.Institution.Location); day.After(now) {
			return day
		}
	}
	return now
}

func (s *Service) reserve(c *guard.Change, a *Authorization) error {
	limit, day, counts := entitlement.Counting(c.Policy.Institution, a.request(c.Policy, c.Tx.Now))
	if a.State != Pending || !counts {
		return nil
	}
	cents, _ := a.Asked.Amount.Cents()
	return usage.Reserve(c.Tx, usage.Reservation{
		Institution: a.Institution, Organization: a.Organization, ID: usage.ID(a.ID),
		Limit: limit, Day: day, Member: a.Asked.Member, Account: a.Asked.Account, Cents: cents,
	})
}

// request is the original question, for now.
func (a *Authorization) request(p *entitlement.Policy, now time.Time) entitlement.Request {
	return a.Asked.request(p, catalog.ParseOperation(a.Asked.Operation), now)
}

// initiatorNow asks the original question again, for now.
func (a *Authorization) initiatorNow(c *guard.Change) (entitlement.Decision, error) {
	return decide(c.Tx, c.Policy, a.request(c.Policy, c.Tx.Now), usage.ID(a.ID))
}

// approverNow asks whether a member may approve it now.
func (a *Authorization) approverNow(c *guard.Change, member bank.UserID) (entitlement.Decision, error) {
	asked := a.Asked
	asked.Member, asked.ToAccount = member, ""
	d, err := decide(c.Tx, c.Policy, asked.request(c.Policy, catalog.WiresApprove, c.Tx.Now), "")
	if err == nil && member == a.Asked.Member {
		d.Reasons = append(d.Reasons, aboutMember(entitlement.SelfApproval))
		d.Allowed = false
	}
	return d, err
}

func aboutMember(code entitlement.Code) entitlement.Reason {
	return entitlement.Reason{Code: code, Level: entitlement.LevelUser, Permission: entitlement.NoPermission}
}

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
	initiator, approver, err := a.judgeBoth(c, member)
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

// judgeBoth asks again, for now, whether the initiator may send it and whether
// a member may approve it; an empty member is nobody, of whom nothing is asked.
func (a *Authorization) judgeBoth(c *guard.Change, member bank.UserID) (initiator, approver entitlement.Decision, err error) {
	if err := c.Widen(a.Asked.Scope().And(scopeOf(member))); err != nil {
		return initiator, approver, err
	}
	if initiator, err = a.initiatorNow(c); err != nil {
		return initiator, approver, err
	}
	approver, err = a.approverNow(c, member)
	return initiator, approver, err
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
	refusal, err := a.mayRelease(c)
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
func (a *Authorization) mayRelease(c *guard.Change) (entitlement.Decision, error) {
	initiator, approver, err := a.judgeBoth(c, a.ApprovedBy)
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
