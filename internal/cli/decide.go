package cli

import (
	"errors"
	"fmt"

	"mandate/internal/app"
	"mandate/internal/config"
)

type decideCommand struct {
	config.Copy `embed:""`
}

func (c *decideCommand) Run(t *terminal) (err error) {
	one, err := app.OpenCopy(t.ctx, c.Copy, t.clock, c.Copy.Logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, one.Close()) }()
	return one.Serve(t.ctx, func() { fmt.Fprintln(t.out, "ready") })
}
