package staff

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// FirstGroup is what the operator's group of administrators is called.
const FirstGroup = "Back Office Administrators"

// InviteAdministrator invites somebody who may do everything, in the name of
// the operator: it is how an institution gets its first administrators, and how
// it gets back in when nobody can administer any more. Nobody else may.
func (s *Service) InviteAdministrator(ctx context.Context, caller bank.Caller, email string) (id bank.StaffID, err error) {
	if problem := bank.EmailProblem(email); problem != "" {
		var problems fault.Problems
		problems.Add("email", problem)
		return "", problems.Err("Nobody was invited.")
	}
	action := guard.Action{Event: EventInvited, Target: userTarget("", email), Others: []bank.ActorKind{bank.ActorOperator}}
	err = s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		group, err := s.administratorsGroup(c)
		if err != nil {
			return err
		}
		u, found, err := userByEmail(c.Tx, caller.Institution, email)
		switch {
		case err != nil:
			return err
		case found && u.Status != bank.StatusPending:
			return fault.Newf(fault.Conflict, "%s is a user already, and %s.", email, u.Status).With("ALREADY_USER")
		case !found:
			u = User{ID: bank.StaffID(bank.NewID(bank.PrefixStaff, c.Tx.Now)), Email: email, Status: bank.StatusPending}
			if err := insertUser(c.Tx, caller.Institution, u); err != nil {
				return err
			}
		}
		id = u.ID
		if err := s.join(c, id, group); err != nil {
			return err
		}
		if _, err := s.links.Invite(c.Tx, identity.Staff(caller.Institution, id), caller); err != nil {
			return fmt.Errorf("invite %s: %w", id, err)
		}
		c.RecordAs(EventInvited, userTarget(id, email), "", activity.Change{Field: "email", New: email}, activity.Change{Field: "groups", New: group.Name})
		return nil
	})
	return id, err
}

// administratorsGroup is the group that permits everything; the first operator
// makes it.
func (s *Service) administratorsGroup(c *guard.Change) (Group, error) {
	groups, err := listGroups(c.Tx, c.Caller.Institution)
	if err != nil {
		return Group{}, err
	}
	name := FirstGroup
	for _, g := range groups {
		if g.Permissions.Covers(catalog.EveryStaffPermission()) {
			return g, nil
		}
		if db.Fold(g.Name) == db.Fold(FirstGroup) {
			name = FirstGroup + " (everything)"
		}
	}
	d := Draft{Name: name, Description: "Everything. The first administrators belong to it.", Permissions: catalog.EveryStaffPermission()}
	id := bank.GroupID(bank.NewID(bank.PrefixGroup, c.Tx.Now))
	if err := insertGroup(c.Tx, c.Caller.Institution, id, d); err != nil {
		return Group{}, err
	}
	c.RecordAs(EventGroupCreated, groupTarget(id, d.Name), "", d.changes(Draft{})...)
	return Group{ID: id, Draft: d, Version: 1}, nil
}

// join puts a user into a group beside those that they have.
func (s *Service) join(c *guard.Change, id bank.StaffID, group Group) error {
	groups, err := groupsOf(c.Tx, c.Caller.Institution, id)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.ID == group.ID {
			return nil
		}
	}
	return insertMembership(c.Tx, c.Caller.Institution, id, group.ID)
}
