package usermgmt

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/guard"
)

// SwitchEntitlement gives an organization an entitlement or takes it away.
// Members keep their values: they mean nothing while it is off, and are back
// when it is on again.
func (s *Service) SwitchEntitlement(ctx context.Context, caller bank.Caller, organization bank.OrganizationID, e catalog.Entitlement, on bool) error {
	action := guard.Action{
		Event: "org.entitlement_changed", Organization: organization, Staff: staffManage, Others: []bank.ActorKind{bank.ActorOperator},
		Target: activity.Target{Kind: activity.TargetOrganization, ID: string(organization)},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		o, err := FindOrganization(c.Tx, caller.Institution, organization)
		if err != nil {
			return err
		}
		has := o.Entitlements.Without(e)
		if on {
			has = has.With(e)
		}
		if has == o.Entitlements {
			return nil
		}
		if err := SetOrganizationPolicy(c.Tx, caller.Institution, organization, has, o.Ceilings); err != nil {
			return err
		}
		target := action.Target
		target.Name = o.Name
		c.RecordAs(action.Event, target, "", change(e.Enabled().ID(), word(!on), word(on)))
		return nil
	})
}

func word(on bool) string {
	if on {
		return "true"
	}
	return "false"
}
