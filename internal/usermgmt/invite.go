package usermgmt

import (
	"context"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
	"mandate/internal/identity"
)

// Links are what the room needs of identity: links by mail, inside the change
// that records them.
type Links interface {
	Invite(tx *db.Tx, who identity.Subject, by bank.Caller) (identity.Link, error)
	CancelInvitation(tx *db.Tx, who identity.Subject) (bool, error)
	SendReset(tx *db.Tx, who identity.Subject, by bank.Caller) (identity.Link, error)
	CancelLinks(tx *db.Tx, who identity.Subject) (bool, error)
	TakeFactor(tx *db.Tx, who identity.Subject, id string) (identity.Factor, error)
}

// ErrNoAccounts refuses to invite somebody who would see nothing.
var ErrNoAccounts = fault.New(fault.Conflict, "Unable to invite user. Enable at least one account first: without any, they would see nothing.").With("NO_ACCOUNTS")

// Invite sends a pending member a link by mail to create their credentials. A
// newer invitation makes the older ones useless.
func (s *Service) Invite(ctx context.Context, caller bank.Caller, p Person) error {
	action := links(p, "orguser.invited", catalog.CreateUser)
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		enabled, err := hasAccess(c.Tx, who)
		if err != nil {
			return err
		}
		if !enabled {
			return ErrNoAccounts
		}
		link, err := s.links.Invite(c.Tx, identity.Member(caller.Institution, p.User), caller)
		if err != nil {
			return err
		}
		if err := dropSetup(c.Tx, who); err != nil {
			return err
		}
		c.RecordAs(action.Event, who.member.Target(), "", change("invitation", "", link.Email))
		return nil
	})
}

// links is the action of sending or taking back a link.
func links(p Person, event string, op catalog.Operation) guard.Action {
	return guard.Action{
		Event: event, Organization: p.Organization, Member: op, Others: []bank.ActorKind{bank.ActorHost},
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
		Scope:  entitlement.Scope{Members: []bank.UserID{p.User}},
	}
}

// hasAccess reports whether a member sees any account.
func hasAccess(tx *db.Tx, who subject) (bool, error) {
	n, err := db.One(tx, db.Value[int64], `
		select count(*) from member_account where organization_num = $1 and member_ordinal = $2 and switches & $3 <> 0`,
		who.organization.Num, who.member.Ordinal, uint64(catalog.SetOf(catalog.AccountAccess)))
	if err != nil {
		return false, fmt.Errorf("count the member's accounts: %w", err)
	}
	return n > 0, nil
}

// CancelInvitation makes a member's open invitation useless.
func (s *Service) CancelInvitation(ctx context.Context, caller bank.Caller, p Person) error {
	action := links(p, "orguser.invite_revoked", catalog.CreateUser)
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		was, err := s.links.CancelInvitation(c.Tx, identity.Member(caller.Institution, p.User))
		if err != nil {
			return err
		}
		if !was {
			return fault.New(fault.Conflict, "There is no open invitation to cancel.").With("NO_INVITATION")
		}
		c.RecordAs(action.Event, who.member.Target(), "", change("invitation", who.member.Email, ""))
		return nil
	})
}

// SendReset sends a member a link by mail to choose a new password. It does not
// unlock them.
func (s *Service) SendReset(ctx context.Context, caller bank.Caller, p Person) error {
	action := links(p, "orguser.password_reset_sent", catalog.ResetPassword)
	action.Staff = staffManage
	return s.guard.Do(ctx, caller, action, func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		if err := s.safeguarded(c); err != nil {
			return err
		}
		link, err := s.links.SendReset(c.Tx, identity.Member(caller.Institution, p.User), caller)
		if err != nil {
			return err
		}
		c.RecordAs(action.Event, who.member.Target(), "", change("password_reset", "", link.Email))
		return nil
	})
}

// maxInvitations is how many invitations of a member are shown.
const maxInvitations = 10

// Invitations are the latest invitations of a member, the newest first, for
// their admins.
func (s *Service) Invitations(ctx context.Context, caller bank.Caller, p Person) (all []identity.Link, err error) {
	err = s.guard.Look(ctx, caller, looking(p, catalog.ViewProfile, entitlement.Scope{Members: []bank.UserID{p.User}}), func(v *guard.View) error {
		if v.Policy.Members[p.User] == nil {
			return ErrNoMember
		}
		all, err = identity.Links(v.Tx, identity.Member(caller.Institution, p.User), identity.PurposeInvitation, maxInvitations)
		return err
	})
	return all, err
}
