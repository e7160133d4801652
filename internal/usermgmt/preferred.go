package usermgmt

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// SetPreferredName stores what a member would rather be called by the
// institution's staff; empty takes it away. The organization goes on using the
// name that its admins gave.
func (s *Service) SetPreferredName(ctx context.Context, caller bank.Caller, p Person, name string) error {
	name = strings.TrimSpace(name)
	action := guard.Action{
		Event: "orguser.preferred_name_changed", Organization: p.Organization, Staff: staffManage,
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
		Scope:  entitlement.Scope{Members: []bank.UserID{p.User}},
	}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil || who.member.PreferredName == name {
			return err
		}
		if err := checkPreferred(name); err != nil {
			return err
		}
		err = touchOne(c.Tx.Exec(`update member set preferred_name = $1 where organization_num = $2 and ordinal = $3`,
			name, who.organization.Num, who.member.Ordinal))
		if err != nil {
			return fmt.Errorf("store the preferred name: %w", err)
		}
		c.RecordAs(action.Event, who.member.Target(), "", change("preferred_name", who.member.PreferredName, name))
		return nil
	})
}

func checkPreferred(name string) error {
	var problems fault.Problems
	if n := utf8.RuneCountInString(name); n > bank.MaxName {
		problems.Addf("preferred_name", "The preferred name is %d characters long. The most is %d.", n, bank.MaxName)
	}
	if !bank.Printable(name) {
		problems.Add("preferred_name", "The preferred name has signs that cannot be shown. Type it anew.")
	}
	return problems.Err("The preferred name was not saved.")
}
