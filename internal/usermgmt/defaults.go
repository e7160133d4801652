package usermgmt

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/guard"
)

// RoleDefaults are the permissions that a new member of the organization gets,
// by role: what the host gives, and User management as the role has it.
func (s *Service) RoleDefaults(ctx context.Context, caller bank.Caller, organization bank.OrganizationID) (map[bank.Role]entitlement.Settings, error) {
	all := map[bank.Role]entitlement.Settings{}
	err := s.guard.Look(ctx, caller, looking(Person{Organization: organization}, catalog.ViewUsers, entitlement.Scope{}), func(v *guard.View) error {
		o, err := FindOrganization(v.Tx, caller.Institution, organization)
		if err != nil {
			return err
		}
		for _, role := range []bank.Role{bank.RoleUser, bank.RoleViewer, bank.RoleAdmin} {
			given, err := Defaults(v.Tx, caller.Institution, role)
			if err != nil {
				return err
			}
			all[role] = withUserManagement(given, role, o.Entitlements)
		}
		return nil
	})
	return all, err
}

// Differing lists in which permissions a member differs from what a new one of
// their role gets, as history keeps changes: old is the default.
func Differing(m Member, defaults entitlement.Settings) []activity.Change {
	return diff("", defaults, m.Settings)
}
