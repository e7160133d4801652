package cli

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"mandate/internal/app"
	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/webhook"
)

type webhookCommand struct {
	Add    webhookAdd    `cmd:"" help:"Add a receiver and print its secret, once."`
	List   webhookList   `cmd:"" help:"List receivers and how they do."`
	Test   webhookTest   `cmd:"" help:"Send a message that tells of nothing."`
	Pause  webhookPause  `cmd:"" help:"Send nothing for a while. What happens waits, for two weeks at most."`
	Resume webhookResume `cmd:"" help:"Send what waited, and what happens from then on."`
	Rotate webhookRotate `cmd:"" help:"Give a receiver a new secret and print it, once. For a day messages are signed with both."`
	Delete webhookDelete `cmd:"" help:"End a receiver with all that waits for it."`
}

// webhookStore is what every command about webhooks needs.
type webhookStore struct {
	config.Store `embed:""`
	Institution  string `required:"" help:"The institution's id." placeholder:"ID"`
}

// with opens the room of webhooks for an operator. It sends nothing: the server
// does, a few seconds later.
func (c webhookStore) with(t *terminal, open opener, do func(*webhook.Service, bank.Caller) error) (err error) {
	d, err := open(t, c.Store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	store, err := c.Store.WithDefaults()
	if err != nil {
		return err
	}
	keys, err := app.OpenKeys(store.Data)
	if err != nil {
		return err
	}
	return do(webhook.New(d, doorOf(d), keys, nil, nil, t.logger()), operator(c.Institution))
}

type webhookAdd struct {
	webhookStore  `embed:""`
	Name          string   `arg:"" help:"Who listens there."`
	URL           string   `arg:"" help:"Where messages are posted; https."`
	Kinds         []string `help:"Kinds of events, such as wires, permissions, authentication." placeholder:"KIND"`
	Events        []string `help:"Single events, such as orguser.role_changed. Without kinds and events it is told everything." placeholder:"EVENT"`
	Organizations []string `help:"Only these organizations." placeholder:"ID"`
}

func (c *webhookAdd) Run(t *terminal) error {
	d := webhook.Draft{Name: c.Name, URL: c.URL, Kinds: c.Kinds, Names: c.Events}
	for _, id := range c.Organizations {
		d.Organizations = append(d.Organizations, bank.OrganizationID(id))
	}
	return c.with(t, openStore, func(s *webhook.Service, caller bank.Caller) error {
		made, secret, err := s.Create(t.ctx, caller, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "webhook %s\nsecret  %s\n", made.ID, string(secret))
		return nil
	})
}

type webhookList struct {
	webhookStore `embed:""`
}

func (c *webhookList) Run(t *terminal) error {
	return c.with(t, openReadOnly, func(s *webhook.Service, caller bank.Caller) error {
		all, err := s.List(t.ctx, caller)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tNAME\tADDRESS\tSTATE\tLAST SUCCESS\tWAITING\tGIVEN UP\tLAST ANSWER")
		for _, e := range all {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", e.ID, e.Name, e.URL, e.State, day(e.Succeeded), e.Waiting, e.Dead, e.Answer)
		}
		return table.Flush()
	})
}

// webhookOne is what commands about one receiver need.
type webhookOne struct {
	webhookStore `embed:""`
	ID           string `arg:"" help:"The receiver's id."`
}

type (
	webhookTest struct {
		webhookOne `embed:""`
	}
	webhookPause struct {
		webhookOne `embed:""`
	}
	webhookResume struct {
		webhookOne `embed:""`
	}
	webhookRotate struct {
		webhookOne `embed:""`
	}
	webhookDelete struct {
		webhookOne `embed:""`
	}
)

func (c *webhookTest) Run(t *terminal) error {
	return c.with(t, openStore, func(s *webhook.Service, caller bank.Caller) error { return s.Test(t.ctx, caller, webhook.ID(c.ID)) })
}

func (c *webhookPause) Run(t *terminal) error {
	return c.with(t, openStore, func(s *webhook.Service, caller bank.Caller) error { return s.Pause(t.ctx, caller, webhook.ID(c.ID)) })
}

func (c *webhookResume) Run(t *terminal) error {
	return c.with(t, openStore, func(s *webhook.Service, caller bank.Caller) error { return s.Resume(t.ctx, caller, webhook.ID(c.ID)) })
}

func (c *webhookDelete) Run(t *terminal) error {
	return c.with(t, openStore, func(s *webhook.Service, caller bank.Caller) error { return s.Delete(t.ctx, caller, webhook.ID(c.ID)) })
}

func (c *webhookRotate) Run(t *terminal) error {
	return c.with(t, openStore, func(s *webhook.Service, caller bank.Caller) error {
		secret, err := s.Rotate(t.ctx, caller, webhook.ID(c.ID))
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "secret  %s\n", string(secret))
		return nil
	})
}
