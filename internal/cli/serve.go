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
	a, err := app.Open(t.ctx, c.Config, t.clock, c.Config.Logger())
	if err != nil {
		return err
	}
	return errors.Join(a.Serve(t.ctx, nil), a.Close())
}
