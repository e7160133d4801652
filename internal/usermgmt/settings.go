package usermgmt

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// setting is the action of changing an institution's own settings.
func setting(event string, institution bank.InstitutionID) guard.Action {
	return guard.Action{
		Event: event, Staff: catalog.InstitutionSettingsManage.ID(), Others: []bank.ActorKind{bank.ActorOperator, bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetInstitution, ID: string(institution)},
	}
}

// ChangeDefaults changes what a new member of a role starts with.
func (s *Service) ChangeDefaults(ctx context.Context, caller bank.Caller, role bank.Role, to entitlement.Settings) error {
	return s.guard.Do(ctx, caller, setting("institution.defaults_changed", caller.Institution), func(c *guard.Change) error {
		was, err := Defaults(c.Tx, caller.Institution, role)
		if err != nil {
			return err
		}
		changes := diff("", was, to)
		if len(changes) == 0 {
			return nil
		}
		if err := SetDefaults(c.Tx, caller.Institution, role, to); err != nil {
			return err
		}
		c.RecordAs("institution.defaults_changed", activity.Target{Kind: activity.TargetInstitution, ID: string(caller.Institution), Name: role.Label()}, "", changes...)
		return nil
	})
}
