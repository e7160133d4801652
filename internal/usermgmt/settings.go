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

const eventServed = "institution.organizations_viewed"

// Served searches the organizations of an institution for those who keep its
// settings, and so what is set for each of them.
func (s *Service) Served(ctx context.Context, caller bank.Caller, q CustomerQuery) (page CustomerPage, err error) {
	q.Kind, q.Status, q.Held = Organizations, nil, false
	err = s.guard.Look(ctx, caller, setting(eventServed, caller.Institution), func(v *guard.View) error {
		page, err = s.searchCustomers(v.Tx, caller.Institution, q)
		return err
	})
	return page, err
}

// ServedOrganization is one organization with its accounts, by name, for those
// who keep the institution's settings.
func (s *Service) ServedOrganization(ctx context.Context, caller bank.Caller, id bank.OrganizationID) (o Organization, accounts []Account, err error) {
	err = s.guard.Look(ctx, caller, setting(eventServed, caller.Institution), func(v *guard.View) error {
		if o, err = FindOrganization(v.Tx, caller.Institution, id); err != nil {
			return err
		}
		accounts, err = accountsByName(v.Tx, o.Num)
		return err
	})
	return o, accounts, err
}
