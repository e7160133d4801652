package cli

import (
	"errors"

	"mandate/internal/app"
	"mandate/internal/config"
)

type serveCommand struct {
	config.Config `embed:""`
}

func (c *serveCommand) Run(t *terminal) error {
	log := c.Config.Logger()
	a, err := app.Open(t.ctx, c.Config, t.clock, log)
	if err != nil {
		return err
	}
	if a.Bank != nil {
		log.Warn("the core is simulated, and no money moves: name the institution's own with --host")
	}
	return errors.Join(a.Serve(t.ctx, nil), a.Close())
}
