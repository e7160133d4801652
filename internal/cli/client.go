package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"mandate/internal/bank"
	"mandate/internal/client"
	"mandate/internal/config"
)

type clientCommand struct {
	Create clientCreate `cmd:"" help:"Make a client and print its key, once."`
	Change clientChange `cmd:"" help:"Change how a client proves itself, what it can carry out and how much it may ask."`
	List   clientList   `cmd:"" help:"List the clients of an institution."`
	Rotate clientRotate `cmd:"" help:"Give a client a new key and print it, once."`
	Revoke clientRevoke `cmd:"" help:"End a client's access."`
}

// clientStore is what every client command needs.
type clientStore struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
}

// with opens the room of clients for an operator.
func (c clientStore) with(t *terminal, open opener, do func(*client.Service, bank.Caller) error) (err error) {
	d, err := open(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	door := doorOf(d)
	return do(client.New(d, door, t.logger()), operator(c.Institution))
}

// operator is whoever runs the command line.
func operator(institution string) bank.Caller {
	return bank.Caller{Kind: bank.ActorOperator, Name: "Operator", Institution: bank.InstitutionID(institution), Channel: bank.ChannelCommand}
}

type clientCreate struct {
	clientStore `embed:""`
	Name        string   `arg:"" help:"What the client is called."`
	Operations  []string `help:"Only these operations, such as wires.transmit." placeholder:"OPERATION"`
	Host        bool     `help:"It is the institution's host: Classic signs people in by it, and makes their credentials."`
	Acts        bool     `name:"acts-for-people" help:"It may act for organization users and vouch for them: initiate, approve, all that they may."`

	Application  string   `help:"External application whose access tokens (scope decisions) are taken for the client's." placeholder:"ID"`
	Certificates []string `name:"certificate" help:"Certificate that proves it: sha256:… of the public key, or dns:…, uri:… or subject:… where --client-ca vouches for it." sep:"none" placeholder:"CERTIFICATE"`
	Capabilities []string `help:"What it can carry out: access_request, step_up." placeholder:"CAPABILITY"`
	Rate         int64    `help:"Decisions a second that it may ask in the long run; 0 is as many as usual." placeholder:"N"`
}

func capabilities(names []string) (all []client.Capability) {
	for _, name := range names {
		if name != "" {
			all = append(all, client.Capability(name))
		}
	}
	return all
}

func (c *clientCreate) Run(t *terminal) error {
	return c.with(t, openStore, func(s *client.Service, caller bank.Caller) error {
		made, key, err := s.Create(t.ctx, caller, client.Draft{Name: c.Name, Operations: c.Operations, Acts: c.Acts, Host: c.Host, Access: client.Access{
			Application: bank.ApplicationID(c.Application), Certificates: c.Certificates, Capabilities: capabilities(c.Capabilities), Rate: c.Rate,
		}})
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "client %s\nkey    %s\n", made.ID, key.Reveal())
		return nil
	})
}

type clientChange struct {
	clientStore  `embed:""`
	ID           string   `arg:"" help:"The client's id."`
	Application  *string  `help:"External application whose access tokens (scope decisions) are taken for the client's; empty: none." placeholder:"ID"`
	Certificates []string `name:"certificate" xor:"proof" help:"Certificate that proves it, in place of those before: sha256:… of the public key, or dns:…, uri:… or subject:… ." sep:"none" placeholder:"CERTIFICATE"`
	Alone        bool     `name:"no-certificates" xor:"proof" help:"No certificate proves it any more."`
	Capabilities *string  `help:"What it can carry out, apart by commas: access_request, step_up; empty: nothing." placeholder:"CAPABILITIES"`
	Rate         *int64   `help:"Decisions a second that it may ask in the long run; 0 is as many as usual." placeholder:"N"`
}

// alter is the access with what the command names, and the rest as it was.
func (c *clientChange) alter(a client.Access) client.Access {
	if c.Application != nil {
		a.Application = bank.ApplicationID(*c.Application)
	}
	if len(c.Certificates) > 0 || c.Alone {
		a.Certificates = c.Certificates
	}
	if c.Capabilities != nil {
		a.Capabilities = capabilities(strings.Split(*c.Capabilities, ","))
	}
	if c.Rate != nil {
		a.Rate = *c.Rate
	}
	return a
}

func (c *clientChange) Run(t *terminal) error {
	return c.with(t, openStore, func(s *client.Service, caller bank.Caller) error {
		_, err := s.SetAccess(t.ctx, caller, bank.ClientID(c.ID), c.alter)
		return err
	})
}

type clientList struct {
	clientStore `embed:""`
}

func (c *clientList) Run(t *terminal) error {
	return c.with(t, openReadOnly, func(s *client.Service, caller bank.Caller) error {
		clients, err := s.List(t.ctx, caller)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tMAY\tCREATED\tLAST USED\tSTATE")
		for _, one := range clients {
			state := "in use"
			switch {
			case !one.Revoked.IsZero():
				state = "revoked"
			case !one.Held.IsZero():
				state = "kept out since a restore"
			}
			may := "ask"
			if one.Acts {
				may = "ask, act for people"
			}
			for _, c := range one.Capabilities {
				may += ", " + string(c)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", one.ID, one.Name, may, day(one.Created), day(one.LastUsed), state)
		}
		return table.Flush()
	})
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02")
}

type clientRotate struct {
	clientStore `embed:""`
	ID          string        `arg:"" help:"The client's id."`
	Overlap     time.Duration `help:"How long the old key still works." default:"24h"`
}

func (c *clientRotate) Run(t *terminal) error {
	return c.with(t, openStore, func(s *client.Service, caller bank.Caller) error {
		key, err := s.Rotate(t.ctx, caller, bank.ClientID(c.ID), c.Overlap)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "key    %s\n", key.Reveal())
		return nil
	})
}

type clientRevoke struct {
	clientStore `embed:""`
	ID          string `arg:"" help:"The client's id."`
}

func (c *clientRevoke) Run(t *terminal) error {
	return c.with(t, openStore, func(s *client.Service, caller bank.Caller) error {
		return s.Revoke(t.ctx, caller, bank.ClientID(c.ID))
	})
}
