package usermgmt

import (
	"context"
	"errors"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// A Standing is what every page of a member must know of them: whose customer
// they are, and what their role and status are now. It names no account.
type Standing struct {
	Institution  Institution
	Organization Organization
	Member       Member
	Policy       *entitlement.Policy // with this one member and no account
	request      entitlement.Request
}

// May reports whether the member may administer in this way now.
func (s *Standing) May(op catalog.Operation) bool {
	req := s.request
	req.Operation = op
	return entitlement.Decide(s.Policy, req).Allowed
}

// Standing reads where the calling member stands. Nobody needs a right to that.
func (s *Service) Standing(ctx context.Context, caller bank.Caller) (standing Standing, err error) {
	me := Person{Organization: caller.Organization, User: caller.Member()}
	action := looking(me, catalog.ViewProfile, entitlement.Scope{})
	action.Self = true
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		if standing.Institution, err = institution(v, caller.Institution); err != nil {
			return err
		}
		if standing.Organization, err = FindOrganization(v.Tx, caller.Institution, me.Organization); err != nil {
			return err
		}
		standing.Member, err = findMember(v.Tx, standing.Organization.Num, me.User)
		standing.Policy, standing.request = v.Policy, entitlement.Request{Member: me.User, Now: v.Tx.Now}
		return err
	})
	return standing, err
}

// ErrNoInstitution says that nobody of that name is served here.
var ErrNoInstitution = fault.New(fault.NotFound, "There is no such institution here.")

// Institution reads an institution for those who have not signed in yet: its
// name and how its screens look are public.
func (s *Service) Institution(ctx context.Context, id bank.InstitutionID) (i Institution, err error) {
	action := guard.Action{
		Event:  "institution.viewed",
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(id)},
		Others: []bank.ActorKind{bank.ActorSystem},
	}
	err = s.guard.Look(ctx, bank.System(id), action, func(v *guard.View) error {
		i, err = institution(v, id)
		return err
	})
	if errors.Is(err, activity.ErrNoStream) {
		err = ErrNoInstitution
	}
	return i, err
}

func institution(v *guard.View, id bank.InstitutionID) (Institution, error) {
	i, known, err := FindInstitution(v.Tx, id)
	if err == nil && !known {
		err = ErrNoInstitution
	}
	return i, err
}
