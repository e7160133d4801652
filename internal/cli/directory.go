package cli

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/identity"
	"mandate/internal/scim"
	"mandate/internal/staff"
)

type directoryCommand struct {
	Connect    directoryConnect    `cmd:"" help:"Connect a directory and print its key, once."`
	List       directoryList       `cmd:"" help:"List the directories of an institution."`
	Disconnect directoryDisconnect `cmd:"" help:"End a directory's access."`
}

// directoryStore is what every command about directories needs.
type directoryStore struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
}

// nobodyIsInvited stands for the mail of a command that invites nobody.
type nobodyIsInvited struct{}

func (nobodyIsInvited) Queue(*db.Tx, identity.Mail) error {
	return fault.New(fault.Unavailable, "This command sends no mail.")
}
func (nobodyIsInvited) Cancel(*db.Tx, bank.InstitutionID, string) error { return nil }

// with opens the staff room's side for directories, for an operator.
func (c directoryStore) with(t *terminal, open opener, do func(*staff.Provisioning, bank.Caller) error) (err error) {
	d, err := open(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	door := doorOf(d)
	who, err := identity.New(identity.Config{DB: d, Guard: door, People: app.People(), Mailer: nobodyIsInvited{}, Clock: t.clock})
	if err != nil {
		return err
	}
	return do(staff.NewProvisioning(staff.New(door, who, app.House), scim.Keys{}), operator(c.Institution))
}

type directoryConnect struct {
	directoryStore `embed:""`
	Name           string `arg:"" help:"What the directory is called."`
	Home           string `help:"The name of the group in which people begin; it is made where there is none." default:"No Permissions" placeholder:"GROUP"`
	Application    string `help:"The external application that acts as the directory by OAuth, with the scope scim." placeholder:"APPLICATION"`
}

func (c *directoryConnect) Run(t *terminal) error {
	return c.with(t, openStore, func(p *staff.Provisioning, caller bank.Caller) error {
		home, err := c.home(t, p, caller)
		if err != nil {
			return err
		}
		made, key, err := p.Connect(t.ctx, caller, staff.DirectoryDraft{Name: c.Name, Home: home, Application: bank.ApplicationID(c.Application)})
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "client %s\nkey    %s\npath   /scim/%s/v2\n", made.Client, string(key), caller.Institution)
		return nil
	})
}

// home is the group of a name; where there is none, a new one that permits
// nothing.
func (c *directoryConnect) home(t *terminal, p *staff.Provisioning, caller bank.Caller) (bank.GroupID, error) {
	groups, err := p.Homes(t.ctx, caller)
	if err != nil {
		return "", err
	}
	for _, g := range groups {
		if db.Fold(g.Name) == db.Fold(c.Home) {
			return g.ID, nil
		}
	}
	return p.CreateGroup(t.ctx, caller, staff.Draft{Name: c.Home, Description: "Where people begin whom " + c.Name + " brings."})
}

type directoryList struct {
	directoryStore `embed:""`
}

func (c *directoryList) Run(t *terminal) error {
	return c.with(t, openReadOnly, func(p *staff.Provisioning, caller bank.Caller) error {
		all, err := p.Directories(t.ctx, caller)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "CLIENT\tNAME\tPEOPLE BEGIN IN\tCONNECTED")
		for _, d := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", d.Client, d.Name, d.HomeName, day(d.Created))
		}
		return table.Flush()
	})
}

type directoryDisconnect struct {
	directoryStore `embed:""`
	Client         string `arg:"" help:"The directory's client id."`
}

func (c *directoryDisconnect) Run(t *terminal) error {
	return c.with(t, openStore, func(p *staff.Provisioning, caller bank.Caller) error {
		return p.Disconnect(t.ctx, caller, bank.ClientID(c.Client))
	})
}
