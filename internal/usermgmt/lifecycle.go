package usermgmt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// selfRaiseBlock is how long an admin who took the last other usable admin out
// of action may not raise themself.
const selfRaiseBlock = 24 * time.Hour

// subject is a member as a change under way has them.
type subject struct {
	organization Organization
	member       Member
}

// act runs one command of the state machine on one member.
func (s *Service) act(ctx context.Context, caller bank.Caller, p Person, command Command, apply func(*guard.Change, subject) error) error {
	t := transitions[command]
	edition, err := s.edition(ctx, caller)
	if err != nil {
		return err
	}
	action := t.action(edition)
	action.Organization = p.Organization
	action.Target = activity.Target{Kind: activity.TargetMember, ID: string(p.User)}
	action.Scope = entitlement.Scope{Members: []bank.UserID{p.User}}
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		if err := t.check(who.member); err != nil {
			return err
		}
		return apply(c, who)
	})
}

func find(c *guard.Change, p Person) (who subject, err error) {
	if who.organization, err = FindOrganization(c.Tx, c.Caller.Institution, p.Organization); err != nil {
		return who, err
	}
	who.member, err = findMember(c.Tx, who.organization.Num, p.User)
	return who, err
}

// Hold keeps a member from signing in. Their status stays what it was, and
// nobody tells them.
func (s *Service) Hold(ctx context.Context, caller bank.Caller, p Person, why string) error {
	return s.act(ctx, caller, p, CommandHold, func(c *guard.Change, who subject) error {
		if who.member.Held {
			return nil
		}
		if err := notOneself(c, p, "Nobody puts their own access on hold. Ask another admin."); err != nil {
			return err
		}
		if err := s.losesAdmin(c, who.member); err != nil {
			return err
		}
		if who.member.Role == bank.RoleAdmin {
			if err := c.RequireProof(nil); err != nil {
				return err
			}
		}
		if err := SetMemberStanding(c.Tx, who.organization.Num, who.member.Ordinal, who.member.Role, who.member.Status, true); err != nil {
			return err
		}
		c.RecordAs(transitions[CommandHold].Event, who.member.Target(), why, change("held", "false", "true"))
		return identity.EndSignIns(c.Tx, identity.Member(c.Caller.Institution, p.User))
	})
}

// Release removes a hold, at once.
func (s *Service) Release(ctx context.Context, caller bank.Caller, p Person) error {
	return s.act(ctx, caller, p, CommandRelease, func(c *guard.Change, who subject) error {
		if !who.member.Held {
			return nil
		}
		if err := SetMemberStanding(c.Tx, who.organization.Num, who.member.Ordinal, who.member.Role, who.member.Status, false); err != nil {
			return err
		}
		c.RecordAs(transitions[CommandRelease].Event, who.member.Target(), "", change("held", "true", "false"))
		return nil
	})
}

// Unlock lets a locked member sign in again. It sends nothing and changes no
// password.
func (s *Service) Unlock(ctx context.Context, caller bank.Caller, p Person) error {
	return s.act(ctx, caller, p, CommandUnlock, func(c *guard.Change, who subject) error {
		if err := s.setStatus(c, who, CommandUnlock); err != nil {
			return err
		}
		return identity.ClearStrikes(c.Tx, identity.Member(c.Caller.Institution, p.User))
	})
}

// Disable ends a member's access for good. Nothing enables them again.
func (s *Service) Disable(ctx context.Context, caller bank.Caller, p Person) error {
	return s.act(ctx, caller, p, CommandDisable, func(c *guard.Change, who subject) error {
		if err := s.losesAdmin(c, who.member); err != nil {
			return err
		}
		if err := s.setStatus(c, who, CommandDisable); err != nil {
			return err
		}
		return identity.EndSignIns(c.Tx, identity.Member(c.Caller.Institution, p.User))
	})
}

// Lock is the host's staff locking a member; wrong attempts lock in identity.
// Whoever has no credentials yet cannot be locked: unlocking would make them
// active without ever having joined.
func (s *Service) Lock(ctx context.Context, caller bank.Caller, p Person) error {
	return s.act(ctx, caller, p, CommandLock, func(c *guard.Change, who subject) error {
		if who.member.Status == bank.StatusPending {
			has, err := identity.HasCredentials(c.Tx, identity.Member(c.Caller.Institution, p.User))
			if err != nil {
				return err
			}
			if !has {
				return errStatus(who.member)
			}
		}
		if err := s.setStatus(c, who, CommandLock); err != nil {
			return err
		}
		return identity.EndSignIns(c.Tx, identity.Member(c.Caller.Institution, p.User))
	})
}

func (s *Service) setStatus(c *guard.Change, who subject, command Command) error {
	t := transitions[command]
	if err := SetMemberStanding(c.Tx, who.organization.Num, who.member.Ordinal, who.member.Role, t.To, who.member.Held); err != nil {
		return err
	}
	c.RecordAs(t.Event, who.member.Target(), "", change("status", who.member.Status.String(), t.To.String()))
	return nil
}

// Delete removes a member for good: from here, and by an order from the host.
// History and payments keep the name; nothing passes to a later namesake.
func (s *Service) Delete(ctx context.Context, caller bank.Caller, p Person) error {
	return s.act(ctx, caller, p, CommandDelete, func(c *guard.Change, who subject) error {
		if err := notOneself(c, p, "Nobody deletes themself. Ask another admin."); err != nil {
			return err
		}
		if err := s.losesAdmin(c, who.member); err != nil {
			return err
		}
		if err := c.RequireProof(nil); err != nil {
			return err
		}
		return s.remove(c, who)
	})
}

// remove deletes a member and all by which they sign in.
func (s *Service) remove(c *guard.Change, who subject) error {
	if s.departure != nil {
		if err := s.departure(c.Tx, who.organization, who.member); err != nil {
			return err
		}
	}
	if err := identity.Forget(c.Tx, identity.Member(c.Caller.Institution, who.member.ID)); err != nil {
		return err
	}
	if err := deleteMember(c, who); err != nil {
		return err
	}
	c.RecordAs(transitions[CommandDelete].Event, who.member.Target(), "", append(profileChanges(who.member, Member{}),
		diff("", who.member.Settings, entitlement.Settings{})...)...)
	return nil
}

func deleteMember(c *guard.Change, who subject) error {
	if _, err := c.Tx.Exec(`delete from member_account where organization_num = $1 and member_ordinal = $2`,
		who.organization.Num, who.member.Ordinal); err != nil {
		return fmt.Errorf("delete the member's accounts: %w", err)
	}
	if err := touchOne(c.Tx.Exec(`delete from member where organization_num = $1 and ordinal = $2`,
		who.organization.Num, who.member.Ordinal)); err != nil {
		return fmt.Errorf("delete the member: %w", err)
	}
	return touchCustomers(c.Tx, who.organization.Num)
}

func notOneself(c *guard.Change, p Person, sentence string) error {
	if c.Caller.Member() == p.User {
		return fault.New(fault.Forbidden, sentence).With("SELF")
	}
	return nil
}

// losesAdmin refuses to take the last usable admin out of action. Where an
// admin takes out the last other one, they may not raise themself for a day,
// and the institution is told.
func (s *Service) losesAdmin(c *guard.Change, m Member) error {
	if !slices.Contains(c.Policy.UsableAdmins, m.ID) {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(c.Policy.UsableAdmins), func(id bank.UserID) bool { return id == m.ID || id == goneAdmin })
	if len(others) == 0 {
		return fault.Newf(fault.Conflict, "%s is the last admin who can sign in, so the organization would be left without one. Make somebody else an admin first.", m.Name()).With("LAST_ADMIN")
	}
	if len(others) == 1 && others[0] == c.Caller.Member() {
		return s.aloneNow(c, m)
	}
	return nil
}

// aloneNow notes that the caller becomes the only usable admin by their own
// doing.
func (s *Service) aloneNow(c *guard.Change, gone Member) error {
	until := c.Tx.Now.Add(selfRaiseBlock)
	err := touchOne(c.Tx.Exec(`update member set no_raise_micros = $1 where institution_id = $2 and id = $3`,
		until.UnixMicro(), c.Caller.Institution, c.Caller.Member()))
	if err != nil {
		return fmt.Errorf("note that an admin is alone: %w", err)
	}
	organization := activity.Target{Kind: activity.TargetOrganization, ID: string(c.Policy.Organization.ID)}
	c.RecordAs("org.one_admin_left", organization, fmt.Sprintf("%s took %s out of action and is the only admin left.", c.Caller.Name, gone.Name()))
	return nil
}

// edition is the edition of the caller's institution: it decides what staff may
// do.
func (s *Service) edition(ctx context.Context, caller bank.Caller) (bank.Edition, error) {
	i, err := s.Institution(ctx, caller.Institution)
	return i.Edition, err
}

func change(field, old, new string) activity.Change {
	return activity.Change{Field: field, Old: old, New: new}
}

// profileChanges lists what differs between two profiles.
func profileChanges(before, after Member) []activity.Change {
	var changes []activity.Change
	add := func(field, old, new string) {
		if old != new {
			changes = append(changes, change(field, old, new))
		}
	}
	add("first_name", before.FirstName, after.FirstName)
	add("last_name", before.LastName, after.LastName)
	add("email", before.Email, after.Email)
	add("username", before.Username, after.Username)
	add("role", roleOf(before), roleOf(after))
	add("status", statusOf(before), statusOf(after))
	return changes
}

// roleOf and statusOf are empty of a member that is not there.
func roleOf(m Member) string {
	if m.ID == "" {
		return ""
	}
	return m.Role.String()
}

func statusOf(m Member) string {
	if m.ID == "" {
		return ""
	}
	return m.Status.String()
}

// withUserManagement is what a role means for the User management switch: on
// for Admin and Viewer where the organization has it, off for User.
func withUserManagement(s entitlement.Settings, role bank.Role, has catalog.EntitlementSet) entitlement.Settings {
	s.On = s.On.Without(catalog.UserManagementEnabled)
	if role != bank.RoleUser && has.Has(catalog.UserManagement) {
		s.On = s.On.With(catalog.UserManagementEnabled)
	}
	return s
}
