package authorization

import (
	"fmt"
	"time"

	"mandate/internal/bank"
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
	a, err := s.judge(c, ref, asked, text)
	if err != nil {
		return Answer{}, err
	}
	free, err := insert(c.Tx, &a) // most are new: that nothing was there is learned by storing it
	if err != nil {
		return Answer{}, err
	}
	if !free {
		return s.known(c, ref, text)
	}
	return Answer{Decision: a.answer(), Authorization: a}, s.reserve(c, &a)
}

// known answers for a reference that was taken before.
func (s *Service) known(c *guard.Change, ref Ref, text string) (Answer, error) {
	a, found, err := Find(c.Tx, c.Caller.Institution, ref)
	if err != nil {
		return Answer{}, err
	}
	if !found {
		return Answer{}, fmt.Errorf("the reference %q is taken and cannot be found", ref.Name)
	}
	return s.again(c, a, text), nil
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
