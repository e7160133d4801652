package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"mandate/internal/app"
	"mandate/internal/config"
	"mandate/internal/host/hostsim"
)

type hostsimCommand struct {
	config.Simulator `embed:""`

	Fill    string        `help:"JSON file with organizations, accounts, users and defaults to begin with. What is there already stays as it is." placeholder:"FILE"`
	Seed    uint64        `help:"What everything that looks like chance is made from."`
	Seeding time.Duration `help:"How long after its announcement a new user is told." placeholder:"DURATION"`
	Slow    time.Duration `help:"Fault: wait so long before every answer." placeholder:"DURATION"`
	Down    bool          `help:"Fault: answer nothing, and do nothing."`
	Lose    int           `help:"Fault: of a hundred orders, do so many and lose the answer." placeholder:"N"`
	Repeat  int           `help:"Fault: of a hundred events, tell so many twice." placeholder:"N"`
	Reorder bool          `help:"Fault: tell events in any order."`
	Late    int           `help:"Fault: of a hundred events, tell so many late." placeholder:"N"`
	Delay   time.Duration `help:"How late late events are." placeholder:"DURATION"`
}

func (c *hostsimCommand) Run(t *terminal) (err error) {
	s, err := app.OpenSimulator(t.ctx, c.Simulator, hostsim.Options{Seed: c.Seed, Seeding: c.Seeding}, t.clock, t.logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fault := hostsim.Fault{Slow: c.Slow, Down: c.Down, Lose: c.Lose, Telling: hostsim.Telling{Repeat: c.Repeat, Reorder: c.Reorder, Late: c.Late, Delay: c.Delay}}
	if err := s.Bank.SetFault("", fault); err != nil {
		return err
	}
	if c.Fill != "" {
		if err := fill(t, s, c.Fill); err != nil {
			return err
		}
	}
	return s.Serve(t.ctx, func() { fmt.Fprintln(t.out, "ready") })
}

func fill(t *terminal, s *app.Simulator, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return s.Bank.FillFrom(t.ctx, file)
}
