package cli

import (
	"errors"
	"fmt"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/grant"
	"mandate/internal/identity"
	"mandate/internal/staff"
)

type adminCommand struct {
	Invite           adminInvite  `cmd:"" help:"Invite somebody who may do everything in the console, and print the link, once."`
	Unlock           adminUnlock  `cmd:"" help:"Unlock a staff user, where nobody in the console can."`
	SignOutEverybody adminSignOut `cmd:"" name:"sign-out-everybody" help:"End every sign-in and open link of an institution, and all that products have of its people: after restoring a backup, or in an emergency."`
}

// adminStore is what every command about administrators needs.
type adminStore struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
	Email        string `arg:"" help:"The email address, which is also the username."`
}

// printer keeps the link of an invitation for the terminal: nothing is mailed.
type printer struct{ link identity.Secret }

func (p *printer) Queue(_ *db.Tx, m identity.Mail) error {
	if m.Link != "" {
		p.link = m.Link
	}
	return nil
}

func (p *printer) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

// with opens the room of staff for an operator.
func (c adminStore) with(t *terminal, links identity.Mailer, do func(*staff.Service, bank.Caller) error) (err error) {
	d, err := openStore(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	door := doorOf(d)
	who, err := identity.New(identity.Config{DB: d, Guard: door, People: app.People(), Mailer: links, Clock: t.clock})
	if err != nil {
		return err
	}
	return do(staff.New(door, who, app.House), operator(c.Institution))
}

type adminInvite struct {
	adminStore    `embed:""`
	ConsoleOrigin string `name:"console-origin" help:"Where browsers find the console." env:"MANDATE_CONSOLE_ORIGIN" default:"http://localhost:8081" placeholder:"URL"`
}

func (c *adminInvite) Run(t *terminal) error {
	links := &printer{}
	return c.with(t, links, func(s *staff.Service, caller bank.Caller) error {
		if _, err := s.InviteAdministrator(t.ctx, caller, c.Email); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s%s\nThe link can be used once and ends after seven days. Whoever opens it chooses the password of %s.\n", c.ConsoleOrigin, string(links.link), c.Email)
		return nil
	})
}

type adminUnlock struct {
	adminStore `embed:""`
}

func (c *adminUnlock) Run(t *terminal) error {
	return c.with(t, &printer{}, func(s *staff.Service, caller bank.Caller) error {
		found, err := s.Users(t.ctx, caller, staff.Query{Search: c.Email})
		if err != nil {
			return err
		}
		for _, u := range found.Users {
			if db.Fold(u.Email) == db.Fold(c.Email) {
				return s.Unlock(t.ctx, caller, u.ID)
			}
		}
		return staff.ErrNoUser
	})
}

type adminSignOut struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
}

func (c *adminSignOut) Run(t *terminal) error {
	return withGrants(t, openStore, c.Store, c.Institution, func(s *grant.Service, caller bank.Caller) error {
		s.Closes = app.LogoutAddress
		if err := s.SignOutEverybody(t.ctx, caller); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "Everybody of %s is signed out, and no link that was sent works any more.\n", c.Institution)
		return nil
	})
}
