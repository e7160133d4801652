package cli

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/fault"
	"mandate/internal/staff"
)

type applicationCommand struct {
	Create  applicationCreate  `cmd:"" help:"Let a product in and print its secret, once."`
	List    applicationList    `cmd:"" help:"List external applications."`
	Declare applicationDeclare `cmd:"" help:"Declare the permissions of a product, from a file."`
	Rotate  applicationRotate  `cmd:"" help:"Give an application a new secret and print it, once."`
	Delete  applicationDelete  `cmd:"" help:"End an application for good. Groups of its product stay, and permit nothing."`
}

// applicationStore is what every command about applications needs.
type applicationStore struct {
	config.Store `embed:""`
	Institution  string `help:"The institution's id; without one the application belongs to none, and people choose theirs after they signed in." placeholder:"ID"`
}

// with opens the room of external applications for an operator.
func (c applicationStore) with(t *terminal, open opener, do func(*application.Service, bank.Caller) error) (err error) {
	d, err := open(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	door := doorOf(d)
	return do(application.New(d, door, staff.Rights{}, t.logger()), operator(c.Institution))
}

type applicationCreate struct {
	applicationStore `embed:""`
	Name             string   `arg:"" help:"What the product is called."`
	Redirect         []string `help:"Where people return to after they signed in; once for every address." placeholder:"URL"`
	Keys             string   `help:"A file with the product's public key, a JWK set or PEM; without one it gets a secret." placeholder:"FILE"`
	Scope            []string `help:"What it may ask for." default:"openid,profile,email"`
	Service          string   `help:"It acts as a service for the staff user with this address." placeholder:"EMAIL"`
}

func (c *applicationCreate) Run(t *terminal) error {
	d := application.Draft{Name: c.Name, Method: application.SecretBasic, Redirects: c.Redirect, Scopes: c.Scope, ServiceEmail: c.Service, Enabled: true}
	if len(c.Redirect) > 0 || c.Service == "" {
		d.Grants = append(d.Grants, application.GrantCode)
	}
	if c.Service != "" {
		d.Grants = append(d.Grants, application.GrantService)
	}
	if c.Keys != "" {
		text, err := os.ReadFile(c.Keys)
		if err != nil {
			return err
		}
		d.Method, d.Keys = application.PrivateKey, string(text)
	}
	return c.with(t, openStore, func(s *application.Service, caller bank.Caller) error {
		made, secret, err := s.Create(t.ctx, caller, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "client id %s\n", made.ID)
		if secret != "" {
			fmt.Fprintf(t.out, "secret    %s\n", string(secret))
		}
		return nil
	})
}

type applicationList struct {
	applicationStore `embed:""`
}

func (c *applicationList) Run(t *terminal) error {
	return c.with(t, openReadOnly, func(s *application.Service, caller bank.Caller) error {
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tMADE BY\tLAST USED\tSTATE")
		for page := 1; ; page++ {
			found, err := s.List(t.ctx, caller, application.Query{Page: page})
			if c.Institution == "" && fault.KindOf(err) == fault.NotFound {
				return table.Flush() // nothing that belongs to no institution was ever made
			}
			if err != nil {
				return err
			}
			for _, a := range found.Applications {
				state := "on"
				if !a.Enabled {
					state = "off"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", a.ID, a.Name, a.Partner, day(a.LastUsed), state)
			}
			if page >= found.Pages {
				return table.Flush()
			}
		}
	})
}

type applicationDeclare struct {
	applicationStore `embed:""`
	ID               string `arg:"" help:"The application's client id."`
	File             string `arg:"" help:"The declaration, as JSON."`
}

func (c *applicationDeclare) Run(t *terminal) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	d, err := application.ReadDeclaration(string(text))
	if err != nil {
		return err
	}
	return c.with(t, openStore, func(s *application.Service, caller bank.Caller) error {
		preview, err := s.PreviewDeclaration(t.ctx, caller, bank.ApplicationID(c.ID), d)
		if err != nil {
			return err
		}
		for _, e := range preview.Effects {
			fmt.Fprintf(t.out, "group %s: gains %v, loses %v\n", e.Name, e.Gains, e.Loses)
		}
		return s.Declare(t.ctx, caller, bank.ApplicationID(c.ID), d)
	})
}

type applicationRotate struct {
	applicationStore `embed:""`
	ID               string        `arg:"" help:"The application's client id."`
	Overlap          time.Duration `help:"How long the old secret still works." default:"24h"`
}

func (c *applicationRotate) Run(t *terminal) error {
	return c.with(t, openStore, func(s *application.Service, caller bank.Caller) error {
		secret, err := s.Rotate(t.ctx, caller, bank.ApplicationID(c.ID), c.Overlap)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "secret    %s\n", string(secret))
		return nil
	})
}

type applicationDelete struct {
	applicationStore `embed:""`
	ID               string `arg:"" help:"The application's client id."`
}

func (c *applicationDelete) Run(t *terminal) error {
	return c.with(t, openStore, func(s *application.Service, caller bank.Caller) error {
		return s.Delete(t.ctx, caller, bank.ApplicationID(c.ID))
	})
}
