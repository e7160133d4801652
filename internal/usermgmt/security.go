package usermgmt

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// eventFactorRemoved is what identity calls it when members do it themselves.
const eventFactorRemoved = "auth.second_factor_removed"

// A Safeguard says which staff users are held to a second factor by one of
// their groups. Only they change how a customer signs in, whatever else their
// groups permit.
type Safeguard interface {
	HeldToSecondFactor(tx *db.Tx, institution bank.InstitutionID, staff bank.StaffID) (bool, error)
}

// WithSafeguard tells the room who is held to a second factor. Without it no
// staff user changes how a customer signs in.
func (s *Service) WithSafeguard(g Safeguard) *Service {
	s.safeguard = g
	return s
}

// ErrSecurityReadOnly refuses staff who are not held to a second factor.
var ErrSecurityReadOnly = fault.New(fault.Forbidden, "Security settings of customers are view-only for you: they can be changed only by staff in a group that requires a second factor, who have added one. Whoever manages Users & Groups can switch the requirement on.").
	With("STAFF_SECOND_FACTOR")

// safeguarded refuses staff who are not held to a second factor. It is asked
// inside the change, after the guard has found that their groups permit it.
func (s *Service) safeguarded(c *guard.Change) error {
	if c.Caller.Kind != bank.ActorStaff {
		return nil
	}
	if s.safeguard == nil {
		return ErrSecurityReadOnly
	}
	held, err := s.safeguard.HeldToSecondFactor(c.Tx, c.Caller.Institution, bank.StaffID(c.Caller.ID))
	if err != nil || held {
		return err
	}
	return ErrSecurityReadOnly
}

// A Security is how a member signs in, as staff see it.
type Security struct {
	Credentials bool           // they have a username and a password, or can choose one by a link
	Reset       *identity.Link // the last password reset that was sent; nil: none was
	Factors     []identity.Factor
	Recovery    int // how many recovery codes are left
	SignIns     []identity.Session
}

// Security reads how a member signs in. It is for staff: members see their own.
func (s *Service) Security(ctx context.Context, caller bank.Caller, p Person) (security Security, err error) {
	action := looking(p, catalog.UnknownOperation, entitlement.Scope{Members: []bank.UserID{p.User}})
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		if v.Policy.Members[p.User] == nil {
			return ErrNoMember
		}
		security, err = readSecurity(v.Tx, identity.Member(caller.Institution, p.User))
		return err
	})
	return security, err
}

func readSecurity(tx *db.Tx, who identity.Subject) (s Security, err error) {
	person, err := (People{}).Find(tx, who)
	if err != nil {
		return s, err
	}
	if s.Credentials, err = person.CanReset(tx); err != nil {
		return s, err
	}
	reset, sent, err := identity.Newest(tx, who, identity.PurposeReset)
	if err != nil {
		return s, err
	}
	if sent {
		s.Reset = &reset
	}
	if s.Factors, s.Recovery, err = identity.FactorsOf(tx, who); err != nil {
		return s, err
	}
	s.SignIns, err = identity.SignIns(tx, who)
	return s, err
}

// RemoveFactor takes a second factor away from a member who has lost it. They
// are told by mail.
func (s *Service) RemoveFactor(ctx context.Context, caller bank.Caller, p Person, factor string) error {
	action := guard.Action{
		Event: eventFactorRemoved, Organization: p.Organization, Staff: staffManage,
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
		Scope:  entitlement.Scope{Members: []bank.UserID{p.User}},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		if err := s.safeguarded(c); err != nil {
			return err
		}
		if err := c.RequireProof([]byte(factor)); err != nil {
			return err
		}
		removed, err := s.links.TakeFactor(c.Tx, identity.Member(caller.Institution, p.User), factor)
		if err != nil {
			return err
		}
		c.RecordAs(action.Event, who.member.Target(), "", change("second_factor", string(removed.Method)+" "+removed.Name, ""))
		return nil
	})
}
