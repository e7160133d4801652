package demo

import (
	"context"

	"github.com/pquerna/otp/totp"

	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/identity"
	"mandate/internal/support"
	"mandate/internal/usermgmt"
)

// authenticatorApp adds an app for somebody who has just joined and returns its
// secret.
func (b *builder) authenticatorApp(ctx context.Context, caller bank.Caller, password identity.Secret) (secret string, err error) {
	challenge := identity.Challenge{Action: "auth.second_factor_added", Target: caller.ID, Content: []byte(identity.MethodTOTP)}
	if err := b.app.Identity.Prove(ctx, caller, challenge, identity.Answer{Password: password}); err != nil {
		return "", err
	}
	e, err := b.app.Identity.BeginApp(ctx, caller, "Phone")
	if err != nil {
		return "", err
	}
	code, err := totp.GenerateCode(string(e.Seed), b.clock.Now())
	if err != nil {
		return "", err
	}
	_, err = b.app.Identity.ConfirmApp(ctx, caller, e.ID, identity.Secret(code))
	return string(e.Seed), err
}

// What people of the cast needed help with, by username.
var helped = []struct {
	username, subject, details string
	status                     support.Status
}{
	{"omar.haddad", "Locked out after a new phone", "Called the branch. An admin of the firm is away this week.", support.Open},
	{"dana.reyes", "Where is the limit for wires set?", "Explained which limits the firm sets and which the bank does.", support.Solved},
	{"ingrid.moe", "Cannot sign in during leave", "Only an admin of the firm can end the hold.", support.Waiting},
	{"noor.siddiqui", "Wants wires for another clerk", "", support.Open},
}

// openCases opens the support cases of an institution's cast.
func (b *builder) openCases(ctx context.Context, caller bank.Caller) error {
	members := b.world.Institutions[len(b.world.Institutions)-1].Members
	for _, h := range helped {
		member, here := members[h.username]
		if !here {
			continue
		}
		var of map[bank.UserID]bank.OrganizationID
		err := b.app.DB.Read(ctx, func(tx *db.Tx) (err error) {
			of, err = usermgmt.OrganizationsOf(tx, caller.Institution, []bank.UserID{bank.UserID(member)})
			return err
		})
		if err != nil {
			return err
		}
		organization := of[bank.UserID(member)]
		number, err := b.app.Support.OpenCase(ctx, caller, organization, bank.UserID(member), support.Draft{Subject: h.subject, Details: h.details})
		if err != nil {
			return err
		}
		if err := b.app.Support.SetStatus(ctx, caller, organization, bank.UserID(member), number, h.status); err != nil {
			return err
		}
	}
	return nil
}
