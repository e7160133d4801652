package cli

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"

	"mandate/internal/bench"
)

type benchCommand struct {
	Screens   benchScreens   `cmd:"" help:"Server time of the screens that grow with the data."`
	People    benchPeople    `cmd:"" help:"Server time of the search over 100,000 customers."`
	Authorize benchAuthorize `cmd:"" help:"Payments a second that are authorized over HTTP, and where the limit comes from."`
	Decisions benchDecisions `cmd:"" help:"What decisions over HTTP cost the server, and how long callers wait, also while changes arrive."`
}

type benchScreens struct {
	DB       string `name:"db" help:"Database to measure on: postgres://… . By default an embedded one, made for this and removed." placeholder:"URL"`
	Requests int    `help:"Requests for each screen." default:"100"`
}

// Validate refuses what measures nothing.
func (c *benchScreens) Validate() error { return manyRequests(c.Requests) }

func manyRequests(n int) error {
	if n < 1 || n > 1_000_000 {
		return errors.New("--requests must be 1 to 1000000")
	}
	return nil
}

func (c *benchScreens) Run(t *terminal) error {
	return bench.Screens(t.ctx, t.out, c.DB, c.Requests)
}

type benchPeople struct {
	DB       string `name:"db" help:"Database to measure on: postgres://… , one made for this: a made-up institution stays in it. By default an embedded one, made for this and removed." placeholder:"URL"`
	Requests int    `help:"Requests for each search." default:"100"`
}

// Validate refuses what measures nothing.
func (c *benchPeople) Validate() error { return manyRequests(c.Requests) }

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

type benchDecisions struct {
	Organizations int           `help:"Organizations of the made-up institution, of 10 members and 20 accounts each." default:"10000"`
	Connections   int           `help:"Connections that ask at the same time." default:"16"`
	Each          time.Duration `help:"How long each row is measured in a round." default:"2s"`
	Rounds        int           `help:"How often all rows are measured." default:"5"`
	Changes       int           `help:"Changes that arrive in a second in the last row." default:"500"`
	Serve         bool          `hidden:"" help:"Be the server that is measured."`
}

// Validate refuses what measures nothing.
func (c *benchDecisions) Validate() error {
	switch {
	case c.Organizations < 1 || c.Organizations > 1_000_000:
		return errors.New("--organizations must be 1 to 1000000")
	case c.Connections < 1 || c.Connections > 1000:
		return errors.New("--connections must be 1 to 1000")
	case c.Rounds < 1 || c.Changes < 0:
		return errors.New("--rounds must be 1 or more, and --changes 0 or more")
	case c.Each <= 0:
		return errors.New("--each must be more than nothing, such as 2s")
	}
	return nil
}

func (c *benchDecisions) Run(t *terminal) error {
	o := bench.DecisionsOptions{Organizations: c.Organizations, Connections: c.Connections, Each: c.Each, Rounds: c.Rounds, Changes: c.Changes}
	if c.Serve {
		return bench.ServeDecisions(t.ctx, os.Stdin, t.out, o)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	server := exec.CommandContext(t.ctx, self, "bench", "decisions", "--serve", "--organizations", strconv.Itoa(c.Organizations))
	return bench.Decisions(t.ctx, t.out, server, o)
}
