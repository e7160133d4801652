package usermgmt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/db"
	"mandate/internal/entitlement"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

// An Avatar is the picture of a person: a small JPEG that the product drew.
type Avatar struct {
	ETag string
	JPEG []byte
}

// ErrNoAvatar says that somebody has no picture.
var ErrNoAvatar = fault.New(fault.NotFound, "There is no picture of this person.")

// SetAvatar takes a picture that somebody uploads of themself.
func (s *Service) SetAvatar(ctx context.Context, caller bank.Caller, file []byte) error {
	picture, err := redraw(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(picture)
	etag := hex.EncodeToString(sum[:8])
	me := Person{Organization: caller.Organization, User: caller.Member()}
	return s.guard.Do(ctx, caller, picturing(me, catalog.UnknownOperation), func(c *guard.Change) error {
		who, err := find(c, me)
		if err != nil {
			return err
		}
		was, err := etagOf(c.Tx, who)
		if err != nil || was == etag {
			return err
		}
		_, err = c.Tx.Exec(`
			insert into avatar (organization_num, member_ordinal, etag, picture, set_micros) values ($1, $2, $3, $4, $5)
			on conflict (organization_num, member_ordinal) do update
			   set etag = excluded.etag, picture = excluded.picture, set_micros = excluded.set_micros`,
			who.organization.Num, who.member.Ordinal, etag, picture, c.Tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("store the picture: %w", err)
		}
		c.RecordAs("orguser.profile_changed", who.member.Target(), "", change("avatar", was, etag))
		return nil
	})
}

// RemoveAvatar takes a picture away: one's own, or as an admin anybody's.
func (s *Service) RemoveAvatar(ctx context.Context, caller bank.Caller, p Person) error {
	return s.guard.Do(ctx, caller, picturing(p, catalog.EditProfile), func(c *guard.Change) error {
		who, err := find(c, p)
		if err != nil {
			return err
		}
		was, err := etagOf(c.Tx, who)
		if err != nil || was == "" {
			return err
		}
		if _, err := c.Tx.Exec(`delete from avatar where organization_num = $1 and member_ordinal = $2`, who.organization.Num, who.member.Ordinal); err != nil {
			return fmt.Errorf("remove the picture: %w", err)
		}
		c.RecordAs("orguser.profile_changed", who.member.Target(), "", change("avatar", was, ""))
		return nil
	})
}

// picturing is the action of changing a picture: people do it for themselves.
func picturing(p Person, op catalog.Operation) guard.Action {
	return guard.Action{
		Event: "orguser.profile_changed", Organization: p.Organization, Self: true, Member: op,
		Target: activity.Target{Kind: activity.TargetMember, ID: string(p.User)},
		Scope:  entitlement.Scope{Members: []bank.UserID{p.User}},
	}
}

func etagOf(tx *db.Tx, who subject) (string, error) {
	etag, err := db.One(tx, db.Value[string], `select etag from avatar where organization_num = $1 and member_ordinal = $2`,
		who.organization.Num, who.member.Ordinal)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("look for the picture: %w", err)
	}
	return etag, nil
}

// Avatar reads somebody's picture: one's own, or that of anybody whose profile
// one may see.
func (s *Service) Avatar(ctx context.Context, caller bank.Caller, p Person) (a Avatar, err error) {
	action := looking(p, catalog.ViewProfile, entitlement.Scope{})
	action.Self = true
	err = s.guard.Look(ctx, caller, action, func(v *guard.View) error {
		err := v.Tx.QueryRow(`
			select a.etag, a.picture from avatar a
			  join member m on m.organization_num = a.organization_num and m.ordinal = a.member_ordinal
			  join organization o on o.num = m.organization_num
			 where o.institution_id = $1 and o.id = $2 and m.id = $3`, caller.Institution, p.Organization, p.User).Scan(&a.ETag, &a.JPEG)
		if errors.Is(err, db.ErrNoRows) {
			return ErrNoAvatar
		}
		if err != nil {
			return fmt.Errorf("read the picture: %w", err)
		}
		return nil
	})
	return a, err
}
