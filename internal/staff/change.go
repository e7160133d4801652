package staff

import (
	"context"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// onUser changes something about one staff user.
func (s *Service) onUser(ctx context.Context, caller bank.Caller, event string, needs catalog.StaffPermission, id bank.StaffID, apply func(*guard.Change, User) error) error {
	return s.guard.Do(ctx, caller, acting(event, needs, userTarget(id, "")), func(c *guard.Change) error {
		u, err := findUser(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		return apply(c, u)
	})
}

// aboveUser refuses to act on somebody who is given more than the caller holds,
// whatever their status is.
func (s *Service) aboveUser(c *guard.Change, doing string, u User) error {
	groups, err := groupsOf(c.Tx, c.Caller.Institution, u.ID)
	if err != nil {
		return err
	}
	return above(c.Tx, c.Caller, doing, rightsIn(groups))
}

func rightsIn(groups []Group) (all holding) {
	for _, g := range groups {
		all = all.with(g.Draft)
	}
	return all
}

// SetGroups puts a user into exactly these groups; at least one is needed. What
// adds rights needs a high-risk authorization.
func (s *Service) SetGroups(ctx context.Context, caller bank.Caller, id bank.StaffID, version int64, ids []bank.GroupID) error {
	return s.onUser(ctx, caller, EventGroupsChanged, catalog.StaffUsersAssignGroups, id, func(c *guard.Change, u User) error {
		if u.Version != version {
			return errStale
		}
		if len(ids) == 0 {
			var problems fault.Problems
			problems.Add("groups", "Choose at least one group. A group may permit nothing.")
			return problems.Err("Everybody belongs to a group.")
		}
		if err := s.aboveUser(c, "You can’t change the groups of somebody who has", u); err != nil {
			return err
		}
		was, err := groupsOf(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		now, err := givenGroups(c, ids)
		if err != nil {
			return err
		}
		if !rightsIn(now).without(rightsIn(was)).none() {
			if err := c.RequireProof(content(idsOf(now))); err != nil {
				return err
			}
		}
		return s.storeGroups(c, u, was, now)
	})
}

// regroup puts a user into exactly these groups. Their version is that of the
// groups, too.
func regroup(c *guard.Change, u User, now []Group) error {
	if err := replaceMemberships(c.Tx, c.Caller.Institution, u.ID, idsOf(now)); err != nil {
		return err
	}
	return updateUser(c.Tx, c.Caller.Institution, u)
}

func (s *Service) storeGroups(c *guard.Change, u User, was, now []Group) error {
	if err := keepingAdministrators(c, func() error { return regroup(c, u, now) }); err != nil {
		return err
	}
	named, err := groupsOf(c.Tx, c.Caller.Institution, u.ID) // by name, as before
	if err != nil || joined(was) == joined(named) {
		return err
	}
	c.RecordAs(EventGroupsChanged, userTarget(u.ID, u.Name()), "", activity.Change{Field: "groups", Old: joined(was), New: joined(named)})
	return nil
}

// EditProfile changes what a user is called and how to reach them.
func (s *Service) EditProfile(ctx context.Context, caller bank.Caller, id bank.StaffID, version int64, d Details) error {
	return s.onUser(ctx, caller, EventProfileChanged, catalog.StaffUsersEdit, id, func(c *guard.Change, u User) error {
		if u.Version != version {
			return errStale
		}
		if err := s.aboveUser(c, "You can’t edit somebody who has", u); err != nil {
			return err
		}
		return storeDetails(c, u, d.trimmed())
	})
}

func storeDetails(c *guard.Change, u User, d Details) error {
	if err := d.Check().Err("The profile cannot be saved like this."); err != nil {
		return err
	}
	changes := d.changes(u.Details)
	if len(changes) == 0 {
		return nil
	}
	u.Details = d
	if err := updateUser(c.Tx, c.Caller.Institution, u); err != nil {
		return err
	}
	c.RecordAs(EventProfileChanged, userTarget(u.ID, u.Name()), "", changes...)
	return nil
}

// Unlock lets a locked user sign in again. It sends nothing and changes no
// password.
func (s *Service) Unlock(ctx context.Context, caller bank.Caller, id bank.StaffID) error {
	return s.onUser(ctx, caller, EventUnlocked, catalog.StaffUsersUnlock, id, func(c *guard.Change, u User) error {
		if u.Status != bank.StatusLocked {
			return fault.Newf(fault.Conflict, "%s is not locked.", u.Name()).With("NOT_LOCKED")
		}
		who := identity.Staff(caller.Institution, id)
		if err := (People{}).SetStatus(c.Tx, who, bank.StatusActive); err != nil {
			return err
		}
		c.RecordAs(EventUnlocked, userTarget(id, u.Name()), "", activity.Change{Field: "status", Old: u.Status.String(), New: bank.StatusActive.String()})
		return identity.ClearStrikes(c.Tx, who)
	})
}

// SendReset sends a user a link to a new password. It does not unlock them.
func (s *Service) SendReset(ctx context.Context, caller bank.Caller, id bank.StaffID) error {
	return s.onUser(ctx, caller, EventResetSent, catalog.StaffUsersResetPassword, id, func(c *guard.Change, u User) error {
		if err := s.aboveUser(c, "You can’t reset the password of somebody who has", u); err != nil {
			return err
		}
		link, err := s.links.SendReset(c.Tx, identity.Staff(caller.Institution, id), caller)
		if err != nil {
			return err
		}
		c.RecordAs(EventResetSent, userTarget(id, u.Name()), "", activity.Change{Field: "password_reset", New: link.Email})
		return nil
	})
}

// Delete removes a user for good. The history keeps their name. It needs a
// high-risk authorization.
func (s *Service) Delete(ctx context.Context, caller bank.Caller, id bank.StaffID) error {
	return s.onUser(ctx, caller, EventDeleted, catalog.StaffUsersDelete, id, func(c *guard.Change, u User) error {
		if caller.Kind == bank.ActorStaff && caller.ID == string(id) {
			return fault.New(fault.Forbidden, "Nobody deletes themself. Ask somebody else who may.").With("SELF")
		}
		if err := s.aboveUser(c, "You can’t delete somebody who has", u); err != nil {
			return err
		}
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		was, err := groupsOf(c.Tx, caller.Institution, id)
		if err != nil {
			return err
		}
		return s.removeUser(c, u, was)
	})
}

func (s *Service) removeUser(c *guard.Change, u User, was []Group) error {
	if err := keepingAdministrators(c, func() error { return s.remove(c, u.ID) }); err != nil {
		return err
	}
	changes := append(Details{}.changes(u.Details), activity.Change{Field: "email", Old: u.Email}, activity.Change{Field: "groups", Old: joined(was)})
	c.RecordAs(EventDeleted, userTarget(u.ID, u.Name()), "", changes...)
	return nil
}

func (s *Service) remove(c *guard.Change, id bank.StaffID) error {
	who := identity.Staff(c.Caller.Institution, id)
	if _, err := s.links.CancelLinks(c.Tx, who); err != nil {
		return err
	}
	if err := identity.Forget(c.Tx, who); err != nil {
		return err
	}
	return deleteUser(c.Tx, c.Caller.Institution, id)
}
