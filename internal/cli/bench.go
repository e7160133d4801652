package cli

import (
	"errors"
	"time"

	"mandate/internal/bench"
)

type benchCommand struct {
	Screens   benchScreens   `cmd:"" help:"Server time of the screens that grow with the data."`
	People    benchPeople    `cmd:"" help:"Server time of the search over 100,000 customers."`
	Authorize benchAuthorize `cmd:"" help:"Payments a second that are authorized over HTTP, and where the limit comes from."`
}

type benchScreens struct {
	DB       string `name:"db" help:"Database to measure on: postgres://… . By default an embedded one, made for this and removed." placeholder:"URL"`
	Requests int    `help:"Requests for each screen." default:"100"`
}

func (c *benchScreens) Run(t *terminal) error {
	return bench.Screens(t.ctx, t.out, c.DB, c.Requests)
}

type benchPeople struct {
	DB       string `name:"db" help:"Database to measure on: postgres://… , one made for this: a made-up institution stays in it. By default an embedded one, made for this and removed." placeholder:"URL"`
	Requests int    `help:"Requests for each search." default:"100"`
}

func (c *benchPeople) Run(t *terminal) error {
	return bench.People(t.ctx, t.out, c.DB, c.Requests)
}

type benchAuthorize struct {
	DB      string        `name:"db" help:"Database to measure on: postgres://… , one made for this: a made-up institution stays in it. By default an embedded one, made for this and removed." placeholder:"URL"`
	Clients int           `help:"How many ask at the same time." default:"16"`
	Each    time.Duration `help:"How long each row is measured." default:"10s"`
}

// Validate refuses what measures nothing.
func (c *benchAuthorize) Validate() error {
	if c.Clients < 1 || c.Clients > 1000 {
		return errors.New("--clients must be 1 to 1000")
	}
	if c.Each <= 0 {
		return errors.New("--each must be more than nothing, such as 10s")
	}
	return nil
}

func (c *benchAuthorize) Run(t *terminal) error {
	return bench.Authorize(t.ctx, t.out, bench.AuthorizeOptions{DB: c.DB, Clients: c.Clients, Each: c.Each})
}
